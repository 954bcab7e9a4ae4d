/**
 * The event of a job, for whoever fetches it in place of being called. Pure.
 */
import type { Part } from "../json.ts";
import type { Job, NamedDestination } from "./record.ts";

/** An event in its parts: put together, it may be more than can be handed from one object to another. */
export interface StoredEvent {
  readonly kind: "event";
  readonly id: string;
  readonly parts: readonly Part[];
  /** What the spans among them refer to. */
  readonly answer: Uint8Array | null;
  /** POSTs of it so far. */
  readonly attempts: number;
  readonly destination: NamedDestination | null;
}

export type EventRead =
  | StoredEvent
  | { readonly kind: "too_large" }
  /** Not yet, or never: the job was canceled. */
  | { readonly kind: "none" }
  /** Its answer is not all there any more. */
  | { readonly kind: "unreadable" };

/** `readAnswer`: the job's stored answer; not read where it has more than `maxBytes`. */
export function readEvent(job: Job, maxBytes: number, readAnswer: () => Uint8Array | null): EventRead {
  if (!("ending" in job.state)) return { kind: "none" };
  if ((job.answer?.size ?? 0) > maxBytes) return { kind: "too_large" };
  const { event: parts } = job.state.ending;
  const answer = readAnswer();
  if (!answer && parts.some((part) => typeof part !== "string")) return { kind: "unreadable" };
  const { eventId: id, attempts, destination = null } = job;
  return { kind: "event", id, parts, answer, attempts, destination };
}
