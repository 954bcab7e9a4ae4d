/**
 * The ways in which the provider answers a poll badly, as data, and how each is performed on the wire.
 * A request carries a list of them, consumed one a poll before normal service.
 */
import type { ServerResponse } from "node:http";
import { closeHalfway, drip, sendHuge } from "./bad-answers.ts";
import * as check from "./checks.ts";
import * as answers from "./provider-answers.ts";
import { JSON_HEADERS, send } from "./wire.ts";

export type Misbehaviour =
  /** HTTP 429 with `retry_after` in the body; 30 by default, `null` leaves it out. */
  | { kind: "rate-limit"; retryAfterSeconds?: number | null }
  /** The rate limit as an error body of HTTP 200: the spam filter of older endpoints. */
  | { kind: "rate-limit-200" }
  /** A JSON error of HTTP 500, or of another 5xx. */
  | { kind: "server-error"; status?: number }
  /** A gateway's HTML page, 502 by default. */
  | { kind: "html"; status?: number }
  /** The first half of the answer, as a complete response. */
  | { kind: "truncated-json" }
  /** Never answers; ends with the connection. */
  | { kind: "hang" }
  /** The answer, one byte a second, or every `everyMs`. */
  | { kind: "drip"; everyMs?: number }
  /** A success of that many bytes, streamed without a content-length. */
  | { kind: "huge"; bytes: number }
  /** A redirect, 302 by default. */
  | { kind: "redirect"; location: string; status?: number }
  /** The answer, correct, as text/html. */
  | { kind: "wrong-content-type" }
  /** Half of what content-length promises, then the connection is destroyed. */
  | { kind: "close-halfway" }
  /** A success with nothing in it: `output` is `[]` or what is given; `null` leaves the field out. */
  | { kind: "empty-success"; output?: "" | readonly [] | Record<string, never> | null }
  /** A failure in the provider's words: `status` "error", `message`, HTTP 200 unless told otherwise. */
  | {
      kind: "failure";
      message: string | Readonly<Record<string, readonly string[]>>;
      status?: "error" | "failed";
      spelling?: "message" | "messege";
      httpStatus?: number;
    }
  /** Anything else, byte for byte: JSON of HTTP 200 unless told otherwise. */
  | { kind: "raw"; status?: number; headers?: Record<string, string>; body?: string };

const status = check.optional(check.httpStatus);

const shapes: Record<Misbehaviour["kind"], Record<string, check.Check>> = {
  "rate-limit": {
    retryAfterSeconds: check.optional(
      check.either("a number, 0 or more, or null", check.atLeast(0), check.nothing),
    ),
  },
  "rate-limit-200": {},
  "server-error": { status: check.optional(check.integer(500, 599)) },
  html: { status },
  "truncated-json": {},
  hang: {},
  drip: { everyMs: check.optional(check.integer(1)) },
  huge: { bytes: check.integer(0) },
  redirect: { location: check.text, status: check.optional(check.integer(300, 399)) },
  "wrong-content-type": {},
  "close-halfway": {},
  "empty-success": {
    output: check.optional(check.either('"", [], {} or null', check.empty, check.nothing)),
  },
  failure: {
    message: check.either(
      "a string or an object of string arrays",
      check.text,
      check.mapOf(check.listOf(check.text)),
    ),
    status: check.optional(check.oneOf("error", "failed")),
    spelling: check.optional(check.oneOf("message", "messege")),
    httpStatus: status,
  },
  raw: { status, headers: check.optional(check.mapOf(check.text)), body: check.optional(check.text) },
};

export const misbehaviourCheck = check.tagged(shapes);

/**
 * Answers one poll badly. `answer` is what normal service would have said.
 * Returns the status that was sent, `null` when none was.
 */
export function misbehave(
  response: ServerResponse,
  misbehaviour: Misbehaviour,
  request: { endpoint: string; id: string },
  answer: string,
): number | null {
  const json = (code: number, body: string) => send(response, code, JSON_HEADERS, body);
  switch (misbehaviour.kind) {
    case "rate-limit": {
      const { retryAfterSeconds = 30 } = misbehaviour;
      return json(429, answers.rateLimited(retryAfterSeconds));
    }
    case "rate-limit-200":
      return json(200, answers.SPAM_FILTER);
    case "server-error": {
      const { status = 500 } = misbehaviour;
      return json(status, answers.serverError(status));
    }
    case "html": {
      const { status = 502 } = misbehaviour;
      return send(response, status, { "content-type": "text/html" }, answers.htmlPage(status));
    }
    case "truncated-json":
      return json(200, answer.slice(0, answer.length >> 1));
    case "hang":
      return null;
    case "drip":
      return drip(response, 200, JSON_HEADERS, Buffer.from(answer), misbehaviour.everyMs ?? 1000);
    case "huge": {
      const [head, tail] = answers.success(request, { output: ["|"] }).split("|");
      return sendHuge(response, 200, JSON_HEADERS, {
        head: head ?? "",
        bytes: misbehaviour.bytes,
        tail: tail ?? "",
      });
    }
    case "redirect":
      return send(response, misbehaviour.status ?? 302, { location: misbehaviour.location });
    case "wrong-content-type":
      return send(response, 200, { "content-type": "text/html" }, answer);
    case "close-halfway":
      return closeHalfway(response, 200, JSON_HEADERS, answer);
    case "empty-success": {
      const { output = [] } = misbehaviour;
      return json(200, answers.success(request, { output: output ?? undefined, proxy_links: undefined }));
    }
    case "failure": {
      const { message, status = "error", spelling = "message", httpStatus = 200 } = misbehaviour;
      return json(httpStatus, answers.failure(status, { [spelling]: message }));
    }
    case "raw": {
      const { status = 200, headers = JSON_HEADERS, body = "" } = misbehaviour;
      return send(response, status, headers, body);
    }
    default:
      return misbehaviour satisfies never;
  }
}
