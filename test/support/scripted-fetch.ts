/**
 * A scripted `fetch` for the Worker and its objects: answers what the test queued per URL, records every request
 * as it left, and throws on one that nobody expected.
 */
import { type MockInstance, vi } from "vitest";

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly bytes: Uint8Array;
}

/** Answers one request; a thrown error is a network error. */
export type Script = (sent: Sent, signal: AbortSignal | null) => Response | Promise<Response>;

export class ScriptedFetch {
  readonly sent: Sent[] = [];
  readonly unexpected: string[] = [];
  readonly #scripts = new Map<string, Script[]>();
  readonly #defaults = new Map<string, Script>();
  readonly #spy: MockInstance;

  constructor() {
    this.#spy = vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => this.#answer(input, init));
  }

  /** The next requests to `url` get these answers, one each, in order. */
  on(url: string, ...scripts: readonly Script[]): this {
    const queue = this.#scripts.get(url) ?? [];
    queue.push(...scripts);
    this.#scripts.set(url, queue);
    return this;
  }

  /** Every further request to `url` gets this answer. */
  always(url: string, script: Script): this {
    this.#defaults.set(url, script);
    return this;
  }

  to(url: string): Sent[] {
    return this.sent.filter((sent) => sent.url === url);
  }

  restore(): void {
    this.#spy.mockRestore();
  }

  async #answer(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, { ...init, signal: null });
    const bytes = new Uint8Array(await request.arrayBuffer());
    const sent: Sent = {
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: new TextDecoder().decode(bytes),
      bytes,
    };
    this.sent.push(sent);
    const script = this.#scripts.get(request.url)?.shift() ?? this.#defaults.get(request.url);
    if (script) return script(sent, init?.signal ?? null);
    this.unexpected.push(`${request.method} ${request.url}`);
    throw new Error(`unexpected request: ${request.method} ${request.url}`);
  }
}

/** Answers are made when they are asked for: a body belongs to the object that reads it. */
export const json =
  (body: unknown, init: ResponseInit = {}): Script =>
  () =>
    new Response(typeof body === "string" ? body : JSON.stringify(body), {
      headers: { "content-type": "application/json" },
      ...init,
    });

/** An answer without a body. */
export const status =
  (code: number, headers: Record<string, string> = {}): Script =>
  () =>
    new Response(null, { status: code, headers });

export const networkError: Script = () => {
  throw new Error("Network connection lost.");
};

/** Never answers, until it is aborted. */
export const hang: Script = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
