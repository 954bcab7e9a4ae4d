/**
 * The provider and the receiver of the throughput bench, as a process: bare HTTP servers that answer at once and note
 * when they were called for which job. The ones in `test/simulator` check and record far more than a bench can afford.
 */
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { answer } from "./child.ts";

export type PeersQuestion = "origins" | "take";

/** Where they are. */
export interface Origins {
  readonly provider: string;
  readonly receiver: string;
}

export interface Arrival {
  readonly requestId: string;
  /** Epoch ms, at each POST. */
  readonly callbacks: readonly number[];
  /** Epoch ms, at each poll. */
  readonly polls: readonly number[];
}

/** Kept whole, to be verified when nothing is measured. */
export interface Sample {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came since the last time it was asked for. */
export interface Taken {
  readonly arrivals: readonly Arrival[];
  readonly samples: readonly Sample[];
  /** Calls that name no job. */
  readonly strange: number;
}

export type PeersAnswer = Origins | Taken;

/** The first delivery after a look is kept, and one in so many. */
const SAMPLE_EVERY = 50;
const FETCH_PATH = /^\/api\/v3\/fetch\/(\d+)$/;
const REQUEST_ID = /"request_id":"?(\d+)/;

interface Seen {
  readonly callbacks: number[];
  readonly polls: number[];
}

let seen = new Map<string, Seen>();
let samples: Sample[] = [];
let strange = 0;
let deliveries = 0;

function seenOf(requestId: string | undefined): Seen | null {
  if (requestId === undefined) {
    strange++;
    return null;
  }
  const known = seen.get(requestId) ?? { callbacks: [], polls: [] };
  seen.set(requestId, known);
  return known;
}

const provider: RequestListener = (request, response) => {
  const [, id] = FETCH_PATH.exec(request.url ?? "") ?? [];
  seenOf(id)?.polls.push(Date.now());
  request.resume();
  request.once("end", () => {
    const output = [`https://files.example.com/${id}.png`];
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ status: "success", id: Number(id), output }));
  });
};

const receiver: RequestListener = (request, response) => {
  const at = Date.now();
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("end", () => {
    const body = Buffer.concat(chunks).toString();
    seenOf(REQUEST_ID.exec(body)?.[1])?.callbacks.push(at);
    if (deliveries++ % SAMPLE_EVERY === 0 || samples.length === 0)
      samples.push({ headers: plainHeaders(request), body });
    response.statusCode = 204;
    response.end();
  });
};

const plainHeaders = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value ? [[name, `${value}`]] : [])));

function take(): Taken {
  const arrivals = [...seen].map(([requestId, one]) => ({ requestId, ...one }));
  const taken = { arrivals, samples, strange };
  seen = new Map();
  samples = [];
  strange = 0;
  return taken;
}

function listen(listener: RequestListener): Promise<string> {
  // Connections are kept for as long as the Worker likes: one that is closed in the moment of its use is a lost attempt.
  const server = createServer({ keepAliveTimeout: 0 }, listener);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}

const origins = Promise.all([listen(provider), listen(receiver)]);

answer<PeersQuestion, PeersAnswer>(async (question) => {
  if (question === "take") return take();
  const [atProvider, atReceiver] = await origins;
  return { provider: atProvider, receiver: atReceiver };
});
