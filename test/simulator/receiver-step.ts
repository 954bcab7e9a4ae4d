/**
 * The ways in which a callback receiver answers badly, as data, and how each is performed on the wire.
 * A path is programmed with a list of them, consumed one a request; what comes after them is normal service, or one
 * step for as long as is wanted.
 */
import type { ServerResponse } from "node:http";
import { closeHalfway, drip, sendHuge } from "./bad-answers.ts";
import * as check from "./checks.ts";
import { send } from "./wire.ts";

export type ReceiverStep =
  /** Any status, also a 2xx. */
  | { kind: "fail"; status: number; headers?: Record<string, string>; body?: string }
  /** 410. */
  | { kind: "gone" }
  /** `Retry-After`: a number of seconds, or a text (an HTTP date, say) sent as given; 503 by default. */
  | { kind: "retry-after"; after: number | string; status?: number }
  /** Never answers; ends with the connection. */
  | { kind: "hang" }
  /** A status (200 by default) and headers at once, then one byte a second (or every `everyMs`), for a day. */
  | { kind: "drip"; status?: number; everyMs?: number }
  /** A redirect, 302 by default. */
  | { kind: "redirect"; location: string; status?: number }
  /** A status (200 by default) and half of what content-length promises, then the connection is destroyed. */
  | { kind: "close-halfway"; status?: number }
  /** The connection is destroyed before anything is answered. */
  | { kind: "destroy" }
  /** Normal service, late. */
  | { kind: "slow"; ms: number }
  /** A body of that many bytes without a content-length; 200 by default. */
  | { kind: "huge"; bytes: number; status?: number }
  /** Normal service, between two other steps. */
  | { kind: "normal" };

const status = check.optional(check.httpStatus);

const shapes: Record<ReceiverStep["kind"], Record<string, check.Check>> = {
  fail: {
    status: check.httpStatus,
    headers: check.optional(check.mapOf(check.text)),
    body: check.optional(check.text),
  },
  gone: {},
  "retry-after": {
    after: check.either("a number of seconds or a text", check.integer(0), check.text),
    status,
  },
  hang: {},
  drip: { status, everyMs: check.optional(check.integer(1)) },
  redirect: { location: check.text, status: check.optional(check.integer(300, 399)) },
  "close-halfway": { status },
  destroy: {},
  slow: { ms: check.integer(0) },
  huge: { bytes: check.integer(0), status },
  normal: {},
};

export const stepCheck = check.tagged(shapes);
export const stepsCheck = check.listOf(stepCheck);

const PLAIN = { "content-type": "text/plain" };
const ONE_DAY_OF_BYTES = Buffer.alloc(86_400, ".");

/**
 * Answers one delivery as the step says; `normal` gives normal service. Returns the status that was sent,
 * `null` for none; as a promise where it is known only later.
 */
export function performStep(
  response: ServerResponse,
  step: ReceiverStep,
  normal: () => number,
): number | null | Promise<number | null> {
  switch (step.kind) {
    case "fail":
      return send(response, step.status, step.headers, step.body);
    case "gone":
      return send(response, 410);
    case "retry-after":
      return send(response, step.status ?? 503, { "retry-after": String(step.after) });
    case "hang":
      return null;
    case "drip":
      return drip(response, step.status ?? 200, PLAIN, ONE_DAY_OF_BYTES, step.everyMs ?? 1000);
    case "redirect":
      return send(response, step.status ?? 302, { location: step.location });
    case "close-halfway":
      return closeHalfway(response, step.status ?? 200, PLAIN, "half of this text is never sent.");
    case "destroy":
      response.destroy();
      return null;
    case "slow":
      return late(response, step.ms, normal);
    case "huge":
      return sendHuge(response, step.status ?? 200, PLAIN, { head: "", bytes: step.bytes, tail: "" });
    case "normal":
      return normal();
    default:
      return step satisfies never;
  }
}

/** A client that leaves before the time is up has been answered nothing. */
function late(response: ServerResponse, ms: number, normal: () => number): Promise<number | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(normal()), ms);
    response.on("close", () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
}
