/**
 * The event of a job, for whoever fetches it in place of being called. Pure.
 */
import { joinParts } from "../json.ts";
import type { Job, NamedDestination } from "./record.ts";

export type EventRead =
  | {
      readonly kind: "event";
      readonly id: string;
      readonly body: Uint8Array;
      /** POSTs of it so far. */
      readonly attempts: number;
      readonly destination: NamedDestination | null;
    }
  | { readonly kind: "too_large" }
  /** Not yet, or never: the job was canceled. */
  | { readonly kind: "none" };

/** `answer`: the job's stored answer. */
export function readEvent(job: Job, maxBytes: number, answer: () => Uint8Array | null): EventRead {
  if (!("ending" in job.state)) return { kind: "none" };
  if ((job.answer?.size ?? 0) > maxBytes) return { kind: "too_large" };
  const { bytes: body } = joinParts(job.state.ending.event, answer());
  const { eventId: id, attempts, destination = null } = job;
  return { kind: "event", id, body, attempts, destination };
}
