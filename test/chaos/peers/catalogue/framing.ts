/** Answers that lie about where their body ends. */

import type { Script } from "../script.ts";
import {
  type AttemptEnd,
  type BadAnswer,
  DELIVERED,
  LENGTH,
  message,
  NETWORK,
  NOT_JSON,
  ok,
  type PollEnd,
  SUCCEEDED,
  SUCCESS,
  send,
  sendAndClose,
  TIMEOUT,
  TOO_LARGE,
} from "./bad-answer.ts";

const answer = (
  name: string,
  script: Script,
  provider: PollEnd,
  receiver: AttemptEnd,
  more: Partial<BadAnswer> = {},
): BadAnswer => ({ name, group: "framing", script, provider, receiver, ...more });

/** Whole answers with those header lines as their only framing. */
const framed = (
  provider: PollEnd,
  receiver: AttemptEnd,
  ...named: readonly (readonly [name: string, ...fields: string[]])[]
): BadAnswer[] =>
  named.map(([name, ...fields]) => answer(name, sendAndClose(ok(fields)), provider, receiver));

const CHUNKED = "Transfer-Encoding: chunked";
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const chunked = (chunks: string): string => ok([CHUNKED], chunks);
const HALF = SUCCESS.slice(0, 40);
const LAST = "0\r\n\r\n";

export const FRAMING: readonly BadAnswer[] = [
  ...framed(
    NETWORK,
    NETWORK,
    ["two lengths that differ", LENGTH, "Content-Length: 5"],
    ["a negative length", "Content-Length: -5"],
    ["a length in hex", "Content-Length: 0x20"],
    ["a length with a sign", `Content-Length: +${SUCCESS.length}`],
    ["a length with an exponent", "Content-Length: 1e2"],
    ["two numbers as a length", `Content-Length: ${SUCCESS.length} ${SUCCESS.length}`],
    ["a length of nothing", "Content-Length:"],
    ["a list of lengths that differ", `Content-Length: ${SUCCESS.length}, 5`],
    ["a length past 2^64", "Content-Length: 18446744073709551621"],
    ["a length of 400 digits", `Content-Length: ${"9".repeat(400)}`],
  ),
  ...framed(
    SUCCEEDED,
    DELIVERED,
    ["the same length twice", LENGTH, LENGTH],
    ["a list of one length", `Content-Length: ${SUCCESS.length}, ${SUCCESS.length}`],
    ["a transfer coding that nobody knows", "Transfer-Encoding: xchunked"],
    ["no length, up to the end of the connection"],
    ["the identity coding", "Transfer-Encoding: identity", LENGTH],
  ),
  ...framed(NETWORK, DELIVERED, ["chunked twice", "Transfer-Encoding: chunked, chunked"]),
  answer(
    "a length of 2^63 and little behind it",
    sendAndClose(ok(["Content-Length: 9223372036854775807"])),
    NETWORK,
    DELIVERED,
  ),
  answer(
    "a length of 2^53 and little behind it",
    sendAndClose(ok(["Content-Length: 9007199254740993"])),
    NETWORK,
    DELIVERED,
  ),
  answer("a length and chunks", send(ok([LENGTH, CHUNKED], chunk(SUCCESS) + LAST)), SUCCEEDED, DELIVERED),
  answer(
    "chunks and a length",
    send(ok([CHUNKED, "Content-Length: 5"], chunk(SUCCESS) + LAST)),
    SUCCEEDED,
    DELIVERED,
  ),
  answer("half of its length, and the end", sendAndClose(ok([LENGTH], HALF)), NETWORK, DELIVERED),
  answer(
    "half of its length, and a reset",
    [{ send: ok([LENGTH], HALF) }, { close: "reset" }],
    NETWORK,
    DELIVERED,
  ),
  answer("half of its length, and silence", send(ok([LENGTH], HALF)), TIMEOUT, DELIVERED, { isSlow: true }),
  answer("more than its length", send(ok(["Content-Length: 20"])), NOT_JSON, DELIVERED),
  answer("a body behind a length of 0", send(ok(["Content-Length: 0"])), NOT_JSON, DELIVERED),
  answer("no length, and silence", send(ok([])), TIMEOUT, DELIVERED, { isSlow: true }),
  answer(
    "a body that comes byte by byte",
    [{ send: ok([LENGTH], "") }, { drip: SUCCESS, everyMs: 300 }],
    TIMEOUT,
    DELIVERED,
    { isSlow: true },
  ),
  answer(
    "white space, byte by byte, without end",
    [{ send: ok([CHUNKED], "") }, { drip: "1\r\n \r\n".repeat(1_000), everyMs: 50 }],
    TIMEOUT,
    DELIVERED,
    { isSlow: true },
  ),

  answer("chunks of one byte", send(chunked([...SUCCESS].map(chunk).join("") + LAST)), SUCCEEDED, DELIVERED, {
    isLong: true,
  }),
  answer(
    "a chunk size with zeros in front",
    send(chunked(`${"0".repeat(8)}${chunk(SUCCESS)}${LAST}`)),
    SUCCEEDED,
    DELIVERED,
  ),
  answer(
    "a chunk that is shorter than it says",
    sendAndClose(chunked(`fff\r\n${SUCCESS}`)),
    NETWORK,
    DELIVERED,
  ),
  answer(
    "a chunk that is longer than it says",
    sendAndClose(chunked(`5\r\n${SUCCESS}\r\n${LAST}`)),
    NETWORK,
    DELIVERED,
  ),
  answer(
    "a chunk size that is no number",
    sendAndClose(chunked(`zz\r\n${SUCCESS}\r\n${LAST}`)),
    NETWORK,
    DELIVERED,
  ),
  answer("a negative chunk size", sendAndClose(chunked(`-5\r\n${SUCCESS}\r\n${LAST}`)), NETWORK, DELIVERED),
  answer(
    "a chunk size past 2^64",
    sendAndClose(chunked(`10000000000000005\r\n${SUCCESS}\r\n${LAST}`)),
    NETWORK,
    DELIVERED,
  ),
  answer(
    "a chunk size in hex with 0x",
    sendAndClose(chunked(`0x${chunk(SUCCESS)}${LAST}`)),
    NETWORK,
    DELIVERED,
  ),
  answer("chunks without the last", sendAndClose(chunked(chunk(SUCCESS))), NETWORK, DELIVERED),
  answer("chunks without the last, and silence", send(chunked(chunk(SUCCESS))), TIMEOUT, DELIVERED, {
    isSlow: true,
  }),
  answer(
    "chunks in HTTP/1.0",
    sendAndClose(message("HTTP/1.0 200 OK", [CHUNKED], chunk(SUCCESS) + LAST)),
    NETWORK,
    NETWORK,
  ),
  answer(
    "a chunk extension of 1 MB",
    sendAndClose(
      chunked(`${SUCCESS.length.toString(16)};${"a=b;".repeat(250_000)}\r\n${SUCCESS}\r\n${LAST}`),
    ),
    NETWORK,
    DELIVERED,
  ),
  answer(
    "a chunk extension without end",
    [{ send: chunked("5;") }, { repeat: "a=b;".repeat(16_384), times: 1e9 }],
    NETWORK,
    DELIVERED,
    { isBomb: true },
  ),
  answer(
    "trailers",
    send(chunked(`${chunk(SUCCESS)}0\r\nX-Trailer: a\r\nContent-Length: 5\r\n\r\n`)),
    SUCCEEDED,
    DELIVERED,
  ),
  answer(
    "trailers without end",
    [{ send: chunked(`${chunk(SUCCESS)}0\r\n`) }, { repeat: "X-Trailer: a\r\n".repeat(4_096), times: 1e9 }],
    NETWORK,
    DELIVERED,
    { isBomb: true },
  ),
  answer(
    "white space in chunks without end",
    [{ send: chunked("") }, { repeat: chunk(" ".repeat(65_536)), times: 1e9 }],
    TOO_LARGE,
    DELIVERED,
    { isBomb: true },
  ),
  answer(
    "white space without end or length",
    [{ send: ok([], "") }, { repeat: " ".repeat(65_536), times: 1e9 }],
    TOO_LARGE,
    DELIVERED,
    { isBomb: true },
  ),
  answer(
    "a string without end",
    [
      { send: chunked(chunk('{"status":"success","output":"')) },
      { repeat: chunk("a".repeat(65_536)), times: 1e9 },
    ],
    TOO_LARGE,
    DELIVERED,
    { isBomb: true },
  ),
];
