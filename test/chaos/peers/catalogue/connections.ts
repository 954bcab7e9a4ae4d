/** What can be wrong with a connection itself, and answers that come before the request, or behind the answer. */
import type { Script } from "../script.ts";
import {
  type AttemptEnd,
  type BadAnswer,
  DELIVERED,
  HTTP_ERROR,
  message,
  NETWORK,
  ok,
  type PollEnd,
  SUCCEEDED,
  send,
  TIMEOUT,
} from "./bad-answer.ts";

const answer = (
  name: string,
  script: Script,
  provider: PollEnd | undefined,
  receiver: AttemptEnd,
  more: Partial<BadAnswer> = {},
): BadAnswer => ({ name, group: "connection", script, ...(provider && { provider }), receiver, ...more });

const TLS_ALERT = Buffer.from("15030300020246", "hex");
const TLS_HELLO = Buffer.concat([Buffer.from("160303007a020000760303", "hex"), Buffer.alloc(116, 7)]);
const CLOSED = ["Connection: close", "Content-Length: 0"];
const ACCEPT = { at: "accept" } as const;
/** It may be there before the request is sent, which ends the connection, or only after it. */
const RACED = { ...ACCEPT, raced: { provider: SUCCEEDED, receiver: DELIVERED } } as const;
const RACED_408 = { ...ACCEPT, raced: { provider: HTTP_ERROR, receiver: HTTP_ERROR } } as const;

export const CONNECTIONS: readonly BadAnswer[] = [
  answer("a reset at once", [{ close: "reset" }], NETWORK, NETWORK, ACCEPT),
  answer("the end at once", [{ close: "end" }], NETWORK, NETWORK, ACCEPT),
  answer("half of the end at once", [{ close: "half" }], NETWORK, NETWORK, ACCEPT),
  answer("a reset behind the head", [{ close: "reset" }], NETWORK, NETWORK, { at: "head" }),
  answer("a reset behind the request", [{ close: "reset" }], NETWORK, NETWORK),
  answer(
    "a reset in the first line",
    [{ send: "HTTP/1." }, { waitMs: 50 }, { close: "reset" }],
    NETWORK,
    NETWORK,
  ),
  answer(
    "a reset in the body",
    [{ send: ok(["Content-Length: 500"]) }, { waitMs: 50 }, { close: "reset" }],
    NETWORK,
    DELIVERED,
  ),
  answer(
    "a reset in a chunk",
    [{ send: ok(["Transfer-Encoding: chunked"], "fff\r\n{") }, { waitMs: 50 }, { close: "reset" }],
    NETWORK,
    DELIVERED,
  ),
  answer(
    "a reset right behind the answer",
    [{ send: ok() }, { waitMs: 50 }, { close: "reset" }],
    SUCCEEDED,
    DELIVERED,
  ),
  answer(
    "half of the end right behind the answer",
    [{ send: ok() }, { close: "half" }],
    SUCCEEDED,
    DELIVERED,
  ),
  answer("silence", [], TIMEOUT, TIMEOUT, { isSlow: true }),
  answer("silence without reading", [], TIMEOUT, TIMEOUT, { isSlow: true, reads: "nothing", at: "accept" }),
  answer("a TLS alert", [{ send: TLS_ALERT }, { close: "end" }], NETWORK, NETWORK),
  answer("the hello of a TLS server", [{ send: TLS_HELLO }, { close: "end" }], NETWORK, NETWORK),
  answer(
    "the hello of a TLS server before the request",
    [{ send: TLS_HELLO }, { close: "end" }],
    NETWORK,
    NETWORK,
    ACCEPT,
  ),
  answer(
    "an SSH banner before the request",
    [{ send: "SSH-2.0-OpenSSH_9.9\r\n" }, { close: "end" }],
    NETWORK,
    NETWORK,
    ACCEPT,
  ),
  answer("an answer before the request", send(ok()), NETWORK, NETWORK, RACED),
  answer(
    "an answer before the request, and the end",
    [{ send: ok() }, { close: "end" }],
    NETWORK,
    NETWORK,
    RACED,
  ),
  answer("an answer behind the head", send(ok()), SUCCEEDED, DELIVERED, { at: "head" }),
  answer(
    "408 before the request",
    [{ send: message("HTTP/1.1 408 Late", CLOSED, "") }, { close: "end" }],
    NETWORK,
    NETWORK,
    RACED_408,
  ),
  answer("two answers at once", send(ok() + ok()), SUCCEEDED, DELIVERED),
  answer(
    "a second answer a moment later",
    [{ send: ok() }, { waitMs: 20 }, { send: ok() }],
    SUCCEEDED,
    DELIVERED,
  ),
  answer("a large event that nobody reads", [], undefined, TIMEOUT, {
    isSlow: true,
    hasLargeEvent: true,
    at: "head",
    reads: "nothing",
  }),
  answer("a large event that is read slowly", [], undefined, TIMEOUT, {
    isSlow: true,
    hasLargeEvent: true,
    at: "head",
    reads: "slowly",
  }),
  answer(
    "413 to a large event that nobody reads",
    send(message("HTTP/1.1 413 Large", CLOSED, "")),
    undefined,
    HTTP_ERROR,
    { hasLargeEvent: true, at: "head", reads: "nothing" },
  ),
  answer(
    "413 and the end, to a large event that nobody reads",
    [{ send: message("HTTP/1.1 413 Large", CLOSED, "") }, { close: "half" }],
    undefined,
    HTTP_ERROR,
    { hasLargeEvent: true, at: "head", reads: "nothing" },
  ),
  answer(
    "200 to a large event that nobody reads",
    send(message("HTTP/1.1 200 OK", ["Content-Length: 0"], "")),
    undefined,
    DELIVERED,
    { hasLargeEvent: true, at: "head", reads: "nothing" },
  ),
  answer("a reset in the middle of a large event", [{ waitMs: 50 }, { close: "reset" }], undefined, NETWORK, {
    hasLargeEvent: true,
    at: "head",
    reads: "nothing",
  }),
];
