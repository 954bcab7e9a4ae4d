/**
 * The caller of the throughput bench, as a process: registers job after job over so many kept connections, each with a
 * `request_id` of its own, and notes how long each answer took. Anything but a 202 is an error.
 */
import { Agent, request } from "node:http";
import { answer } from "./child.ts";

export interface Load {
  /** The whole URL that registrations are POSTed to. */
  readonly url: string;
  readonly token: string;
  readonly callbackUrl: string;
  readonly connections: number;
  /** The `request_id` of the first; the next ones follow. */
  readonly firstId: number;
  /** Ends at whichever is reached first. */
  readonly most: number;
  readonly forMs: number;
  /** Etas are spread evenly from the one to the other, without an order. */
  readonly etaSeconds: readonly [least: number, most: number];
}

export interface Registration {
  readonly requestId: number;
  /** Epoch ms: when the request was sent, and when the answer was there. */
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly latencyMs: number;
  readonly etaSeconds: number;
}

/** A prime: neighbours get etas far from each other. */
const STRIDE = 7_919;
const ETAS = 2_000;

answer<Load, Registration[]>(async (load) => {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const registrations: Registration[] = [];
  const endsAt = Date.now() + load.forMs;
  const work = async (): Promise<void> => {
    while (registrations.length + underWay < load.most && Date.now() < endsAt) {
      const index = next++;
      underWay++;
      const registration = await register(load, agent, index);
      underWay--;
      registrations.push(registration);
    }
  };
  let next = 0;
  let underWay = 0;
  try {
    await Promise.all(Array.from({ length: load.connections }, work));
    return registrations;
  } finally {
    agent.destroy();
  }
});

async function register(load: Load, agent: Agent, index: number): Promise<Registration> {
  const [least, most] = load.etaSeconds;
  const requestId = load.firstId + index;
  const etaSeconds = least + (((index * STRIDE) % ETAS) / ETAS) * (most - least);
  const body = JSON.stringify({
    endpoint: "v3",
    request_id: String(requestId),
    eta: etaSeconds,
    callback_url: load.callbackUrl,
  });
  const sentAt = Date.now();
  const startedAt = performance.now();
  await post(load, agent, body);
  return { requestId, sentAt, answeredAt: Date.now(), latencyMs: performance.now() - startedAt, etaSeconds };
}

/** Resolves when the whole answer is there. */
function post({ url, token }: Load, agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, {
      agent,
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      },
    });
    call.once("error", reject);
    call.once("response", (response) => {
      response.resume();
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 202) resolve();
        else reject(new Error(`A registration was answered ${response.statusCode}.`));
      });
    });
    call.end(body);
  });
}
