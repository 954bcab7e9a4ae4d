/**
 * The provider's loosely typed fields. Only `status` is required; `id`, `eta` and `message` come as numbers,
 * strings, floats, `""` or not at all, and `message` is at times spelled `messege` or holds an object. Pure.
 */

/** Long enough for every message seen, short enough for an event and a list. */
const MAX_MESSAGE_CHARS = 1000;

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A finite number, given as a number or as its decimal text; else `null`. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === "string" && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

/** The id as text, as it is answered everywhere; `null` where there is none or it has lost digits. */
export function idOf(value: unknown): string | null {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? String(value) : null;
  return typeof value === "string" && value !== "" ? value : null;
}

/** `message` or `messege`, whichever says something; an object of messages as JSON text; `""` when there is none. */
export function messageOf(answer: Record<string, unknown> | null): string {
  for (const value of [answer?.message, answer?.messege]) {
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "object" && value !== null && Object.keys(value).length > 0) return write(value);
  }
  return "";
}

/** A message as it is kept and shown: bounded, and without the half characters that strict JSON readers refuse. */
export const shown = (message: string): string =>
  (message.length > MAX_MESSAGE_CHARS
    ? `${message.slice(0, MAX_MESSAGE_CHARS - 1)}…`
    : message
  ).toWellFormed();

function write(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Nested deeper than the stack: nobody's message.
    return "The provider's message is nested too deeply to show.";
  }
}
