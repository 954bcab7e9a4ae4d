/**
 * What goes over the wire, as the server reads and writes it. Written out, so that the built package names no other one;
 * test/client/wire.test.ts holds every type against the schema or the view that the server has, and does not compile
 * when they differ. Metadata and results are parsed JSON: of a number past 2^53 only the nearest double is left, while
 * Pollhook itself keeps it to the digit. Send such numbers as strings.
 */

export type JobStatus = "waiting" | "delivering" | "delivered" | "undelivered" | "finished" | "canceled";
export type Outcome = "succeeded" | "failed" | "expired" | "canceled";
export type EventFormat = "standard" | "provider";
export type JsonObject = Readonly<Record<string, unknown>>;

type Maybe<T> = T | null | undefined;

/** Whom to call: a URL, or the name of a destination; not both. */
export interface Callback {
  readonly callback_url?: Maybe<string>;
  readonly destination?: Maybe<string>;
}

/** What may be said beside naming the request. */
export interface RegistrationExtras extends Callback {
  /** The provider's path in front of `/fetch`: `v3`, `v6/video` … */
  readonly endpoint?: Maybe<string>;
  /** Seconds until it is ready, as the provider says, 0 to 86400. */
  readonly eta?: Maybe<number>;
  /** The provider key; without one, the server's own is used. */
  readonly key?: Maybe<string>;
  /** 30 to 86400; 3600 unless given. */
  readonly deadline_seconds?: Maybe<number>;
  readonly format?: Maybe<EventFormat>;
  /** Handed back in the event; up to 4 KiB of JSON. */
  readonly metadata?: Maybe<JsonObject>;
  /** Up to three names of top-level metadata that lists can be filtered by. */
  readonly index?: Maybe<readonly string[]>;
}

/** Names the request by `request_id`, `fetch_url` or `response`. */
export interface Registration extends RegistrationExtras {
  readonly request_id?: Maybe<string | number>;
  readonly fetch_url?: Maybe<string>;
  readonly response?: Maybe<JsonObject>;
}

export interface JobError {
  readonly reason:
    | "output_too_large"
    | "unauthorized"
    | "payment_required"
    | "empty_output"
    | "not_found"
    | "provider_error"
    | "key_unreadable"
    | "internal_error";
  readonly message: string;
}

/** A job as lists show it. Times are ISO 8601, in UTC. */
export interface ListedJob {
  readonly id: string;
  readonly status: JobStatus;
  readonly outcome: Outcome | null;
  readonly endpoint: string;
  readonly request_id: string;
  readonly callback_url: string | null;
  readonly destination: string | null;
  readonly format: string;
  readonly metadata: JsonObject;
  /** Seconds. */
  readonly eta: number | null;
  readonly registered_at: string;
  readonly deadline_at: string;
  readonly finished_at: string | null;
  readonly delivered_at: string | null;
  readonly expires_at: string | null;
  readonly next_poll_at: string | null;
  readonly next_attempt_at: string | null;
  /** Why the delivery does not go out yet. */
  readonly parked: "paused" | "breaker_open" | "max_in_flight" | "max_per_second" | null;
  readonly polls: number;
  readonly attempts: number;
  readonly error: JobError | null;
  readonly delivery_error: { readonly reason: string; readonly message: string } | null;
  readonly event_id: string;
}

export interface TimelineEntry {
  readonly at: string;
  /** `registered`, `poll`, `attempt`, … */
  readonly type: string;
  readonly result?: string;
  readonly reason?: string;
  readonly http_status?: number | null;
  readonly duration_ms?: number;
  readonly response?: string;
}

/** A job as every route of one job shows it. */
export interface Job extends ListedJob {
  /** The provider's last answer. */
  readonly result: JsonObject | null;
  readonly timeline: readonly TimelineEntry[];
}

export interface JobPage {
  readonly jobs: readonly ListedJob[];
  readonly next_cursor: string | null;
}

/** The conditions of a list; a job must meet all of them. */
export interface JobFilter {
  readonly status?: JobStatus | undefined;
  readonly outcome?: Outcome | undefined;
  readonly endpoint?: string | undefined;
  readonly request_id?: string | number | undefined;
  readonly destination?: string | undefined;
  /** Of the callback, with a port that is not the default. */
  readonly host?: string | undefined;
  /** ISO 8601 with a zone. */
  readonly created_after?: string | undefined;
  readonly created_before?: string | undefined;
}

export interface ListQuery extends JobFilter {
  /** Values of up to three names that the registration had in `index`. */
  readonly metadata?: Readonly<Record<string, string | number>> | undefined;
  /** Jobs in a page, 1 to 200; 50 unless given. */
  readonly limit?: number | undefined;
  /** `next_cursor` of a page: begin behind it. */
  readonly cursor?: string | undefined;
}

/** What a short-lived token may do; never more than the token that mints it. */
export interface TokenRequest {
  /** Separated by spaces: `jobs:read jobs:write`. */
  readonly scope: string;
  /** Seconds, 60 to 30 days. */
  readonly expires_in: number;
  readonly destination?: string;
  readonly callback_origins?: readonly string[];
  readonly endpoints?: readonly string[];
  readonly request_id?: string | number;
  readonly any_request?: boolean;
  readonly max_deadline_seconds?: number;
  /** Who keeps seeing the jobs when the token is minted anew. */
  readonly owner?: string;
}

export interface MintedToken {
  readonly token: string;
  readonly expires_at: string;
}

export interface FeedQuery {
  /** The cursor of an event or of a page, or `latest`: from now on. From the oldest event that is kept unless given. */
  readonly after?: string | undefined;
  /** Seconds, up to 60, that the server holds the answer until there is an event. */
  readonly wait?: number | undefined;
  /** Events in a page, 1 to 100; 20 unless given. */
  readonly limit?: number | undefined;
}

/** What a callback would have got, and its place in the feed. `verifyWebhook` takes it as it is. */
export interface FeedEvent {
  readonly cursor: string;
  readonly job_id: string;
  /** The same however often the event comes: use it to drop duplicates. */
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  /** To the byte. */
  readonly body: string;
}

export interface FeedPage {
  readonly events: readonly FeedEvent[];
  /** Where to go on; also where there was no event. */
  readonly next_cursor: string;
}
