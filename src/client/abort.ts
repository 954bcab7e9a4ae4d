/**
 * Waits and limits that a caller's signal ends. Only what React Native has, too: no `AbortSignal.any`, no
 * `AbortSignal.timeout`, no `throwIfAborted`.
 */

/** What timers count to: they take more for nothing, and are over at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits `ms`; rejects with the reason of `signal` as soon as that is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal | undefined) => Promise<void>;

export const sleep: Sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal));
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      if (signal?.aborted) reject(reasonOf(signal));
      else resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
    signal?.addEventListener("abort", done);
  });

/** What an aborted call rejects with: the signal's reason, as `fetch` does. */
export function reasonOf(signal: AbortSignal): unknown {
  if (signal.reason !== undefined) return signal.reason;
  return Object.assign(new Error("The call was aborted."), { name: "AbortError" });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw reasonOf(signal);
}

/** A signal that the caller's own aborts, and a time limit that begins anew, or with another, at each `restart`. */
export class Limit {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #limitMs: number;
  readonly #follow = () => this.#controller.abort(this.#caller && reasonOf(this.#caller));
  #timer: ReturnType<typeof setTimeout> | undefined;
  isOver = false;

  constructor(limitMs: number, caller: AbortSignal | undefined) {
    this.#limitMs = limitMs;
    this.#caller = caller;
    if (caller?.aborted) this.#follow();
    caller?.addEventListener("abort", this.#follow);
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(limitMs = this.#limitMs): void {
    this.#stop();
    this.#timer = setTimeout(
      () => {
        this.isOver = true;
        this.#controller.abort();
      },
      Math.min(limitMs, LONGEST_TIMER_MS),
    );
  }

  /** `work`, or a rejection as soon as this is over: not everything that is given its signal ends by it. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const stop = () => reject(reasonOf(this.signal));
      const settle = (settled: () => void) => {
        this.signal.removeEventListener("abort", stop);
        settled();
      };
      this.signal.addEventListener("abort", stop);
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
      if (this.signal.aborted) stop();
    });
  }

  /** Ends whatever goes on under it, and lets go of the timer and of the caller's signal. */
  end(): void {
    this.#stop();
    this.#caller?.removeEventListener("abort", this.#follow);
    this.#controller.abort();
  }

  #stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }
}
