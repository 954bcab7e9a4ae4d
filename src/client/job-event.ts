/**
 * What happens to a job, as `events` tells it, and the same from two looks at its timeline, for where nothing streams.
 * Pure.
 */
import type { Job, JobError, JobStatus, Outcome, TimelineEntry } from "./types.ts";

/** What `events` yields. `id` is where a later call can go on from. */
export type JobEvent =
  | { readonly id: string; readonly type: "poll" | "attempt"; readonly data: TimelineEntry }
  | { readonly id: string; readonly type: "outcome"; readonly data: OutcomeData }
  /** The last one: nothing more is done for the job. */
  | { readonly id: string; readonly type: "done"; readonly data: DoneData };

export interface OutcomeData {
  readonly outcome: Outcome;
  readonly error: JobError | null;
}

export interface DoneData {
  readonly status: JobStatus;
  readonly outcome: Outcome | null;
}

export const EVENT_TYPES: ReadonlySet<string> = new Set<JobEvent["type"]>([
  "poll",
  "outcome",
  "attempt",
  "done",
]);

const OVER: ReadonlySet<JobStatus> = new Set<JobStatus>(["delivered", "undelivered", "finished", "canceled"]);

/** Whether nothing more is done for a job, unless it is redelivered or registered again. */
export const isOver = ({ status }: { readonly status: JobStatus }): boolean => OVER.has(status);

/**
 * Everything that a look at the job shows, in order. Ids are made of the entry's time and kind, and of how many of those
 * came before, so that they stay what they are when the timeline forgets old entries and grows new ones.
 */
export function eventsOf(job: Job): JobEvent[] {
  const events: JobEvent[] = [];
  const seen = new Map<string, number>();
  const outcome = outcomeOf(job);
  for (const entry of job.timeline) {
    if (entry.type !== "poll" && entry.type !== "attempt") continue;
    if (outcome && entry.type === "attempt" && !events.includes(outcome)) events.push(outcome);
    const name = `${entry.at}/${entry.type}`;
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    events.push({ id: `${name}/${count}`, type: entry.type, data: entry });
  }
  if (outcome && !events.includes(outcome)) events.push(outcome);
  if (isOver(job)) {
    const { event_id, status, attempts } = job;
    events.push({ id: `${event_id}/done/${attempts}`, type: "done", data: { status, outcome: job.outcome } });
  }
  return events;
}

function outcomeOf({ event_id, outcome, error }: Job): JobEvent | null {
  return outcome && { id: `${event_id}/outcome`, type: "outcome", data: { outcome, error } };
}
