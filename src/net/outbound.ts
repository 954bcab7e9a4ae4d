/**
 * The one outbound request: a POST that is timed over connect, headers and body, capped in size, and never
 * follows a redirect. It never throws; the body is always read to its end or cancelled, so that no connection
 * is left hanging on an object.
 */

import { concatBytes } from "../bytes.ts";

/** Workers send no user agent of their own. The version is package.json's; a test holds them together. */
export const USER_AGENT = "pollhook/0.1.0";

export interface Outbound {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** For connect and headers and, unless `bodyMs` is given, for the body too. */
  readonly timeoutMs: number;
  /** A time of its own for the body, counted from the headers. */
  readonly bodyMs?: number;
  /** At most so much of the body is read and kept; the rest is cancelled. */
  readonly maxBytes: number;
}

export type Reply =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Headers;
      /** At most `maxBytes`; only a part of the body unless `end` is `complete`. */
      readonly body: Uint8Array;
      readonly end: "complete" | "too_large" | "timeout" | "network";
      readonly durationMs: number;
    }
  | { readonly kind: "none"; readonly reason: "timeout" | "network"; readonly durationMs: number };

const TIMED_OUT = Symbol("timed out");
const LAST_MS = 1;

/** Sends one POST. `durationMs` is the time to all that the answer is judged by: with `bodyMs`, to its headers. */
export async function post(request: Outbound): Promise<Reply> {
  const startedAt = Date.now();
  const abort = new AbortController();
  const timer = new Deadline(request.timeoutMs);
  try {
    const sent = fetch(request.url, {
      method: "POST",
      headers: request.headers,
      body: request.body,
      redirect: "manual",
      signal: abort.signal,
    });
    const response = await timer.race(sent);
    const headersMs = Date.now() - startedAt;
    if (response === TIMED_OUT) {
      // Should it still answer, in spite of the abort below, nobody reads it.
      sent.then(({ body }) => body?.cancel()).catch(() => {});
      return { kind: "none", reason: "timeout", durationMs: headersMs };
    }
    const { status, headers } = response;
    if (request.bodyMs !== undefined) timer.restart(request.bodyMs);
    const { body, end } = await readBody(response, request.maxBytes, timer);
    const durationMs = request.bodyMs === undefined ? Date.now() - startedAt : headersMs;
    return { kind: "answer", status, headers, body, end, durationMs };
  } catch {
    return { kind: "none", reason: "network", durationMs: Date.now() - startedAt };
  } finally {
    timer.stop();
    // Ends the connection of a request that timed out or whose body was not read to the end.
    abort.abort();
  }
}

async function readBody(
  response: Response,
  maxBytes: number,
  timer: Deadline,
): Promise<{ body: Uint8Array; end: "complete" | "too_large" | "timeout" | "network" }> {
  if (!response.body) return { body: new Uint8Array(0), end: "complete" };
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let end: "complete" | "too_large" | "timeout" | "network" = "complete";
  try {
    while (size <= maxBytes) {
      const next = await timer.race(reader.read());
      if (next === TIMED_OUT) {
        end = "timeout";
        break;
      }
      if (next.done) break;
      chunks.push(next.value);
      size += next.value.length;
    }
    if (size > maxBytes) end = "too_large";
  } catch {
    end = "network";
  }
  // Not awaited: a peer that does not answer must not hold the caller; the abort above ends it anyway.
  if (end !== "complete") reader.cancel().catch(() => {});
  return { body: concatBytes(chunks, Math.min(size, maxBytes)), end };
}

/**
 * One timer for several waits. Racing it ourselves, beside the abort signal, means that no stream which
 * ignores the signal can hold the caller.
 */
class Deadline {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #expire: () => void = () => {};
  #expired: Promise<typeof TIMED_OUT>;

  constructor(ms: number) {
    this.#expired = new Promise((resolve) => {
      this.#expire = () => resolve(TIMED_OUT);
    });
    this.restart(ms);
  }

  restart(ms: number): void {
    this.stop();
    // The last of it begins when the rest is over: whoever was held up, and is late, first hears what has come meanwhile.
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(this.#expire, LAST_MS);
    }, ms - LAST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  race<T>(work: Promise<T>): Promise<T | typeof TIMED_OUT> {
    return Promise.race([work, this.#expired]);
  }
}
