/**
 * A job as its tenant's index keeps it: what lists show and filter by, and two numbers for statistics. A projection of
 * the job's record, which alone is true; the revision says which of two rows is newer. Pure.
 */

import { rawMember } from "../json.ts";
import type { Seen } from "./learned.ts";
import type { Job } from "./record.ts";
import { DELIVERY_LIMIT_MS } from "./schedule.ts";
import { type JobFields, viewOf } from "./view.ts";

/** Under which an index has a job. */
export interface JobKey {
  readonly registeredAt: number;
  readonly id: string;
}

export interface JobRow {
  /** Epoch ms; with the id the key, and the order of every list. */
  readonly registeredAt: number;
  /** Counts the changes of the job. */
  readonly revision: number;
  /** When those were registered that this job was started in place of; their rows go. */
  readonly supersedes: readonly number[];
  readonly fields: JobFields;
  /** JSON text of an object. */
  readonly metadata: string;
  readonly owner: string | null;
  /** The callback's host. */
  readonly host: string | null;
  /** The metadata that can be searched for: `,"user":7,"plan":"a",`. */
  readonly indexed: string | null;
  readonly finishedAt: number | null;
  readonly deliveredAt: number | null;
  /** Epoch ms; until then the row may be of use, whatever becomes of the job. */
  readonly keepUntil: number;
  /** From the last poll that saw the request unfinished to the one that saw it finished: the true lag is at most that… */
  readonly lagMs: number | null;
  /** …and from the outcome, or the last redelivery, to the delivery. */
  readonly deliveryMs: number | null;
  /** Where the job's end teaches how long jobs take; a job of an older version says nothing of it. */
  readonly seen?: Seen | null;
}

/** The row of a job as it is. */
export function rowOf(job: Job, retentionMs: number): JobRow {
  const { fields, metadata } = viewOf(job, null);
  const msOf = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso));
  const finishedAt = msOf(fields.finished_at);
  const deliveredAt = msOf(fields.delivered_at);
  return {
    registeredAt: job.registeredAt,
    revision: job.revision ?? 0,
    supersedes: job.supersedes ?? [],
    fields,
    metadata,
    owner: job.owner ?? null,
    host: hostOf(job),
    indexed: indexedText(metadata, job.index ?? []),
    finishedAt,
    deliveredAt,
    keepUntil:
      "expiresAt" in job.state ? job.state.expiresAt : job.deadlineAt + DELIVERY_LIMIT_MS + retentionMs,
    lagMs: "ending" in job.state ? detectionLagMs(job) : null,
    deliveryMs: deliveredAt === null || finishedAt === null ? null : deliveredAt - sentFrom(job, finishedAt),
    seen: seenOf(job),
  };
}

/** Where the event goes; of a destination, where it went when that was last read. */
export const hostOf = ({ callbackUrl, destination }: Job): string | null =>
  callbackUrl === null ? (destination?.copy?.host ?? null) : (URL.parse(callbackUrl)?.host ?? null);

/** When the event was there to be sent: at the outcome, or when somebody last had it sent again. */
const sentFrom = ({ timeline }: Job, finishedAt: number): number =>
  Math.max(
    finishedAt,
    ...timeline.flatMap(({ type, at }) => (type === "redeliver" || type === "callback_set" ? [at] : [])),
  );

/** At most so long was the request finished before we knew; `null` where no poll told that it is. */
function detectionLagMs({ timeline, registeredAt }: Job): number | null {
  const last = timeline.findLast(({ type }) => type === "poll");
  if (!last || last.result === "pending" || last.result === "transient") return null;
  return last.at + (last.durationMs ?? 0) - (unfinishedAt(timeline) ?? registeredAt);
}

/** When a poll last went out that found the request at work; `null` where none did. */
const unfinishedAt = (timeline: Job["timeline"]): number | null =>
  timeline.findLast(({ type, result }) => type === "poll" && result === "pending")?.at ?? null;

/**
 * What the job's end teaches: a result or the provider's own failure, that it was there by then; a deadline, that it was not.
 * `null` where the provider was not heard, or what ended the job says nothing of its time.
 */
function seenOf({ state, timeline, registeredAt, polls }: Job): Seen | null {
  if (!("ending" in state) || polls === 0) return null;
  const { outcome, error, finishedAt } = state.ending;
  const unfinished = unfinishedAt(timeline);
  const after = ((unfinished ?? registeredAt) - registeredAt) / 1_000;
  if (outcome === "expired") return unfinished === null ? null : { after, until: null };
  return error && error.reason !== "provider_error"
    ? null
    : { after, until: (finishedAt - registeredAt) / 1_000 };
}

/** A metadata value as {@link indexedText} has it; `null` for what is neither a string nor a number. */
export function searchable(raw: string | undefined): string | null {
  const value: unknown = raw === undefined ? null : JSON.parse(raw);
  if (typeof value === "string") return JSON.stringify(value);
  // A number that a double cannot hold stands as it was written.
  return typeof value === "number" ? (Number.isSafeInteger(value) ? String(value) : (raw ?? null)) : null;
}

/** Names and values as JSON, each between commas: a quote inside a value is escaped, so nothing else looks like one. */
function indexedText(metadata: string, names: readonly string[]): string | null {
  const bytes = new TextEncoder().encode(metadata);
  const pairs = names.flatMap((name) => {
    const value = searchable(rawMember(bytes, name));
    return value === null ? [] : [`${JSON.stringify(name)}:${value},`];
  });
  return pairs.length === 0 ? null : `,${pairs.join("")}`;
}
