/**
 * How many requests a server holds at one time, by path and in all. A request is in flight from its arrival until its
 * answer has gone out or its connection has ended.
 */
export interface InFlight {
  now: number;
  /** The most at one time, since the start or the last reset. */
  max: number;
}

export class InFlightCount {
  readonly #all: InFlight = { now: 0, max: 0 };
  readonly #byPath = new Map<string, InFlight>();

  /** Counts one in; the result counts it out, once, however often it is called. */
  enter(path: string): () => void {
    const ofPath = this.#byPath.get(path) ?? { now: 0, max: 0 };
    this.#byPath.set(path, ofPath);
    const counted = [this.#all, ofPath];
    for (const count of counted) {
      count.now += 1;
      count.max = Math.max(count.max, count.now);
    }
    return () => {
      for (const count of counted.splice(0)) count.now -= 1;
    };
  }

  /** Of one path, or of all. */
  of(path?: string): InFlight {
    return { ...(path === undefined ? this.#all : (this.#byPath.get(path) ?? { now: 0, max: 0 })) };
  }

  /** Begins the most anew with those that are in flight now. */
  reset(): void {
    for (const count of [this.#all, ...this.#byPath.values()]) count.max = count.now;
  }
}
