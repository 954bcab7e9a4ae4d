/**
 * What both simulated servers need of HTTP: listening on the loopback, reading a whole body, answering,
 * and a log that forgets its oldest entries. Nothing here knows what is being simulated.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A larger body than anything Pollhook sends by a factor of four; more is a bug worth a 413. */
export const BODY_CAP_BYTES = 32 * 1024 * 1024;

/** Entries a log keeps; the oldest are forgotten first. */
export const LOG_LIMIT = 50_000;

export const JSON_HEADERS: Record<string, string> = { "content-type": "application/json" };

/** Longer than any client keeps an idle connection, so that it is never we who close one being reused. */
const KEEP_ALIVE_MS = 65_000;

/** Connections that may wait to be accepted: thousands can come at once, and one too many is tried again a second later. */
const BACKLOG = 4096;

export interface Listening {
  /** `http://127.0.0.1:port`, without a trailing slash. */
  origin: string;
  /** Ends every connection, the hanging ones too, and resolves once the port is free. */
  close(): Promise<void>;
}

/** Serves on 127.0.0.1; `port` 0 takes a free one. Rejects when the port is taken. */
export async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  port: number,
): Promise<Listening> {
  const server = createServer((request, response) => {
    handler(request, response).catch((error: unknown) => {
      console.error("simulator bug:", error);
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", BACKLOG, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no TCP address");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export type ReadBody = { kind: "whole"; bytes: Buffer } | { kind: "too-large" } | { kind: "aborted" };

/** Reads a body to its end. What is over the cap is read and dropped, so that the client can hear the 413. */
export function readBody(request: IncomingMessage, capBytes: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= capBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on("end", () =>
      resolve(size > capBytes ? { kind: "too-large" } : { kind: "whole", bytes: Buffer.concat(chunks) }),
    );
    request.on("error", () => resolve({ kind: "aborted" }));
    request.on("close", () => resolve({ kind: "aborted" }));
  });
}

/** Answers at once with a whole body, and returns the status for the log. */
export function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body = "",
): number {
  response.writeHead(
    status,
    status === 204 ? headers : { "content-length": Buffer.byteLength(body), ...headers },
  );
  response.end(body);
  return status;
}

/** Answers with JSON as JavaScript writes it: for the control routes, which are ours and not the provider's. */
export function sendJson(response: ServerResponse, status: number, value: unknown): number {
  return send(response, status, JSON_HEADERS, `${JSON.stringify(value)}\n`);
}

/** Splits a request target; the path keeps its escapes, `search` is without the question mark. */
export function splitTarget(request: IncomingMessage): { path: string; search: string } {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  return mark < 0
    ? { path: target, search: "" }
    : { path: target.slice(0, mark), search: target.slice(mark + 1) };
}

/** Request headers by lower-case name, repeated ones joined with a comma. */
export function plainHeaders(request: IncomingMessage): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

/** Keeps the last `limit` entries. Trims in bulk: a push is constant time on average. */
export class BoundedLog<Entry> {
  #entries: Entry[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length >= this.#limit * 2) this.#entries = this.list();
  }

  /** Oldest first. */
  list(): Entry[] {
    return this.#entries.slice(-this.#limit);
  }

  clear(): void {
    this.#entries = [];
  }
}
