/** Waits that are asked for: none may be shorter than what is polite, or longer than what was promised. */
import {
  type AttemptEnd,
  again,
  type BadAnswer,
  HTTP_ERROR,
  message,
  type PollEnd,
  send,
  whole,
} from "./bad-answer.ts";

const LIMITED = '{"status":"error","message":"Rate limit exceeded"}';
const SOON = again("rate_limited");
/** Not understood, or longer than the job has left: the last poll is made all the same. */
const LAST = { kind: "at the deadline", reason: "rate_limited" } as const;
const IN_A_DAY = { kind: "in a day" } as const;

/** What a `Retry-After` is to a poll, and to an attempt. */
const retryAfter = (name: string, value: string, provider: PollEnd, receiver: AttemptEnd): BadAnswer => ({
  name: `Retry-After: ${name}`,
  group: "waits",
  script: send(
    message("HTTP/1.1 429 Slow", [`Retry-After: ${value}`, `Content-Length: ${LIMITED.length}`], LIMITED),
  ),
  provider,
  receiver,
});
const reset = (name: string, value: string, provider: PollEnd): BadAnswer => ({
  name: `X-RateLimit-Reset: ${name}`,
  group: "waits",
  script: whole(LIMITED, "429 Slow", [`X-RateLimit-Reset: ${value}`]),
  provider,
});
const body = (value: string, provider: PollEnd): BadAnswer => ({
  name: `retry_after: ${value}`,
  group: "waits",
  script: whole(`{"status":"failed","message":"rate limit","retry_after":${value}}`),
  provider,
});

export const WAITS: readonly BadAnswer[] = [
  retryAfter("0", "0", SOON, HTTP_ERROR),
  retryAfter("a moment", "0.0000001", SOON, HTTP_ERROR),
  retryAfter("negative", "-1", LAST, HTTP_ERROR),
  retryAfter("NaN", "NaN", LAST, HTTP_ERROR),
  retryAfter("Infinity", "Infinity", LAST, HTTP_ERROR),
  retryAfter("1e308", "1e308", LAST, HTTP_ERROR),
  retryAfter("hex", "0x1", LAST, HTTP_ERROR),
  retryAfter("empty", "", LAST, HTTP_ERROR),
  retryAfter("words", "soon", LAST, HTTP_ERROR),
  retryAfter("400 digits", "9".repeat(400), LAST, HTTP_ERROR),
  retryAfter("30 digits", "9".repeat(30), LAST, IN_A_DAY),
  retryAfter("a century", "3155760000", LAST, IN_A_DAY),
  retryAfter("the year 0001", "Mon, 01 Jan 0001 00:00:00 GMT", SOON, HTTP_ERROR),
  retryAfter("the year 9999", "Fri, 31 Dec 9999 23:59:59 GMT", LAST, IN_A_DAY),
  retryAfter("the year 275761", "Sat, 13 Sep 275761 00:00:00 GMT", LAST, HTTP_ERROR),
  retryAfter("the 32nd of a month", "Fri, 32 Dec 2026 23:59:59 GMT", LAST, HTTP_ERROR),
  retryAfter("an ISO date", "9999-12-31T23:59:59Z", LAST, HTTP_ERROR),
  retryAfter("a date in German", "Fr, 31. Dezember 9999 23:59:59 MEZ", LAST, HTTP_ERROR),
  retryAfter("a date in Japanese", "9999年12月31日", LAST, HTTP_ERROR),
  retryAfter("twice", "1\r\nRetry-After: 86400", LAST, HTTP_ERROR),
  retryAfter("1 MB of digits and a blank", `1 ${"1".repeat(30_000)}`, LAST, HTTP_ERROR),
  reset("negative", "-1", LAST),
  reset("past", "1", LAST),
  reset("the year 275761", "8640000000001", LAST),
  reset("NaN", "NaN", LAST),
  reset("milliseconds", "1795176000000", LAST),
  reset("400 digits", "9".repeat(400), LAST),
  ...[
    "-1",
    "1e308",
    "1e400",
    "9007199254740993",
    '"NaN"',
    '"1e3"',
    "true",
    "null",
    "[1]",
    '{"a":1}',
    '"Fri, 31 Dec 9999 23:59:59 GMT"',
  ].map((value) => body(value, LAST)),
  ...["0", "-0", "5e-324", '" 1 "', '"0.5"'].map((value) => body(value, SOON)),
];
