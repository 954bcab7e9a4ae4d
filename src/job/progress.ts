/**
 * What happens to a job as a sequence of events, for those who watch it: its polls and attempts, its outcome and its
 * end. Read from the record alone, so that whoever lost the connection goes on behind the last event that he saw. Pure.
 */
import { isOver, type Job, type TimelineEntry } from "./record.ts";
import { viewOf } from "./view.ts";

export interface ProgressEvent {
  /** Orders the events of a job; opaque to callers. */
  readonly id: string;
  readonly type: "poll" | "outcome" | "attempt" | "done";
  readonly data: object;
}

/** Epoch ms, and which of those at the same ms. */
type Place = readonly [at: number, n: number];

/** All that is known of the job, in order. */
export function progressOf(job: Job): ProgressEvent[] {
  const { fields, timeline } = viewOf(job, null);
  const { status, outcome, error } = fields;
  const of = (type: TimelineEntry["type"]) =>
    job.timeline.flatMap((entry, i) =>
      entry.type === type ? [{ at: entry.at, data: timeline[i] ?? {} }] : [],
    );
  const finishedAt = fields.finished_at === null ? null : Date.parse(fields.finished_at);
  const events: { at: number; type: ProgressEvent["type"]; data: object }[] = of("poll").map((entry) => ({
    ...entry,
    type: "poll",
  }));
  if (finishedAt !== null) events.push({ at: finishedAt, type: "outcome", data: { outcome, error } });
  events.push(...of("attempt").map((entry) => ({ ...entry, type: "attempt" as const })));
  if (isOver(job.state)) events.push({ at: endOf(job), type: "done", data: { status, outcome } });
  let [at, n]: Place = [0, 0];
  return events.map(({ type, data, ...event }) => {
    // An attempt is noted when it ends, with the time at which it began: the order stays.
    [at, n] = event.at > at ? [event.at, 0] : [at, n + 1];
    return { id: `${at}-${n}`, type, data };
  });
}

export interface Progress {
  readonly kind: "progress";
  readonly events: readonly ProgressEvent[];
  readonly isOver: boolean;
  /** Others wait for the job already, as many as may: this one cannot. */
  readonly isFull: boolean;
}

/** What there is behind the event with this id. */
export const progressSince = (lastId: string, job: Job, isFull: boolean): Progress => ({
  kind: "progress",
  events: behind(progressOf(job), lastId),
  isOver: isOver(job.state),
  isFull: isFull && !isOver(job.state),
});

/** Those behind the event with this id; all, where it is none of ours. */
function behind(events: readonly ProgressEvent[], lastId: string): ProgressEvent[] {
  const last = placeOf(lastId);
  if (!last) return [...events];
  return events.filter(({ id }) => {
    const [at, n] = placeOf(id) ?? [0, 0];
    return at > last[0] || (at === last[0] && n > last[1]);
  });
}

function placeOf(id: string): Place | null {
  const [, at, n] = /^(\d{1,15})-(\d{1,4})$/.exec(id) ?? [];
  return at === undefined ? null : [Number(at), Number(n)];
}

/** When it ended; of a delivery that was given up, when the last thing happened to it. */
function endOf({ state, timeline }: Job): number {
  const { at, durationMs = 0 } = timeline.at(-1) ?? { at: 0 };
  return "deliveredAt" in state ? state.deliveredAt : at + durationMs;
}
