/**
 * The token of a client: given once, or fetched when it is needed and again when the server does not take it any more.
 */
import { isSendable } from "./arguments.ts";
import { PollhookError } from "./error.ts";

/** A token, or how to come by one: called before the first call, and again after a 401. */
export type TokenSource = string | (() => string | Promise<string>);

export class TokenKeeper {
  readonly #source: TokenSource;
  /** Calls at the same time share one fetch. */
  #current: Promise<string> | null = null;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  async get(): Promise<string> {
    const source = this.#source;
    if (typeof source === "string") return source;
    this.#current ??= Promise.resolve().then(source);
    const current = this.#current;
    try {
      const token = await current;
      if (isSendable(token)) return token;
    } catch (cause) {
      throw this.#unavailable(current, "The function that was given for the token has failed.", cause);
    }
    throw this.#unavailable(current, "The function that was given for the token gave none.");
  }

  #unavailable(current: Promise<string>, detail: string, cause?: unknown): PollhookError {
    if (this.#current === current) this.#current = null;
    return new PollhookError({ code: "token_unavailable", detail, cause });
  }

  /** Of a fetch that does not end, so that the next call has one of its own. */
  forget(): void {
    this.#current = null;
  }

  /** Whether there may be another than `refused`; drops that one, unless somebody has already. */
  async drop(refused: string): Promise<boolean> {
    if (typeof this.#source === "string") return false;
    const current = this.#current;
    if (current && (await current.catch(() => null)) === refused && this.#current === current)
      this.#current = null;
    return true;
  }
}
