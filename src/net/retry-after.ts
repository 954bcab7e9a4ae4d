/**
 * Waits that a server asks for in its headers. Pure: `now` is an argument, in epoch ms.
 */

/** How each of HTTP's three date formats begins, and the time of day in it (RFC 9110, 5.6.7). */
const HTTP_DATE = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d\d:\d\d:\d\d/i;

/** `Retry-After` in seconds from `now` (RFC 9110, 10.2.3: delta or HTTP date); `null` when it is neither. */
export function parseRetryAfter(value: string | null, now: number): number | null {
  const text = value?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return finite(Number(text));
  // `Date.parse` alone would take "-1" or "wait 2050" for a year.
  if (!HTTP_DATE.test(text)) return null;
  return finite(Math.max(0, (Date.parse(text) - now) / 1000));
}

/** `X-RateLimit-Reset` (Unix seconds) in seconds from `now`; `null` when absent, past or malformed. */
export function parseRateLimitReset(value: string | null, now: number): number | null {
  const text = value?.trim() ?? "";
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) - now / 1000 : Number.NaN;
  return seconds > 0 ? finite(seconds) : null;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
