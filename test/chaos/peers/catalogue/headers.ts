/** Answers whose header lines are too many, too long, or no header lines. */

import type { Script } from "../script.ts";
import {
  type AttemptEnd,
  type BadAnswer,
  DELIVERED,
  LENGTH,
  message,
  NETWORK,
  ok,
  type PollEnd,
  SUCCEEDED,
  SUCCESS,
  send,
  sendAndClose,
  TIMEOUT,
} from "./bad-answer.ts";

const answer = (
  name: string,
  script: Script,
  provider: PollEnd,
  receiver: AttemptEnd,
  more: Partial<BadAnswer> = {},
): BadAnswer => ({ name, group: "headers", script, provider, receiver, ...more });

/** Whole answers with those header lines beside their length. */
const fields = (
  provider: PollEnd,
  receiver: AttemptEnd,
  ...named: readonly (readonly [name: string, field: string])[]
): BadAnswer[] =>
  named.map(([name, field]) => answer(name, sendAndClose(ok([field, LENGTH])), provider, receiver));

const LINE = "HTTP/1.1 200 OK\r\n";

export const HEADERS: readonly BadAnswer[] = [
  ...fields(
    NETWORK,
    NETWORK,
    ["a line without a colon", "this is no header"],
    ["a line without a name", ": nothing"],
    ["a NUL in a value", "X-A: a\0b"],
    ["a NUL in a name", "X\0A: ab"],
    ["white space in a name", "X A: ab"],
    ["a folded line", "X-A: a\r\n b"],
    ["a bare CR in a value", "X-A: a\rInjected: b"],
    ["a header of 1 MB", `X-A: ${"a".repeat(1_000_000)}`],
    ["100,000 headers", Array.from({ length: 100_000 }, (_, i) => `X-${i}: ${i}`).join("\r\n")],
  ),
  ...fields(
    SUCCEEDED,
    DELIVERED,
    ["a bare LF in a value", "X-A: a\nInjected: b"],
    ["a value in Latin-1", "X-A: \u00e9"],
    ["a value beyond ASCII", "X-A: 漢字 😀"],
    ["a header of 32 KB", `X-A: ${"a".repeat(32_000)}`],
    ["1,000 cookies", Array.from({ length: 1_000 }, (_, i) => `Set-Cookie: c${i}=${i}; Path=/`).join("\r\n")],
    ["two content types", "Content-Type: text/html\r\nContent-Type: image/png"],
    ["a content type that is none", "Content-Type: ;;;=charset"],
    ["another charset", "Content-Type: application/json; charset=utf-16"],
    [
      "connection options that contradict each other",
      "Connection: close, keep-alive, content-length, upgrade",
    ],
    ["a keep-alive that is over", "Keep-Alive: timeout=-1, max=0"],
    ["an upgrade that nobody asked for", "Upgrade: h2c\r\nConnection: upgrade"],
    ["a refresh to elsewhere", "Refresh: 0; url=http://127.0.0.1/"],
    ["a name of 32 KB", `${"X".repeat(32_000)}: a`],
    ["header names of JavaScript's own", "__proto__: a\r\nconstructor: b\r\ntoString: c"],
    ["an expired date and a clock in the year 9999", "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\nExpires: 0"],
  ),
  answer(
    "white space before a colon",
    sendAndClose(ok([`Content-Length : ${SUCCESS.length}`])),
    NETWORK,
    NETWORK,
  ),
  answer("an empty head", sendAndClose(message("HTTP/1.1 200 OK", [])), SUCCEEDED, DELIVERED),
  answer(
    "a header line without end",
    [{ send: `${LINE}X-A: ` }, { repeat: "a".repeat(65_536), times: 1e9 }],
    NETWORK,
    NETWORK,
    { isBomb: true },
  ),
  answer(
    "header lines without end",
    [{ send: LINE }, { repeat: "X-A: a\r\n".repeat(8_192), times: 1e9 }],
    NETWORK,
    NETWORK,
    { isBomb: true },
  ),
  answer("a head that breaks off", sendAndClose(`${LINE}Content-Ty`), NETWORK, NETWORK),
  answer(
    "a head that breaks off with a reset",
    [{ send: `${LINE}Content-Ty` }, { close: "reset" }],
    NETWORK,
    NETWORK,
  ),
  answer("a head that comes byte by byte", [{ drip: ok(), everyMs: 400 }], TIMEOUT, TIMEOUT, {
    isSlow: true,
  }),
  answer("a head that never comes to its end", send(`${LINE}X-A: a\r\n`), TIMEOUT, TIMEOUT, { isSlow: true }),
];
