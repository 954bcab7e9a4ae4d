/**
 * What the load's provider and receiver have seen of each job. Whatever must not happen is counted as it comes: events
 * of nobody, a second version of one, wrong content, bad signatures.
 */
import { createHash } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { LARGE_BYTES, type Mix, outputOf, type Plan, planOf } from "./plan.ts";

/** One step of the load, as all its processes know it. */
export interface Timing {
  readonly firstId: number;
  readonly count: number;
  readonly perSecond: number;
  /** Epoch ms: when the first is due. */
  readonly startAt: number;
}

/** When the job is to be registered (epoch ms). */
export const dueAt = ({ firstId, perSecond, startAt }: Timing, id: number): number =>
  startAt + ((id - firstId) * 1000) / perSecond;

export const FINDINGS = ["strange", "uncalled", "changed", "wrong", "forged", "again"] as const;

/**
 * `strange`: of no job; `uncalled`: of a job without callback; `changed`: another `webhook-id` or body than before;
 * `wrong`: not the content of the job; `forged`: the signature does not verify; `again`: after one that was accepted.
 */
export type Findings = Record<(typeof FINDINGS)[number], number>;

export interface Seen {
  polls: number;
  posts: number;
  /** Epoch ms; 0 until then: the provider's first final answer, … */
  toldAt: number;
  /** …the first POST, and the one that was accepted. */
  firstPostAt: number;
  acceptedAt: number;
  webhookId: string;
  hash: string;
}

export interface Taken {
  readonly jobs: readonly (readonly [id: number, seen: Seen])[];
  readonly findings: Findings;
}

export interface Delivery {
  readonly destination: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One of so many is verified, and what comes a second time. */
const VERIFY_EVERY = 20;

export class Ledger {
  readonly #mix: Mix;
  /** By destination. */
  readonly #verifiers: ReadonlyMap<string, Webhook>;
  readonly #timings: Timing[] = [];
  readonly #seen = new Map<number, Seen>();
  #findings = noFindings();
  #events = 0;
  verified = 0;
  accepted = 0;

  constructor(mix: Mix, secrets: Readonly<Record<string, string>>) {
    this.#mix = mix;
    this.#verifiers = new Map(Object.entries(secrets).map(([name, secret]) => [name, new Webhook(secret)]));
  }

  begin(timing: Timing): void {
    this.#timings.push(timing);
  }

  /** Epoch ms; `null` of what is no job. */
  readyAt(id: number): number | null {
    const timing = this.#timings.find(({ firstId, count }) => id >= firstId && id < firstId + count);
    return timing ? dueAt(timing, id) + planOf(id, this.#mix).workMs : null;
  }

  of(id: number): Seen {
    let seen = this.#seen.get(id);
    if (!seen) {
      seen = { polls: 0, posts: 0, toldAt: 0, firstPostAt: 0, acceptedAt: 0, webhookId: "", hash: "" };
      this.#seen.set(id, seen);
    }
    return seen;
  }

  /** Notes a POST; what is known of its job, `null` where it has none. */
  posted({ destination, headers, body }: Delivery): { readonly seen: Seen; readonly plan: Plan } | null {
    const event = parsed(body);
    const id = Number(event?.data?.metadata?.n);
    if (!event || this.readyAt(id) === null) {
      this.#findings.strange++;
      return null;
    }
    const plan = planOf(id, this.#mix);
    const seen = this.of(id);
    const webhookId = headers["webhook-id"] ?? "";
    const hash = createHash("sha256").update(body).digest("base64");
    if (seen.posts === 0) {
      seen.firstPostAt = Date.now();
      seen.webhookId = webhookId;
      seen.hash = hash;
    } else if (seen.webhookId !== webhookId || seen.hash !== hash) this.#findings.changed++;
    seen.posts++;
    if (plan.isSilent) this.#findings.uncalled++;
    if (seen.acceptedAt > 0) this.#findings.again++;
    if (plan.destination !== destination || !isRight(event, id, plan, body.length)) this.#findings.wrong++;
    if (seen.posts === 2 || this.#events++ % VERIFY_EVERY === 0) this.#verify(destination, body, headers);
    return { seen, plan };
  }

  accept(seen: Seen): void {
    if (seen.acceptedAt === 0) this.accepted++;
    seen.acceptedAt ||= Date.now();
  }

  /** Hands out what was seen of the jobs of one step, and what was found, of whatever jobs, since the last time. */
  take({ firstId, count }: Timing): Taken {
    const jobs = [...this.#seen].filter(([id]) => id >= firstId && id < firstId + count);
    const taken = { jobs, findings: this.#findings };
    this.#findings = noFindings();
    return taken;
  }

  #verify(destination: string, body: string, headers: Readonly<Record<string, string>>): void {
    try {
      this.#verifiers.get(destination)?.verify(body, { ...headers });
      this.verified++;
    } catch {
      this.#findings.forged++;
    }
  }
}

export const noFindings = (): Findings => ({
  strange: 0,
  uncalled: 0,
  changed: 0,
  wrong: 0,
  forged: 0,
  again: 0,
});

/** As far as it is looked at here. */
interface Event {
  readonly type?: string;
  readonly data?: {
    readonly request_id?: string;
    readonly output?: readonly string[] | null;
    readonly error?: { readonly reason?: string } | null;
    readonly metadata?: { readonly n?: number };
  };
}

function parsed(body: string): Event | null {
  try {
    return JSON.parse(body) as Event;
  } catch {
    return null;
  }
}

function isRight({ type, data }: Event, id: number, { isFailed, isLarge }: Plan, bytes: number): boolean {
  if (data?.request_id !== String(id)) return false;
  if (isFailed) return type === "job.failed" && data.error?.reason === "provider_error";
  return type === "job.succeeded" && data.output?.[0] === outputOf(id) && (!isLarge || bytes > LARGE_BYTES);
}
