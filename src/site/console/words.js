/**
 * Times, numbers and states in words. Pure.
 */

const UNITS = /** @type {const} */ ([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
]);

/**
 * A length of time: `41 ms`, `3.2 s`, `5 s`, `5 min 10 s`; an en dash for none.
 *
 * @param {number | null | undefined} ms
 */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${Math.round(ms / 100) / 10} s`;
  const i = UNITS.findIndex(([, size]) => ms >= size);
  const [unit, size] = UNITS[i] ?? ["s", 1_000];
  const [smallerUnit, smallerSize] = UNITS[i + 1] ?? [null, 1];
  const rest = Math.floor((ms % size) / smallerSize);
  return `${Math.floor(ms / size)} ${unit}${smallerUnit && rest > 0 ? ` ${rest} ${smallerUnit}` : ""}`;
}

/**
 * How long ago, or how long until: `12 s ago`, `in 3 min`.
 *
 * @param {string | null} iso
 * @param {number} now Epoch ms.
 */
export function relative(iso, now) {
  if (iso === null) return "–";
  const ms = now - Date.parse(iso);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(ms) >= size) ?? ["s", 1_000];
  const text = `${Math.floor(Math.abs(ms) / size)} ${unit}`;
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

/** @param {string | null} iso */
export const clock = (iso) =>
  iso === null ? "–" : new Date(iso).toLocaleString(undefined, { hour12: false });

/** @param {number | null} n */
export const number = (n) => (n === null ? "–" : n.toLocaleString("en"));

/** How a status or an outcome looks: the name of a colour in the style sheet. */
export const TONES = /** @type {Readonly<Record<string, string>>} */ ({
  waiting: "wait",
  delivering: "busy",
  delivered: "good",
  undelivered: "bad",
  finished: "good",
  canceled: "off",
  succeeded: "good",
  failed: "bad",
  expired: "bad",
  active: "good",
  paused: "wait",
  closed: "good",
  open: "bad",
});

/** `1 job`, `1,204 jobs`. @param {number} n @param {string} noun */
export const counted = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
