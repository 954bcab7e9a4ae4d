/**
 * The persisted shape of a job. It is a contract with every version of this code that is deployed beside it: fields are
 * only ever added. Pure.
 */
import type { Part } from "../json.ts";
import type { Turn } from "../limiter/pace.ts";
import type { FailureReason } from "../provider/response.ts";
import type { DestinationCopy } from "../webhook/destination.ts";
import type { EventFormat } from "../webhook/event.ts";
import type { Learned } from "./learned.ts";
import type { Hint } from "./schedule.ts";

export type Outcome = "succeeded" | "failed" | "expired" | "canceled";
export type DeliveryFailure = "gone" | "exhausted" | "canceled" | "target_refused" | "destination_missing";

/** Why a delivery that is due does not go out yet. None of these spends an attempt. */
export type ParkReason = "paused" | "breaker_open" | "max_in_flight" | "max_per_second";

export interface JobError {
  readonly reason: FailureReason;
  readonly message: string;
}

export interface TimelineEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly type:
    | "registered"
    | "poll"
    | "attempt"
    | "callback_set"
    | "redeliver"
    | "cancel"
    | "crash"
    | "hint"
    /** Ready to be delivered, but others, or somebody's pause, come first. */
    | "parked"
    | "postponed"
    /** Ready to poll, while the provider limits its key. */
    | "held";
  readonly result?: string;
  readonly reason?: string;
  readonly httpStatus?: number | null;
  readonly durationMs?: number;
  readonly response?: string;
}

/** How the request ended, and what is sent about it. */
export interface Ending {
  readonly outcome: "succeeded" | "failed" | "expired";
  readonly finishedAt: number;
  readonly error: JobError | null;
  /** The event's body; spans refer to the stored answer. */
  readonly event: readonly Part[];
}

export interface Waiting {
  readonly status: "waiting";
  readonly nextPollAt: number;
  /** `null`: the server's own key is used. */
  readonly sealedKey: string | null;
  /** Transient answers in a row. */
  readonly transients: number;
  /** `success` answers without output, in all. */
  readonly empties: number;
  /** "Request not found" answers, in all. */
  readonly notFounds: number;
  /** While the provider limits the key. */
  readonly turn?: Turn;
  /** What was known of the endpoint's jobs when this one was registered. */
  readonly learned?: Learned;
  /** A later eta than the registration's. */
  readonly hint?: Hint;
}

export interface Delivering {
  readonly status: "delivering";
  readonly ending: Ending;
  /** When this run of the schedule began: at the outcome, or at a redelivery. */
  readonly runStartedAt: number;
  readonly runAttempts: number;
  readonly nextAttemptAt: number;
  /** Set while the delivery has to wait for others, or for somebody to let it go. */
  readonly parked?: Parked;
}

export interface Parked {
  readonly reason: ParkReason;
  /** Epoch ms. */
  readonly since: number;
  /** Under which host the tenant's object keeps it. */
  readonly host: string;
  /** It has been called: it may go before those who come now. */
  readonly called: boolean;
}

export interface Delivered {
  readonly status: "delivered";
  readonly ending: Ending;
  readonly deliveredAt: number;
  readonly expiresAt: number;
}

export interface Undelivered {
  readonly status: "undelivered";
  readonly ending: Ending;
  readonly deliveryError: { readonly reason: DeliveryFailure; readonly message: string };
  readonly expiresAt: number;
}

/** Over, with nobody to call. */
export interface Finished {
  readonly status: "finished";
  readonly ending: Ending;
  readonly expiresAt: number;
}

export interface Canceled {
  readonly status: "canceled";
  readonly finishedAt: number;
  readonly expiresAt: number;
}

export type State = Waiting | Delivering | Delivered | Undelivered | Finished | Canceled;

/** The provider's last answer, without white space around it. */
export interface StoredAnswer {
  /** Bytes. */
  readonly size: number;
  /** `null` when the answer stands in chunks. */
  readonly bytes: Uint8Array | null;
  /** Rows of its own that the job's answers have in storage, those of a replaced answer included. */
  readonly chunks: number;
}

export interface NamedDestination {
  readonly name: string;
  /** As it was last read, for when its tenant's object cannot be reached; `null` before the first time. */
  readonly copy: DestinationCopy | null;
}

/** What a registration says of its job. */
export interface JobFacts {
  /** The generation call that the job was registered from: an id that another one brings is another request. */
  readonly generation?: string;
  /** Names of top-level metadata by which lists can be filtered; none in records from before there were lists. */
  readonly index?: readonly string[];
  readonly id: string;
  readonly tenant: string;
  /** Who registered it with a bounded token; nobody else with one may see it. */
  readonly owner?: string | undefined;
  readonly endpoint: string;
  readonly requestId: string;
  /** `null`: the configuration's default provider origin, whichever it is when a poll is due. */
  readonly origin: string | null;
  /** Under which host the registration reached Pollhook; never a callback target. */
  readonly host: string;
  readonly callbackUrl: string | null;
  /** In place of a callback URL. */
  readonly destination?: NamedDestination | null;
  readonly format: EventFormat;
  /** The format is the destination's, and that has not been read yet. */
  readonly formatPending?: boolean;
  /** JSON text of an object, as it came. */
  readonly metadata: string;
  readonly etaSeconds: number | null;
}

export interface Job<S extends State = State> extends JobFacts {
  readonly version: 1;
  readonly registeredAt: number;
  readonly deadlineAt: number;
  /** `msg_…`: new for each start of a job, and so also what tells two starts apart. */
  readonly eventId: string;
  readonly polls: number;
  /** POSTs of the event, in all runs. */
  readonly attempts: number;
  /** Runs of the delivery schedule; tells an attempt in flight whether it still speaks for the job. */
  readonly runs: number;
  /** Alarm runs in a row that did not end. */
  readonly crashes: number;
  /** A run that began under the watchdog has not ended. */
  readonly guarded: boolean;
  /** Nothing is due before this (epoch ms): a run has ended in an exception. */
  readonly heldUntil: number;
  /** Counts the changes that were stored; from 0 where it is missing. */
  readonly revision?: number;
  /** When those were registered that this job was started in place of: the index may still have one of them. */
  readonly supersedes?: readonly number[];
  /** The tenant's index may not know the present state. */
  readonly outbox?: boolean;
  readonly answer: StoredAnswer | null;
  readonly timeline: readonly TimelineEntry[];
  readonly state: S;
}

/** Whether anybody is to be told of the end. */
export const hasCallback = ({ callbackUrl, destination }: JobFacts): boolean =>
  callbackUrl !== null || destination != null;

/** The newest entries are kept; of older ones, attempts rather than polls and what holds those up, and always the first. */
export const MAX_TIMELINE_ENTRIES = 64;

/** The timeline with one more entry, bounded. */
export function withEntry(timeline: readonly TimelineEntry[], entry: TimelineEntry): TimelineEntry[] {
  const entries = [...timeline, entry];
  if (entries.length <= MAX_TIMELINE_ENTRIES) return entries;
  const oldestPoll = entries.findIndex(({ type }) => type === "poll" || type === "held");
  entries.splice(oldestPoll > 0 && oldestPoll < entries.length - 1 ? oldestPoll : 1, 1);
  return entries;
}

/** One kind of state, by its word. */
export type In<Status extends State["status"]> = Job<Extract<State, { status: Status }>>;

export const isIn = <Status extends State["status"]>(job: Job, status: Status): job is In<Status> =>
  job.state.status === status;

/** The job with one more entry in its timeline. */
export const noted = <J extends Job>(job: J, entry: TimelineEntry): J => ({
  ...job,
  timeline: withEntry(job.timeline, entry),
});

/** Whether nothing is left to do but to forget the job. */
export const isOver = ({ status }: State): boolean => status !== "waiting" && status !== "delivering";
