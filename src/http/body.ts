/**
 * Reads a caller's JSON body: capped while it is read, strict about media type, UTF-8 and JSON.
 */
import { concatBytes } from "../bytes.ts";
import { type Problem, problem } from "./problem.ts";

/** More than any registration needs. */
export const MAX_BODY_BYTES = 64 * 1024;

export interface JsonBody {
  readonly json: unknown;
  /** The same, as it came. */
  readonly bytes: Uint8Array;
}

/** The body, of `maxBytes` at most; `null` when there is none. */
export async function readJson(
  request: Request,
  maxBytes: number = MAX_BODY_BYTES,
): Promise<JsonBody | Problem | null> {
  // A body that says beforehand how large it is is not begun: reading and then leaving it would break the connection.
  const announced = Number(request.headers.get("content-length") ?? 0);
  // Of one that says, and so has no more than it says, all is read at once.
  const bytes =
    announced > maxBytes
      ? null
      : await (announced > 0 ? request.bytes() : readCapped(request.body, maxBytes)).catch(() => undefined);
  if (bytes === undefined) return problem("malformed_body", "The body breaks off.");
  if (!bytes) return problem("body_too_large", `The body may have ${maxBytes} bytes at most; shorten it.`);
  if (bytes.length === 0) return null;
  const mediaType = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json")
    return problem("unsupported_media_type", "Send JSON with `Content-Type: application/json`.");
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return { json: JSON.parse(text), bytes };
  } catch (error) {
    const what = error instanceof SyntaxError ? "JSON" : "UTF-8";
    return problem("malformed_body", `The body is not valid ${what}.`);
  }
}

/** All of `stream`, or `null` when it is longer than `maxBytes`. */
async function readCapped(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array | null> {
  if (!stream) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > maxBytes) {
      reader.cancel().catch(() => {});
      return null;
    }
    chunks.push(next.value);
  }
  return concatBytes(chunks);
}
