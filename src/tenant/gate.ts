/**
 * How many deliveries of a tenant are under way to one host, and how fast they follow each other. In memory only:
 * should the object be lost, at most one more set of them goes out.
 */

/** An attempt has ended after this, whether its end was reported or not. */
export const LEASE_MS = 20_000;

interface Waiter {
  readonly jobId: string;
  readonly most: number;
  readonly settle: (granted: boolean) => void;
}

export class Gate {
  /** When the places of these jobs are free at the latest (epoch ms). */
  readonly #leases = new Map<string, number>();
  #waiters: Waiter[] = [];
  /** When the next delivery may go out, where there is a rate. */
  #nextAt: number;

  constructor(nextAt = 0) {
    this.#nextAt = nextAt;
  }

  inFlight(now: number): number {
    for (const [jobId, until] of this.#leases) if (until <= now) this.#leases.delete(jobId);
    return this.#leases.size;
  }

  /** Places that are free and that nobody waits for. */
  free(most: number, now: number): number {
    return Math.max(0, most - this.inFlight(now) - this.#waiters.length);
  }

  /** When a place is free again, if nobody reports before. */
  nextLeaseEnd(): number | null {
    return this.#leases.size === 0 ? null : Math.min(...this.#leases.values());
  }

  /** Takes a place whatever the limit says. */
  take(jobId: string, now: number): void {
    this.#leases.set(jobId, now + LEASE_MS);
  }

  /** Takes a place if one is free, and else waits up to `ms` for one, in the order of asking. */
  async enter(jobId: string, most: number, now: number, ms: number): Promise<boolean> {
    if (this.free(most, now) > 0) {
      this.take(jobId, now);
      return true;
    }
    if (ms <= 0) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiter.settle(false), ms);
      const waiter: Waiter = {
        jobId,
        most,
        settle: (granted) => {
          clearTimeout(timer);
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          resolve(granted);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  /** The job's place is free; who waits for one gets it. */
  leave(jobId: string, now: number): void {
    this.#leases.delete(jobId);
    for (let next = this.#waiters[0]; next && this.inFlight(now) < next.most; next = this.#waiters[0]) {
      this.take(next.jobId, now);
      next.settle(true);
    }
  }

  /** The moment from which a delivery may go out at `perSecond`; it is taken. */
  slot(perSecond: number, now: number): number {
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + 1_000 / perSecond;
    return at;
  }

  /** Whether nothing is lost with it. */
  isIdle(now: number): boolean {
    return this.inFlight(now) === 0 && this.#waiters.length === 0 && this.#nextAt <= now;
  }
}
