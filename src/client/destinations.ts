/**
 * The routes of destinations, apart from the client, so that an app that has no use for them does not bundle them.
 */
import { type Check, isDestination, isPageOf, isSecret, isTestResult } from "./answers.ts";
import { jsonOf } from "./arguments.ts";
import type { PollhookClient } from "./client.ts";
import type {
  Destination,
  DestinationInput,
  DestinationPage,
  RotatedSecret,
  SavedDestination,
  TestResult,
} from "./destination-types.ts";
import { PollhookError } from "./error.ts";
import type { Repetition } from "./retry.ts";
import { type CallOptions, path, query, type Transport } from "./transport.ts";

export interface RotateOptions extends CallOptions {
  readonly overlapSeconds?: number | undefined;
  /** `whsec_` and the base64 of 24 to 64 bytes. */
  readonly secret?: string | undefined;
}

/**
 * @example
 * const destinations = new Destinations(pollhook);
 * const { secret } = await destinations.put("app", { url: "https://your-app.example.com/hooks/pollhook" });
 */
export class Destinations {
  readonly #transport: Transport;

  constructor({ transport }: PollhookClient) {
    this.#transport = transport;
  }

  /** All of them, by name. */
  async *list({ signal }: CallOptions = {}): AsyncGenerator<Destination, void, undefined> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const at = `/v1/destinations${query({ cursor })}`;
      const page: DestinationPage = await this.#transport.call({
        method: "GET",
        path: at,
        repetition: "safe",
        answer: isPageOf("destinations"),
        signal,
      });
      yield* page.destinations;
      cursor = page.next_cursor;
    }
  }

  async get(name: string, { signal }: CallOptions = {}): Promise<Destination> {
    return this.#transport.call({
      method: "GET",
      path: path`/v1/destinations/${name}`,
      repetition: "safe",
      answer: isDestination,
      signal,
    });
  }

  /**
   * Creates or replaces it. Without a `secret` of yours a new destination's is shown in this answer only, so the call is
   * repeated after a lost one only where you bring yours.
   */
  async put(name: string, input: DestinationInput, { signal }: CallOptions = {}): Promise<SavedDestination> {
    const body = jsonOf(input);
    const repetition: Repetition = input.secret == null ? "once" : "safe";
    return this.#transport.call({
      method: "PUT",
      path: path`/v1/destinations/${name}`,
      body,
      repetition,
      answer: isDestination,
      signal,
    });
  }

  /** Sends it a ping. */
  async test(name: string, options: CallOptions = {}): Promise<TestResult> {
    return this.#post(path`/v1/destinations/${name}/test`, {}, "once", isTestResult, options);
  }

  /**
   * A new secret, or the one that is given; the one before signs, too, for so many seconds (a day unless given). Repeated
   * after a lost answer only where the secret is yours: another is shown once.
   */
  async rotateSecret(
    name: string,
    { overlapSeconds, secret, ...options }: RotateOptions = {},
  ): Promise<RotatedSecret> {
    const body = {
      ...(overlapSeconds !== undefined && { overlap_seconds: overlapSeconds }),
      ...(secret !== undefined && { secret }),
    };
    const repetition: Repetition = secret === undefined ? "once" : "safe";
    return this.#post(path`/v1/destinations/${name}/rotate-secret`, body, repetition, isSecret, options);
  }

  /** Holds its deliveries back until `resume`. */
  async pause(name: string, options: CallOptions = {}): Promise<Destination> {
    return this.#post(path`/v1/destinations/${name}/pause`, {}, "safe", isDestination, options);
  }

  async resume(name: string, options: CallOptions = {}): Promise<Destination> {
    return this.#post(path`/v1/destinations/${name}/resume`, {}, "safe", isDestination, options);
  }

  async delete(name: string, { signal }: CallOptions = {}): Promise<void> {
    try {
      await this.#transport.call({
        method: "DELETE",
        path: path`/v1/destinations/${name}`,
        repetition: "safe",
        answer: null,
        signal,
      });
    } catch (error) {
      // A first try whose answer was lost has deleted it.
      if (!(error instanceof PollhookError) || error.code !== "not_found" || error.tries === 1) throw error;
    }
  }

  #post<T>(
    at: string,
    body: object,
    repetition: Repetition,
    answer: Check,
    { signal }: CallOptions,
  ): Promise<T> {
    return this.#transport.call({
      method: "POST",
      path: at,
      body: jsonOf(body),
      repetition,
      answer,
      signal,
    });
  }
}
