/**
 * What a simulation in virtual time is made of: an agenda, numbers that are random and yet the same in every run, and
 * providers' limits.
 */

/** Whether the provider answers a poll that reaches it at this time (ms). */
export type Gate = (now: number) => boolean;

/** A limit that counts the polls of each second, or other period, by the clock. */
export function fixedWindow(most: number, windowMs = 1_000): Gate {
  let window = -1;
  let count = 0;
  return (now) => {
    const current = Math.floor(now / windowMs);
    if (current !== window) count = 0;
    window = current;
    return ++count <= most;
  };
}

export function tokenBucket(perSecond: number, capacity: number): Gate {
  let tokens = capacity;
  let at = 0;
  return (now) => {
    tokens = Math.min(capacity, tokens + ((now - at) * perSecond) / 1_000);
    at = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

/** mulberry32: the same numbers in every run. */
export function randomFrom(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is to happen, the earliest first. */
export class Agenda {
  readonly #heap: { at: number; act: () => void }[] = [];

  add(at: number, act: () => void): void {
    const heap = this.#heap;
    let i = heap.push({ at, act }) - 1;
    for (let up = (i - 1) >> 1; i > 0 && (heap[up]?.at ?? 0) > at; up = (i - 1) >> 1) {
      this.#swap(i, up);
      i = up;
    }
  }

  next(): { at: number; act: () => void } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const down of [2 * i + 1, 2 * i + 2])
        if ((heap[down]?.at ?? Number.POSITIVE_INFINITY) < (heap[least]?.at ?? 0)) least = down;
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    if (x && y) [this.#heap[a], this.#heap[b]] = [y, x];
  }
}
