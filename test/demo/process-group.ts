/**
 * A process in a group of its own, which ends with whoever started it, and waiting until a server in it answers.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const LOG_LAG_MS = 1_000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
/** What is kept of the output, for the case that it does not start. */
const KEPT_OUTPUT_CHARS = 20_000;

export interface GroupOptions {
  /** For messages, such as `wrangler dev`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Every line that is printed. */
  readonly onLog?: (line: string) => void;
}

/** What runs now, to be ended with this process. */
const running = new Set<ProcessGroup>();
process.once("exit", () => {
  for (const group of running) group.signal("SIGKILL");
});

/** Ends all that runs, in order. */
export const stopAll = (): Promise<unknown> =>
  Promise.all([...running].map((group) => group.stop("SIGTERM")));

export class ProcessGroup {
  readonly #name: string;
  readonly #child: ChildProcess;
  #output = "";

  constructor({ name, file, args, cwd, env, onLog }: GroupOptions) {
    this.#name = name;
    const options: SpawnOptions = { detached: true, stdio: ["ignore", "pipe", "pipe"] };
    this.#child = spawn(file, args, { ...options, ...(cwd && { cwd }), ...(env && { env }) });
    running.add(this);
    // Should the first process die by itself, what it started goes with it.
    this.#child.once("exit", () => {
      this.signal("SIGKILL");
      running.delete(this);
    });
    const collect = (line: string) => {
      this.#output = `${this.#output}${line}\n`.slice(-KEPT_OUTPUT_CHARS);
      if (line.trim() !== "") onLog?.(line);
    };
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface({ input: stream }).on("line", collect);
    this.#child.once("error", (error) => collect(error.message));
  }

  /** Of the group, and of the process that leads it; 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether the process that leads it is gone. */
  get hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** Everything printed so far, bounded. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when `/healthz` answers 200. Ends the group and rejects with what it printed if that never happens. */
  async healthy(origin: string): Promise<void> {
    try {
      await this.#untilHealthy(origin);
    } catch (error) {
      await this.stop();
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The Worker did not start: ${why}\n${this.#output.trim()}`);
    }
  }

  async #untilHealthy(origin: string): Promise<void> {
    const limit = Date.now() + START_LIMIT_MS;
    while (Date.now() < limit) {
      if (this.hasEnded)
        throw new Error(`${this.#name} ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
      const health = await healthOf(origin);
      if (health?.status === 200) return;
      // It runs, and says in its log what is wrong with its configuration; that comes by another way, and later.
      if (health) {
        await sleep(LOG_LAG_MS);
        throw new Error(`/healthz answers ${health.status}`);
      }
      await sleep(100);
    }
    throw new Error(`no answer within ${START_LIMIT_MS / 1000} s`);
  }

  /** Ends the whole group; resolves when it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.hasEnded) resolve();
      else this.#child.once("exit", () => resolve());
    });
    this.signal(signal);
    const ended = await Promise.race([gone.then(() => true), sleep(STOP_LIMIT_MS, false, { ref: false })]);
    // Also when the first process is gone: what it started may have outlived it.
    this.signal("SIGKILL");
    if (!ended) await gone;
  }

  /** Signals the process and everything that it started. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // The group is gone already.
    }
  }
}

/** What `/healthz` answers; `null` while nothing listens. */
export async function healthOf(origin: string): Promise<{ status: number; text: string } | null> {
  try {
    // A connection that is kept may be closed by the other side at the moment of its next use, which is another's.
    const headers = { connection: "close" };
    const response = await fetch(`${origin}/healthz`, { headers, signal: AbortSignal.timeout(2_000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}

/** Below those that systems hand out by themselves, to whoever listens anywhere and to every connection that is made. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
const PORT_TRIES = 100;

/** A port that was free a moment ago, and that nobody is given by chance before it is used. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(`Of ${PORT_TRIES} ports none was free.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
