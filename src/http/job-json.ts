/**
 * Writes a job as JSON, with the caller's metadata and the provider's answer spliced in as they came.
 */
import type { JobView } from "../job/view.ts";
import { joinParts, type Part } from "../json.ts";

/** The job as every route answers it. */
export function jobJson({ fields, metadata, result, timeline }: JobView): Uint8Array<ArrayBuffer> {
  const members = Object.entries(fields).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  members.splice(
    members.findIndex((member) => member.startsWith('"format":')) + 1,
    0,
    `"metadata":${metadata}`,
  );
  const parts: Part[] = [
    `{${members.join(",")},"result":`,
    result ? [0, result.length] : "null",
    `,"timeline":${JSON.stringify(timeline)}}\n`,
  ];
  return joinParts(parts, result).bytes;
}
