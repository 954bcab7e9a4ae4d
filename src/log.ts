/**
 * The one way to log: a JSON line an event, ids and numbers only. Never a key, a body, a URL or a message
 * from outside: Cloudflare keeps what is printed here.
 */

/** Of a stack: enough to find the line. */
const SHOWN_FRAMES = 3;

/** Something that happened. */
export function log(event: string, fields: Record<string, string | number | boolean | null> = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/** A bug or an unusable configuration: something a person must act on. */
export function logError(event: string, fields: Record<string, string | number | boolean | null> = {}): void {
  console.error(JSON.stringify({ event, ...fields }));
}

/**
 * What went wrong and where: the error's name and its topmost frames. Not its message, which may repeat a value (as
 * that of `JSON.parse` does).
 */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, SHOWN_FRAMES).map((line) => line.trim())].join(" ");
}
