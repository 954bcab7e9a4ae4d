/**
 * How many fetch calls the provider answers for each key: so many in each second of the clock, refused with HTTP 429
 * over it. Holds no clock: `now` (epoch ms) is an argument.
 */
import * as check from "./checks.ts";

/** A limit as `limit()` and `PUT /_sim/limits` take it. */
export interface KeyLimit {
  key: string;
  /** `null` lifts it; 0 refuses every call. */
  perSecond: number | null;
  /** What a refusal asks for, as `retry_after` in its body and as `Retry-After`; without, it says neither. */
  retryAfterSeconds?: number;
}

/** A limit with what has become of the calls, as `limits()` and `GET /_sim/limits` show it. */
export interface ShownLimit extends KeyLimit {
  perSecond: number;
  served: number;
  refused: number;
}

interface Counted {
  shown: ShownLimit;
  /** The second that `used` counts in. */
  window: number;
  used: number;
}

const WINDOW_MS = 1000;

export const limitCheck = check.object({
  key: check.text,
  perSecond: check.either("an integer, 0 or more, or null", check.integer(0), check.nothing),
  retryAfterSeconds: check.optional(check.integer(0)),
});

export class RateLimits {
  readonly #byKey = new Map<string, Counted>();

  /** Replaces the key's limit, and counts anew. */
  set({ perSecond, ...limit }: KeyLimit): void {
    if (perSecond === null) this.#byKey.delete(limit.key);
    else
      this.#byKey.set(limit.key, {
        shown: { ...limit, perSecond, served: 0, refused: 0 },
        window: 0,
        used: 0,
      });
  }

  /** Counts a call. `null` when it may be served, else the limit that it is over. */
  exceeded(key: string, now: number): KeyLimit | null {
    const counted = this.#byKey.get(key);
    if (counted === undefined) return null;
    const { shown } = counted;
    const window = Math.floor(now / WINDOW_MS);
    if (window !== counted.window) Object.assign(counted, { window, used: 0 });
    if (counted.used >= shown.perSecond) {
      shown.refused += 1;
      return shown;
    }
    counted.used += 1;
    shown.served += 1;
    return null;
  }

  list(): ShownLimit[] {
    return [...this.#byKey.values()].map(({ shown }) => ({ ...shown }));
  }

  clear(): void {
    this.#byKey.clear();
  }
}
