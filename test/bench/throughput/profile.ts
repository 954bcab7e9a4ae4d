/**
 * Where a Worker on plain workerd spends its processor time in JavaScript, over the DevTools protocol: a profile that
 * Chrome's developer tools open, and its heaviest functions.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** As the protocol has it, as far as it is looked at here. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Heavy {
  readonly name: string;
  /** Of all samples, those in this function itself. */
  readonly share: number;
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const TRIES = 50;
const SAMPLE_EVERY_US = 200;

export class Profiler {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Connects to the first Worker at this `host:port`, and begins. */
  static async start(address: string): Promise<Profiler> {
    const url = await debuggerUrl(address);
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error("The inspector refuses.")), { once: true });
    });
    const profiler = new Profiler(socket);
    await profiler.#send("Profiler.enable");
    await profiler.#send("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
    await profiler.#send("Profiler.start");
    return profiler;
  }

  /** The text of a `.cpuprofile`, and what weighs most in it. */
  async stop(): Promise<{ readonly text: string; readonly heaviest: readonly Heavy[] }> {
    const { profile } = (await this.#send("Profiler.stop")) as { profile: Profile };
    this.#socket.close();
    return { text: JSON.stringify(profile), heaviest: heaviest(profile) };
  }

  #send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const hear = ({ data }: MessageEvent) => {
        const reply = JSON.parse(String(data)) as Reply;
        if (reply.id !== id) return;
        this.#socket.removeEventListener("message", hear);
        if (reply.error) reject(new Error(`${method}: ${reply.error.message}`));
        else resolve(reply.result);
      };
      this.#socket.addEventListener("message", hear);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

async function debuggerUrl(address: string): Promise<string> {
  for (let tried = 1; ; tried++) {
    try {
      const targets = (await (await fetch(`http://${address}/json`)).json()) as {
        webSocketDebuggerUrl: string;
      }[];
      const [first] = targets;
      if (first) return first.webSocketDebuggerUrl;
    } catch (error) {
      if (tried === TRIES) throw error;
    }
    await sleep(100);
  }
}

function heaviest({ nodes, samples, timeDeltas }: Profile): Heavy[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, lineNumber } }) => [
      id,
      `${functionName || "(anonymous)"}${lineNumber >= 0 ? `:${lineNumber + 1}` : ""}`,
    ]),
  );
  const times = new Map<string, number>();
  let all = 0;
  for (const [index, sample] of samples.entries()) {
    const name = names.get(sample) ?? "?";
    const time = timeDeltas[index] ?? 0;
    times.set(name, (times.get(name) ?? 0) + time);
    all += time;
  }
  return [...times]
    .map(([name, time]) => ({ name, share: time / Math.max(1, all) }))
    .sort((a, b) => b.share - a.share);
}
