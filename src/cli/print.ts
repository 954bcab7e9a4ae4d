/**
 * Jobs, timelines and destinations as short lines for people. Pure.
 */
import type { Destination, FeedEvent, Job, JobEvent, ListedJob, TimelineEntry } from "../client/index.ts";
import type { Forwarded } from "./forward.ts";

const BAR_CHARS = 24;

/** `job_…  delivered  succeeded  v3 12202888  2026-11-20T12:00:00.000Z` */
export const jobLine = (job: ListedJob): string =>
  [
    job.id,
    job.status.padEnd(11),
    (job.outcome ?? "-").padEnd(9),
    `${job.endpoint} ${job.request_id}`,
    job.registered_at,
    ...(job.parked ? [`parked: ${job.parked}`] : []),
    ...(job.error ? [job.error.reason] : []),
    ...(job.delivery_error ? [job.delivery_error.reason] : []),
  ].join("  ");

/** A job with its timeline, on several lines. */
export function jobLines(job: Job): string[] {
  const facts = [
    ["callback", job.callback_url ?? (job.destination && `destination ${job.destination}`)],
    ["next poll", job.next_poll_at],
    ["next attempt", job.next_attempt_at],
    ["error", job.error && `${job.error.reason}: ${job.error.message}`],
    ["delivery", job.delivery_error && `${job.delivery_error.reason}: ${job.delivery_error.message}`],
  ].filter(([, value]) => value);
  return [
    jobLine(job),
    ...facts.map(([name, value]) => `  ${String(name).padEnd(13)}${value}`),
    ...job.timeline.map((entry) => `  ${entryLine(entry)}`),
  ];
}

/** `12:00:02  poll  pending, 200, 41 ms` */
export function entryLine({ at, type, result, reason, http_status, duration_ms }: TimelineEntry): string {
  const facts = [
    result,
    reason,
    http_status ?? undefined,
    duration_ms === undefined ? undefined : `${duration_ms} ms`,
  ].filter((fact) => fact !== undefined);
  return `${at.slice(11, 19)}  ${type.padEnd(10)}${facts.join(", ")}`.trimEnd();
}

export function eventLine({ type, data }: JobEvent): string {
  switch (type) {
    case "poll":
    case "attempt":
      return entryLine(data);
    case "outcome":
      return `outcome: ${data.outcome}${data.error ? ` (${data.error.reason}: ${data.error.message})` : ""}`;
    case "done":
      return `done: ${data.status}`;
  }
}

/** How far a job is that waits, against its eta; without an eta, against its deadline. `now` in epoch ms. */
export function progress(job: ListedJob, now: number): string {
  const passed = Math.max(0, (now - Date.parse(job.registered_at)) / 1000);
  const all = job.eta ?? (Date.parse(job.deadline_at) - Date.parse(job.registered_at)) / 1000;
  const full = all <= 0 ? BAR_CHARS : Math.min(BAR_CHARS, Math.floor((passed / all) * BAR_CHARS));
  const bar = `[${"#".repeat(full)}${".".repeat(BAR_CHARS - full)}] ${Math.floor(passed)} s`;
  const [most, limit] = job.eta === null ? ["at most", "deadline"] : ["about", "eta"];
  const over = Math.floor(passed - all);
  return over >= 1
    ? `${bar}, ${over} s longer than the ${limit} of ${Math.round(all)} s`
    : `${bar} of ${most} ${Math.round(all)} s`;
}

/** `app  active  closed  3 in flight, 0 parked  https://…` */
export const destinationLine = ({ name, status, flow, url }: Destination): string =>
  `${name}  ${status}  ${flow.state}  ${flow.in_flight} in flight, ${flow.parked} parked  ${url ?? "-"}`;

/** `12:00:21  msg_…  job.succeeded  job_…` */
export const feedLine = ({ id, job_id, body }: FeedEvent, at: Date): string =>
  [at.toISOString().slice(11, 19), id, typeOf(body).padEnd(13), job_id].join("  ");

/** The same, and what became of it: `204  12 ms` */
export const forwardedLine = (event: FeedEvent, { status, fault, durationMs }: Forwarded, at: Date): string =>
  [feedLine(event, at), status ?? fault, `${durationMs} ms`].join("  ");

/** `provider` for an event in the provider's own format, which names none. */
export function typeOf(body: string): string {
  const value: unknown = JSON.parse(body);
  const { type, data } = value as { type?: unknown; data?: unknown };
  return typeof type === "string" && typeof data === "object" ? type : "provider";
}
