/**
 * One call of the API: the token, a time limit for each try, what is tried again, and one kind of error. Needs nothing
 * but `fetch` and `AbortController`.
 */
import { parseRetryAfter } from "../net/retry-after.ts";
import { Limit, reasonOf, type Sleep, sleep, throwIfAborted } from "./abort.ts";
import { type Check, type Members, membersOf } from "./answers.ts";
import { baseOf, checkTimeoutMs, checkTokenSource, invalid } from "./arguments.ts";
import { errorOfAnswer, PollhookError } from "./error.ts";
import { gapMs, mayRepeat, type Repetition } from "./retry.ts";
import { TokenKeeper, type TokenSource } from "./token.ts";

/** For one try, from the call to the last byte of its answer. */
const TRY_LIMIT_MS = 30_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ClientOptions {
  /** Where Pollhook is reached: `https://pollhook.your-domain.example`. */
  readonly url: string | URL;
  readonly token: TokenSource;
  /** In place of the global one. */
  readonly fetch?: Fetch;
  /** For one try, from the call to the last byte of its answer; 30,000 unless given. */
  readonly timeoutMs?: number;
  /** Whether `fetch` hands an answer over while it still comes in; found out unless given. */
  readonly canStream?: boolean;
  /** In place of a timer between two tries. */
  readonly sleep?: Sleep;
}

export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface Call extends CallOptions {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  readonly repetition: Repetition;
  /** What is answered; `null` where that is nothing, with a 204. */
  readonly answer: Check | null;
  /** How long the server was asked to hold the call. */
  readonly holdMs?: number;
}

export class Transport {
  readonly canStream: boolean;
  readonly sleep: Sleep;
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;
  readonly #token: TokenKeeper;

  /** Throws a TypeError for a URL, a token or a time limit with which no call could be made. */
  constructor(options: ClientOptions) {
    const { url, token, timeoutMs = TRY_LIMIT_MS } = options;
    checkTokenSource(token);
    checkTimeoutMs(timeoutMs);
    this.#url = baseOf(url);
    // The global is looked up at each call, and called without a `this` of ours.
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#timeoutMs = timeoutMs;
    this.#token = new TokenKeeper(token);
    this.canStream = options.canStream ?? isStreaming();
    this.sleep = options.sleep ?? sleep;
  }

  /** The answer's object; `null` where nothing is answered. */
  async call<T>(call: Call): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return (await this.#once(call)) as T;
      } catch (error) {
        if (!(error instanceof PollhookError)) throw error;
        const gap = mayRepeat(error, call.repetition) ? gapMs(error, tries, Math.random()) : null;
        if (gap === null) throw error.after(tries);
        await this.sleep(gap, call.signal);
      }
    }
  }

  /** Sends one request with the token, and once more with a new one if that is not taken. Its body is not read. */
  async send(path: string, init: RequestInit, limit: Limit, signal?: AbortSignal): Promise<Response> {
    const token = await this.#tokenWithin(limit, signal);
    const response = await this.#sendWith(token, path, init, limit, signal);
    if (response.status !== 401 || !(await this.#token.drop(token))) return response;
    await limit.within(response.text()).catch(() => "");
    return this.#sendWith(await this.#tokenWithin(limit, signal), path, init, limit, signal);
  }

  async #once({ method, path, body, signal, answer, holdMs = 0 }: Call): Promise<unknown> {
    throwIfAborted(signal);
    const limit = new Limit(this.#timeoutMs + holdMs, signal);
    try {
      const headers = { accept: "application/json", ...(body !== undefined && JSON_BODY) };
      const response = await this.send(
        path,
        { method, headers, ...(body !== undefined && { body }) },
        limit,
        signal,
      );
      const text = await limit
        .within(response.text())
        .catch((cause) => Promise.reject(failure(cause, limit, signal)));
      if (response.ok) return readAnswer(text, response.status, answer);
      throw errorOfAnswer(response.status, text, retryAfterOf(response));
    } finally {
      limit.end();
    }
  }

  async #tokenWithin(limit: Limit, signal: AbortSignal | undefined): Promise<string> {
    try {
      return await limit.within(this.#token.get());
    } catch (cause) {
      if (cause instanceof PollhookError) throw cause;
      this.#token.forget();
      if (signal?.aborted) throw reasonOf(signal);
      const detail = "The function that was given for the token did not answer in time.";
      throw new PollhookError({ code: "token_unavailable", detail, cause });
    }
  }

  async #sendWith(
    token: string,
    path: string,
    init: RequestInit,
    limit: Limit,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` };
    try {
      return await limit.within(this.#fetch(this.#url + path, { ...init, headers, signal: limit.signal }));
    } catch (cause) {
      throw failure(cause, limit, signal);
    }
  }
}

const JSON_BODY = { "content-type": "application/json" };

/** What a `fetch` that was rejected means: the caller's abort, the time limit, or the network. */
export function failure(cause: unknown, limit: Limit, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return reasonOf(signal);
  if (limit.isOver)
    return new PollhookError({ code: "timeout", detail: "The server did not answer in time.", cause });
  return new PollhookError({ code: "network", detail: "The server could not be reached.", cause });
}

export const retryAfterOf = ({ headers }: Response): number | null =>
  parseRetryAfter(headers.get("retry-after"), Date.now());

function readAnswer(text: string, status: number, isAnswer: Check | null): Members | null {
  if (!isAnswer && status === 204) return null;
  const members = membersOf(parsed(text, status));
  if (members && isAnswer?.(members)) return members;
  const detail = `The answer was ${status}, and nothing that Pollhook says to this.`;
  throw new PollhookError({ code: "unexpected_answer", detail, status });
}

function parsed(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PollhookError({ code: "unexpected_answer", detail: "The answer was no JSON.", status, cause });
  }
}

/** React Native's `fetch` hands an answer over only when all of it is there. */
const isStreaming = (): boolean =>
  typeof ReadableStream === "function" && typeof Response === "function" && "body" in Response.prototype;

// Escaped by hand: the `URL` of React Native does half of it.

/** A path whose parts are escaped: path`/v1/jobs/${id}`. Throws for a part that would make it another path. */
export const path = (texts: TemplateStringsArray, ...parts: readonly string[]): string =>
  texts.map((text, i) => text + (i < parts.length ? escaped(parts[i]) : "")).join("");

function escaped(part: unknown): string {
  // No way of writing dots keeps a URL from being resolved by them.
  if (typeof part !== "string" || /^\.{0,2}$/.test(part)) throw invalid("An id or a name is missing.");
  return encoded(part);
}

function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch (cause) {
    throw invalid("Half a character is not text.", null, cause);
  }
}

/** `?a=1&b=2`, without what is `undefined` or `null`; empty for nothing. */
export function query(values: Readonly<Record<string, string | number | null | undefined>>): string {
  const pairs = Object.entries(values)
    .filter(([, value]) => value != null)
    .map(([name, value]) => {
      if (typeof value === "number" && !Number.isFinite(value))
        throw invalid(`${name} must be a number that there is.`, name);
      return `${encoded(name)}=${encoded(String(value))}`;
    });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
