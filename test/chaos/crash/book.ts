/**
 * What the receivers got, by event: how often, whether always the same bytes under a signature that holds, and whether it
 * was ever accepted. Holds no bodies: it is there for as long as thousands of jobs take.
 */
import type { Delivery } from "../../simulator/receiver.ts";

export interface Arrivals {
  /** Of the first arrival's body. */
  readonly sha256: string;
  /** The path it first came to, and the job that its body names. */
  readonly path: string;
  readonly jobId: string | null;
  count: number;
  /** Answered with a 2xx. */
  accepted: number;
}

/** So much of a body is looked at for its job's id, which stands in front. */
const HEAD_CHARS = 400;
/** Faults that are told one by one; of more, only how many there are. */
const MOST_TOLD = 20;

export class Book {
  readonly #events = new Map<string, Arrivals>();
  readonly #faults: string[] = [];
  readonly #isVerified: (delivery: Delivery) => boolean;
  #faultCount = 0;
  /** POSTs whose body was not read to its end: their sender was killed meanwhile. */
  cutOff = 0;
  /** Bodies that were another than the first of the same event. */
  different = 0;

  /** `isVerified`: by what the receiver found, unless told otherwise. */
  constructor(isVerified: (delivery: Delivery) => boolean = ({ verified }) => verified) {
    this.#isVerified = isVerified;
  }

  readonly note = (delivery: Delivery): void => {
    if (delivery.verifyError?.startsWith("no body was read")) {
      this.cutOff++;
      return;
    }
    const id = delivery.headers["webhook-id"] ?? "";
    if (!this.#isVerified(delivery)) this.#fault(`${id} came under a signature that does not hold`);
    const known = this.#events.get(id) ?? {
      sha256: delivery.bodySha256,
      path: delivery.path,
      jobId: /"job_id":"(\w+)"/.exec(delivery.body.slice(0, HEAD_CHARS))?.[1] ?? null,
      count: 0,
      accepted: 0,
    };
    this.#events.set(id, known);
    if (known.sha256 !== delivery.bodySha256) {
      this.different++;
      this.#fault(`${id} came in two versions`);
    }
    known.count++;
    if (delivery.status !== null && delivery.status >= 200 && delivery.status < 300) known.accepted++;
  };

  of(eventId: string): Arrivals | null {
    return this.#events.get(eventId) ?? null;
  }

  isAccepted(eventId: string): boolean {
    return (this.#events.get(eventId)?.accepted ?? 0) > 0;
  }

  ids(): string[] {
    return [...this.#events.keys()];
  }

  /** POSTs in all, and how many of those were of an event that had come before. */
  totals(): { posts: number; repeated: number } {
    const posts = [...this.#events.values()].reduce((sum, { count }) => sum + count, 0);
    return { posts, repeated: posts - this.#events.size };
  }

  faults(): string[] {
    const more = this.#faultCount - this.#faults.length;
    return more > 0 ? [...this.#faults, `${more} more faults of deliveries`] : this.#faults;
  }

  #fault(text: string): void {
    this.#faultCount++;
    if (this.#faults.length < MOST_TOLD) this.#faults.push(text);
  }
}
