/**
 * Callers that hold a request open until a job changes (`?wait=`). In memory only: when the object is lost, so is
 * the connection that waited on it, and its caller asks again.
 */

/** A waiter keeps the object resident and billed; more than this many get the present state at once. */
export const MAX_WAITERS = 32;

export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  isFull(id: string): boolean {
    return (this.#waiting.get(id)?.size ?? 0) >= MAX_WAITERS;
  }

  /** How many wait, for whatever. */
  count(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Resolves when the job changes or after `ms`; at once when too many wait already. */
  wait(id: string, ms: number): Promise<void> {
    const waiting = this.#waiting.get(id) ?? new Set();
    if (ms <= 0 || this.isFull(id)) return Promise.resolve();
    this.#waiting.set(id, waiting);
    return new Promise((resolve) => {
      const done = () => {
        // Let go already: by now the id may stand for others who wait.
        if (!waiting.delete(done)) return;
        clearTimeout(timer);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiting.add(done);
    });
  }

  /** Lets all go who wait for this job, `gapMs` after each other. */
  wake(id: string, gapMs = 0): void {
    for (const [index, done] of [...(this.#waiting.get(id) ?? [])].entries()) {
      if (gapMs === 0 || index === 0) done();
      else setTimeout(done, index * gapMs);
    }
  }
}
