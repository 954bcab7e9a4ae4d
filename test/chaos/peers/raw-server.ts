/**
 * A server on a TCP port that knows just enough of HTTP to see where a request ends, and then does what a script says.
 * What it was sent is kept, but for large bodies only their digest.
 */
import { createHash } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { perform, type Script } from "./script.ts";

export interface RawRequest {
  /** In the order in which they came to be answered, from 0. */
  readonly number: number;
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodySha256: string;
  /** Of larger ones, the beginning. */
  readonly body: string;
}

export interface RawAnswer {
  readonly script: Script;
  /** When it is given: at once on the connection, as soon as the head has come, or when all of the request has. */
  readonly at?: "accept" | "head";
  /** Of what comes behind the moment at which it is given. */
  readonly reads?: "nothing" | "slowly";
}

/** To the request with that number; one that is given at `accept` sees no request. */
export type Answering = (number: number, request: RawRequest | null) => RawAnswer;

export interface RawServer {
  readonly origin: string;
  /** Those that were read to their end. */
  readonly requests: readonly RawRequest[];
  readonly connections: number;
  close(): Promise<void>;
}

const HEAD_END = "\r\n\r\n";
const KEPT_BODY_BYTES = 64 * 1024;
const SLOW_READ_BYTES = 1_024;
const SLOW_READ_MS = 250;

/** Serves on a free port of 127.0.0.1. */
export async function startRawServer(answering: Answering): Promise<RawServer> {
  const state = { requests: [] as RawRequest[], begun: 0, connections: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    state.connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    // A client that has nothing more to say has gone; one that was told so first has been answered.
    socket.once("end", () => socket.end());
    serve(socket, state, answering);
  });
  const port = await listenOn(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    requests: state.requests,
    get connections() {
      return state.connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listenOn(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", 1_024, () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}

interface State {
  readonly requests: RawRequest[];
  begun: number;
}

function serve(socket: Socket, state: State, answering: Answering): void {
  // What is answered before it was asked is decided by the connection.
  const first = answering(state.begun, null);
  if (first.at === "accept") {
    state.begun++;
    void perform(socket, first.script);
    readOn(socket, first.reads);
    return;
  }
  let pending: Buffer = Buffer.alloc(0);
  let current: Reading | null = null;
  let isAnswering = false;
  const next = () => {
    while (!isAnswering) {
      if (!current) {
        const end = pending.indexOf(HEAD_END);
        if (end === -1) return;
        current = new Reading(state.begun++, pending.subarray(0, end).toString("latin1"));
        pending = pending.subarray(end + HEAD_END.length);
        const early = answering(current.number, current.asRequest());
        if (early.at === "head") {
          isAnswering = true;
          socket.removeListener("data", onData);
          void perform(socket, early.script);
          readOn(socket, early.reads);
          return;
        }
      }
      pending = current.take(pending);
      if (!current.isWhole) return;
      const request = current.asRequest();
      current = null;
      isAnswering = true;
      state.requests.push(request);
      void perform(socket, answering(request.number, request).script).then(() => {
        isAnswering = false;
        next();
      });
    }
  };
  const onData = (bytes: Buffer) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    next();
  };
  socket.on("data", onData);
}

/** What comes behind an answer that did not wait for the end of the request. */
function readOn(socket: Socket, reads: RawAnswer["reads"]): void {
  if (reads === undefined) socket.on("data", () => {}).resume();
  else if (reads === "nothing") socket.pause();
  else {
    socket.pause();
    const timer = setInterval(() => socket.read(SLOW_READ_BYTES), SLOW_READ_MS).unref();
    socket.once("close", () => clearInterval(timer));
  }
}

/** A request while it comes. */
class Reading {
  readonly number: number;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #hash = createHash("sha256");
  #kept = Buffer.alloc(0);
  #left: number;

  constructor(number: number, head: string) {
    const [line = "", ...fields] = head.split("\r\n");
    this.number = number;
    this.#path = line.split(" ")[1] ?? "";
    this.#headers = Object.fromEntries(
      fields.map((field) => {
        const colon = field.indexOf(":");
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
      }),
    );
    this.#left = Number(this.#headers["content-length"] ?? 0);
  }

  get isWhole(): boolean {
    return this.#left === 0;
  }

  /** Takes what is the request's; the rest comes back. */
  take(bytes: Buffer): Buffer {
    const own = bytes.subarray(0, this.#left);
    this.#left -= own.length;
    this.#hash.update(own);
    if (this.#kept.length < KEPT_BODY_BYTES) this.#kept = Buffer.concat([this.#kept, own]);
    return bytes.subarray(own.length);
  }

  asRequest(): RawRequest {
    return {
      number: this.number,
      path: this.#path,
      headers: this.#headers,
      bodySha256: this.#hash.copy().digest("hex"),
      body: this.#kept.toString(),
    };
  }
}
