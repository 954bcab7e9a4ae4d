/** Answers whose first line is wrong, or says what nobody expects. */

import type { Script } from "../script.ts";
import {
  type AttemptEnd,
  again,
  type BadAnswer,
  DELIVERED,
  HTTP_ERROR,
  LENGTH,
  message,
  NETWORK,
  NOT_JSON,
  ok,
  type PollEnd,
  SUCCEEDED,
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
): BadAnswer => ({ name, group: "status line", script, provider, receiver, ...more });

/** Whole answers that begin with that line. */
const lines = (
  provider: PollEnd,
  receiver: AttemptEnd,
  ...named: readonly (readonly [name: string, line: string])[]
): BadAnswer[] => named.map(([name, line]) => answer(name, sendAndClose(message(line)), provider, receiver));

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

export const STATUS_LINES: readonly BadAnswer[] = [
  ...lines(
    NETWORK,
    NETWORK,
    ["bytes that are no text", "\0\u0001\u00ff\u00fe\0"],
    ["a page without a head, as HTTP/0.9 sends it", "<html>"],
    ["an SSH banner", "SSH-2.0-OpenSSH_9.9"],
    ["an SMTP banner", "220 mail.example ESMTP"],
    ["ICY 200 OK", "ICY 200 OK"],
    ["a status that is no number", "HTTP/1.1 2OO OK"],
    ["a status in hex", "HTTP/1.1 0x200 OK"],
    ["a negative status", "HTTP/1.1 -200 OK"],
    ["no status", "HTTP/1.1"],
    ["a request in place of an answer", "POST / HTTP/1.1"],
    ["white space in front", " HTTP/1.1 200 OK"],
  ),
  ...lines(
    SUCCEEDED,
    DELIVERED,
    ["a status without a reason", "HTTP/1.1 200"],
    ["a reason of 32 KB", `HTTP/1.1 200 ${"OK ".repeat(11_000)}`],
    ["a reason beyond ASCII", "HTTP/1.1 200 はい"],
    ["HTTP/1.0", "HTTP/1.0 200 OK"],
    ["an empty line in front", "\r\nHTTP/1.1 200 OK"],
  ),
  answer("HTTP/2 in the first line", sendAndClose(message("HTTP/2.0 200 OK")), NETWORK, NETWORK),
  answer("small letters in the first line", sendAndClose(message("http/1.1 200 ok")), NETWORK, NETWORK),
  answer("status 099", sendAndClose(message("HTTP/1.1 099 Low")), NETWORK, NETWORK),
  answer("status 000", sendAndClose(message("HTTP/1.1 000 None")), NETWORK, NETWORK),
  answer("status 600", sendAndClose(message("HTTP/1.1 600 High")), HTTP_ERROR, HTTP_ERROR),
  answer("status 999", sendAndClose(message("HTTP/1.1 999 Request denied")), HTTP_ERROR, HTTP_ERROR),
  answer("status 1000", sendAndClose(message("HTTP/1.1 1000 Many")), NETWORK, NETWORK),
  answer("a status of 30 digits", sendAndClose(message(`HTTP/1.1 ${"2".repeat(30)} OK`)), NETWORK, NETWORK),
  answer(
    "a reason of 1 MB",
    [{ send: "HTTP/1.1 200 " }, { repeat: "OK ".repeat(1_000), times: 350 }, { send: message("") }],
    NETWORK,
    NETWORK,
  ),
  answer("the preface of HTTP/2", sendAndClose("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), NETWORK, NETWORK),
  answer(
    "a SETTINGS frame of HTTP/2",
    sendAndClose(Buffer.from("000012040000000000000300000064", "hex")),
    NETWORK,
    NETWORK,
  ),
  answer("lines that end with LF alone", sendAndClose(ok().replaceAll("\r\n", "\n")), SUCCEEDED, DELIVERED),
  answer("lines that end with CR alone", sendAndClose(ok().replaceAll("\r\n", "\r")), NETWORK, NETWORK),
  answer("a first line and nothing else", sendAndClose("HTTP/1.1 200 OK\r\n"), NETWORK, NETWORK),
  answer("nothing", [{ close: "end" }], NETWORK, NETWORK),
  answer("an empty line", sendAndClose("\r\n\r\n"), NETWORK, NETWORK),

  answer("100 Continue first", send(CONTINUE + ok()), SUCCEEDED, DELIVERED),
  answer(
    "10,000 times 100 Continue first",
    [{ repeat: CONTINUE.repeat(1_000), times: 10 }, { send: ok() }],
    SUCCEEDED,
    DELIVERED,
  ),
  answer(
    "100 Continue for ever",
    [{ repeat: CONTINUE.repeat(100), times: 1e9, everyMs: 10 }],
    TIMEOUT,
    TIMEOUT,
    { isSlow: true },
  ),
  answer(
    "103 Early Hints first",
    send(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok()}`),
    SUCCEEDED,
    DELIVERED,
  ),
  answer(
    "101 Switching Protocols",
    sendAndClose("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
    NOT_JSON,
    HTTP_ERROR,
  ),
  answer(
    "101 to a WebSocket",
    sendAndClose(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzhZRbK+xOo0=\r\n\r\n",
    ),
    NOT_JSON,
    HTTP_ERROR,
  ),

  answer("204 with a body", sendAndClose(message("HTTP/1.1 204 No Content")), NOT_JSON, DELIVERED),
  answer("205 with a body", sendAndClose(message("HTTP/1.1 205 Reset Content")), NOT_JSON, DELIVERED),
  answer(
    "206 of a part",
    sendAndClose(
      message("HTTP/1.1 206 Partial Content", [`Content-Range: bytes 0-${LENGTH.length}/9`, LENGTH]),
    ),
    SUCCEEDED,
    DELIVERED,
  ),
  answer(
    "304 with a body",
    sendAndClose(message("HTTP/1.1 304 Not Modified")),
    again("redirect"),
    again("redirect"),
  ),
  ...lines(
    again("redirect"),
    again("redirect"),
    ["300", "HTTP/1.1 300 Choices"],
    ["301 to nowhere", "HTTP/1.1 301 Moved"],
    ["399", "HTTP/1.1 399 What"],
  ),
  answer(
    "307 to a script",
    send(message("HTTP/1.1 307 Over there", ["Location: javascript:alert(1)", LENGTH])),
    again("redirect"),
    again("redirect"),
  ),
  answer(
    "308 to an address without end",
    send(message("HTTP/1.1 308 Over there", [`Location: http://127.0.0.1/${"a".repeat(30_000)}`, LENGTH])),
    again("redirect"),
    again("redirect"),
  ),
  ...lines(
    HTTP_ERROR,
    HTTP_ERROR,
    ["408 with a success", "HTTP/1.1 408 Late"],
    ["425 with a success", "HTTP/1.1 425 Early"],
    ["500 with a success", "HTTP/1.1 500 Oops"],
    ["503 with a success", "HTTP/1.1 503 Busy"],
  ),
  ...lines(
    SUCCEEDED,
    HTTP_ERROR,
    ["404 with a success", "HTTP/1.1 404 Not Found"],
    ["418 with a success", "HTTP/1.1 418 Teapot"],
    ["451 with a success", "HTTP/1.1 451 Law"],
    ["499 with a success", "HTTP/1.1 499 Gone away"],
  ),
  ...lines(
    { kind: "failed", reason: "unauthorized" },
    HTTP_ERROR,
    ["401 with a success", "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate"],
    ["403 with a success", "HTTP/1.1 403 No"],
  ),
  ...lines({ kind: "failed", reason: "payment_required" }, HTTP_ERROR, [
    "402 with a success",
    "HTTP/1.1 402 Pay",
  ]),
  ...lines(SUCCEEDED, { kind: "gone" }, ["410 with a success", "HTTP/1.1 410 Gone"]),
  ...lines(SUCCEEDED, HTTP_ERROR, [
    "407, as a proxy asks",
    "HTTP/1.1 407 Proxy\r\nProxy-Authenticate: Basic",
  ]),
];
