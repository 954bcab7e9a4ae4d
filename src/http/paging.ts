/**
 * The query of a list that comes in pages: how many, and behind what the page begins.
 */
import * as v from "valibot";

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;
const MAX_CURSOR_CHARS = 256;

const CURSOR_HELP = "is not one of ours; take next_cursor as it came";

/** A whole number in a query. `unit` as it is said behind "a whole number". */
export function wholeText(least: number, most: number, unit = "") {
  const help = `must be a whole number${unit} from ${least} to ${most}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,4}$/, help),
    v.transform(Number),
    v.minValue(least, help),
    v.maxValue(most, help),
  );
}

/** `read` answers `null` for what we have not written. */
export const cursorText = <Cursor>(read: (text: string) => Cursor | null) =>
  v.pipe(
    v.string(),
    v.transform((text): Cursor | null => read(text.slice(0, MAX_CURSOR_CHARS))),
    v.check((cursor) => cursor !== null, CURSOR_HELP),
  );

export const paging = <Cursor>(readCursor: (text: string) => Cursor | null) =>
  v.strictObject({
    limit: v.optional(wholeText(1, MAX_LIMIT)),
    cursor: v.optional(cursorText(readCursor)),
  });
