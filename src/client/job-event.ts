/**
 * What happens to a job, as `events` tells it, and the same from a look at its timeline, for where nothing streams.
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

/** Epoch ms, and which of those at the same ms: what an event's id is made of. */
type Place = readonly [at: number, n: number];

/**
 * What a look at the job shows, in order; behind the event with this id, or all of it where that is none of ours. Ids
 * are those of the server's stream (src/job/progress.ts), so that what was begun there goes on here.
 */
export function eventsBehind(job: Job, lastId: string): JobEvent[] {
  const last = placeOf(lastId);
  const events = eventsOf(job);
  if (!last) return events;
  return events.filter(({ id }) => {
    const [at, n] = placeOf(id) ?? [0, 0];
    return at > last[0] || (at === last[0] && n > last[1]);
  });
}

type Unplaced<Event = JobEvent> = Event extends JobEvent
  ? { readonly at: number; readonly event: Omit<Event, "id"> }
  : never;

function eventsOf(job: Job): JobEvent[] {
  const { status, outcome, error, timeline, finished_at } = job;
  const of = (type: "poll" | "attempt"): Unplaced[] =>
    timeline
      .filter((entry) => entry.type === type)
      .map((data) => ({ at: Date.parse(data.at), event: { type, data } }));
  const events: Unplaced[] = of("poll");
  if (outcome !== null && finished_at !== null)
    events.push({ at: Date.parse(finished_at), event: { type: "outcome", data: { outcome, error } } });
  events.push(...of("attempt"));
  if (isOver(job)) events.push({ at: endOf(job), event: { type: "done", data: { status, outcome } } });
  let [at, n]: Place = [0, 0];
  return events.map(({ event, ...placed }) => {
    // An attempt is noted when it ends, with the time at which it began: the order stays.
    [at, n] = placed.at > at ? [placed.at, 0] : [at, n + 1];
    return { id: `${at}-${n}`, ...event };
  });
}

function placeOf(id: string): Place | null {
  const [, at, n] = /^(\d{1,15})-(\d{1,4})$/.exec(id) ?? [];
  return at === undefined ? null : [Number(at), Number(n)];
}

/** When it ended; of a delivery that was given up, when the last thing happened to it. */
function endOf({ delivered_at, timeline }: Job): number {
  if (delivered_at !== null) return Date.parse(delivered_at);
  const last = timeline.at(-1);
  return last ? Date.parse(last.at) + (last.duration_ms ?? 0) : 0;
}
