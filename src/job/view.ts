/**
 * A job as callers see it (README, "A job"). Metadata and result stay raw JSON text: the HTTP side splices them in.
 * Pure.
 */
import type { Job, JobError, Outcome, ParkReason, State, TimelineEntry } from "./record.ts";

/** Everything but `metadata`, `result` and `timeline`, in the order in which it is answered. */
export interface JobFields {
  readonly id: string;
  readonly status: State["status"];
  readonly outcome: Outcome | null;
  readonly endpoint: string;
  readonly request_id: string;
  readonly callback_url: string | null;
  readonly destination: string | null;
  readonly format: string;
  readonly eta: number | null;
  readonly registered_at: string;
  readonly deadline_at: string;
  readonly finished_at: string | null;
  readonly delivered_at: string | null;
  readonly expires_at: string | null;
  readonly next_poll_at: string | null;
  readonly next_attempt_at: string | null;
  /** Why the delivery does not go out yet. */
  readonly parked: ParkReason | null;
  readonly polls: number;
  readonly attempts: number;
  readonly error: JobError | null;
  readonly delivery_error: { readonly reason: string; readonly message: string } | null;
  readonly event_id: string;
}

export interface JobView {
  readonly fields: JobFields;
  /** JSON text of an object. */
  readonly metadata: string;
  /** The provider's last answer, JSON text in UTF-8. */
  readonly result: Uint8Array | null;
  readonly timeline: readonly object[];
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** The view of `job`; `result` is its stored answer. */
export function viewOf(job: Job, result: Uint8Array | null): JobView {
  const { state } = job;
  const ending = "ending" in state ? state.ending : null;
  const canceled = state.status === "canceled";
  const finishedAt = canceled ? state.finishedAt : ending?.finishedAt;
  const at = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));
  const fields: JobFields = {
    id: job.id,
    status: state.status,
    outcome: canceled ? "canceled" : (ending?.outcome ?? null),
    endpoint: job.endpoint,
    request_id: job.requestId,
    callback_url: job.callbackUrl,
    destination: job.destination?.name ?? null,
    format: job.format,
    eta: job.etaSeconds,
    registered_at: iso(job.registeredAt),
    deadline_at: iso(job.deadlineAt),
    finished_at: at(finishedAt),
    delivered_at: at("deliveredAt" in state ? state.deliveredAt : undefined),
    expires_at: at("expiresAt" in state ? state.expiresAt : undefined),
    next_poll_at: at("nextPollAt" in state ? state.nextPollAt : undefined),
    // Of a parked delivery it is only when it looks for itself, should it not be called.
    next_attempt_at: at("nextAttemptAt" in state && !state.parked ? state.nextAttemptAt : undefined),
    parked: ("parked" in state ? state.parked?.reason : null) ?? null,
    polls: job.polls,
    attempts: job.attempts,
    error: ending?.error ?? null,
    delivery_error: "deliveryError" in state ? state.deliveryError : null,
    event_id: job.eventId,
  };
  return { fields, metadata: job.metadata, result, timeline: job.timeline.map(entryView) };
}

function entryView({ at, type, result, reason, httpStatus, durationMs, response }: TimelineEntry): object {
  return {
    at: iso(at),
    type,
    ...(result !== undefined && { result }),
    ...(reason !== undefined && { reason }),
    ...(httpStatus !== undefined && { http_status: httpStatus }),
    ...(durationMs !== undefined && { duration_ms: durationMs }),
    ...(response !== undefined && { response }),
  };
}
