/**
 * The ways of answering badly that the provider and a receiver share: too slowly, too much, not to the end.
 * Each writes to a real socket, so the client meets what it would meet in the wild, and each ends its own
 * timers and streams when the client goes away. All return the status they sent, for the log.
 */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const FILLER = Buffer.alloc(64 * 1024, "a");

/** Headers at once, then one byte every `everyMs`, the first after one such wait. */
export function drip(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
  everyMs: number,
): number {
  response.writeHead(status, headers);
  response.flushHeaders();
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < bytes.length) response.write(bytes.subarray(sent, ++sent));
    else response.end();
  }, everyMs);
  response.on("close", () => clearInterval(timer));
  return status;
}

/**
 * Streams `head`, filler and `tail`, `bytes` in all (never less than head and tail). No content-length is
 * sent, so only a reader that counts notices. Waits for the socket to drain and stops when the client leaves.
 */
export function sendHuge(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: { head: string; bytes: number; tail: string },
): number {
  response.writeHead(status, headers);
  pipeline(Readable.from(hugeChunks(body)), response).catch(() => response.destroy());
  return status;
}

function* hugeChunks(body: { head: string; bytes: number; tail: string }): Generator<Buffer> {
  const head = Buffer.from(body.head);
  const tail = Buffer.from(body.tail);
  yield head;
  let left = body.bytes - head.length - tail.length;
  while (left > 0) {
    const chunk = FILLER.subarray(0, Math.min(left, FILLER.length));
    left -= chunk.length;
    yield chunk;
  }
  yield tail;
}

/** Promises the whole text by content-length, sends half of it and closes the connection. */
export function closeHalfway(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  text: string,
): number {
  const bytes = Buffer.from(text);
  response.writeHead(status, { ...headers, "content-length": bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  return status;
}
