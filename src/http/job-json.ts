/**
 * Writes a job as JSON, with the caller's metadata and the provider's answer spliced in as they came.
 */
import type { JobView } from "../job/view.ts";
import { joinParts, type Part } from "../json.ts";

/** The job as every route of one job answers it. */
export function jobJson(view: JobView): Uint8Array<ArrayBuffer> {
  const { result, timeline } = view;
  const parts: Part[] = [
    `{${members(view)},"result":`,
    result ? [0, result.length] : "null",
    `,"timeline":${JSON.stringify(timeline)}}\n`,
  ];
  return joinParts(parts, result).bytes;
}

/** The job without what receivers have answered: that is for those who run them. */
export const withoutResponses = (view: JobView): JobView => ({
  ...view,
  timeline: view.timeline.map((entry) => ({ ...entry, response: undefined })),
});

/** What lists and batches show of a job: all but `result` and `timeline`. */
export type Listed = Pick<JobView, "fields" | "metadata">;

export const listedJob = (job: Listed): string => `{${members(job)}}`;

/** A page of jobs. */
export const listJson = (jobs: readonly Listed[], nextCursor: string | null): string =>
  `{"jobs":[${jobs.map(listedJob).join(",")}],"next_cursor":${JSON.stringify(nextCursor)}}\n`;

function members({ fields, metadata }: Listed): string {
  const members = Object.entries(fields).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  const format = members.findIndex((member) => member.startsWith('"format":'));
  members.splice(format + 1, 0, `"metadata":${metadata}`);
  return members.join(",");
}

/** Whole seconds until something is due, at least 1. */
export function secondsToNext({ fields }: JobView): number {
  const next = Date.parse(fields.next_poll_at ?? fields.next_attempt_at ?? fields.registered_at);
  return Math.max(1, Math.ceil((next - Date.now()) / 1000));
}
