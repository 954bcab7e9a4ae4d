/**
 * The query of a list that comes in pages: how many, and behind what the page begins.
 */
import * as v from "valibot";

export const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_CURSOR_CHARS = 256;

const LIMIT_HELP = `must be a whole number from 1 to ${MAX_LIMIT}`;
const CURSOR_HELP = "is not one of ours; take next_cursor as it came";

/** `readCursor` answers `null` for what it has not written. */
export const paging = <Cursor>(readCursor: (text: string) => Cursor | null) =>
  v.strictObject({
    limit: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\d{1,4}$/, LIMIT_HELP),
        v.transform(Number),
        v.minValue(1, LIMIT_HELP),
        v.maxValue(MAX_LIMIT, LIMIT_HELP),
      ),
    ),
    cursor: v.optional(
      v.pipe(
        v.string(),
        v.transform((text): Cursor | null => readCursor(text.slice(0, MAX_CURSOR_CHARS))),
        v.check((cursor) => cursor !== null, CURSOR_HELP),
      ),
    ),
  });
