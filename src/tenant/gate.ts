/**
 * Which deliveries of a tenant are under way to one host. In memory only: should the object be lost, at most one more
 * set of them goes out.
 */

/** An attempt has ended after this, whether its end was reported or not: the asking, 15 s and 1 s of it, and some more. */
export const LEASE_MS = 20_000;

/** Who asks for a place. */
export interface Guest {
  readonly jobId: string;
  /** `null`: a plain callback URL. */
  readonly destination: string | null;
  /** What the destination allows. */
  readonly most: number;
  /** It was parked, and is called: it comes before those who are parked still. */
  readonly isCalled: boolean;
}

interface Lease extends Guest {
  /** When the place is free at the latest (epoch ms). */
  readonly until: number;
}

interface Waiter extends Guest {
  readonly settle: (granted: boolean) => void;
}

export class Gate {
  readonly #leases = new Map<string, Lease>();
  #waiters: Waiter[] = [];

  inFlight(now: number): number {
    for (const [jobId, { until }] of this.#leases) if (until <= now) this.#leases.delete(jobId);
    return this.#leases.size;
  }

  /**
   * Free places for one more of this destination. Where several share the host, each keeps to its own number, and all
   * together to the greatest of them.
   */
  free({ destination, most }: Pick<Guest, "destination" | "most">, now: number): number {
    const inFlight = this.inFlight(now);
    const leases = [...this.#leases.values()];
    const own = leases.filter((lease) => lease.destination === destination).length;
    const total = Math.max(most, ...leases.map((lease) => lease.most));
    return Math.max(0, Math.min(most - own, total - inFlight));
  }

  /** When a place is free again, if nobody reports before. */
  nextLeaseEnd(): number | null {
    return this.#leases.size === 0 ? null : Math.min(...[...this.#leases.values()].map(({ until }) => until));
  }

  /** Takes a place whatever the limit says. */
  take(guest: Guest, now: number): void {
    this.#leases.set(guest.jobId, { ...guest, until: now + LEASE_MS });
  }

  /**
   * Takes a place if one is free, and else waits up to `ms` for one, in the order of asking; who was called does not wait
   * behind those who were not.
   */
  async enter(guest: Guest, now: number, ms: number): Promise<boolean> {
    // A place may have become free without that anybody has said so.
    this.#grant(now, ({ isCalled }) => isCalled);
    const isBehind = this.#waiters.some(
      ({ destination, isCalled }) => destination === guest.destination && (isCalled || !guest.isCalled),
    );
    if (!isBehind && this.free(guest, now) > 0) {
      this.take(guest, now);
      return true;
    }
    if (ms <= 0) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiter.settle(false), ms);
      const waiter: Waiter = {
        ...guest,
        settle: (granted) => {
          clearTimeout(timer);
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          resolve(granted);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  /** The job's place is free; who waits for one gets it, unless somebody else comes first. */
  leave(jobId: string, now: number, mayGo: (guest: Guest) => boolean = () => true): void {
    this.#leases.delete(jobId);
    this.#grant(now, mayGo);
  }

  #grant(now: number, mayGo: (guest: Guest) => boolean): void {
    for (const waiter of [...this.#waiters]) {
      if (this.free(waiter, now) === 0 || !mayGo(waiter)) continue;
      this.take(waiter, now);
      waiter.settle(true);
    }
  }

  /** Whether nothing is lost with it. */
  isIdle(now: number): boolean {
    return this.inFlight(now) === 0 && this.#waiters.length === 0;
  }
}
