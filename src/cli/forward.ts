/**
 * One event to a local server, as a callback would have brought it: its headers and its bytes, no redirects, 15 s from
 * the call to the answer's headers. Never throws but for an abort.
 */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { FeedEvent } from "../client/index.ts";

/** As long as a real callback has. */
const ANSWER_LIMIT_MS = 15_000;
/** As long as a real callback's body is read. */
const BODY_LIMIT_MS = 1_000;

export interface Forwarded {
  /** `null` where there was no answer. */
  readonly status: number | null;
  /** Why there was none. */
  readonly fault: string | null;
  readonly durationMs: number;
}

export async function forward(
  url: URL,
  { headers, body }: FeedEvent,
  signal: AbortSignal,
  limitMs = ANSWER_LIMIT_MS,
): Promise<Forwarded> {
  const began = performance.now();
  const limit = AbortSignal.timeout(limitMs);
  const bytes = Buffer.from(body);
  const answered = (status: number | null, fault: string | null): Forwarded => ({
    status,
    fault,
    durationMs: Math.round(performance.now() - began),
  });
  try {
    // Not `fetch`, which adds headers of its own.
    const status = await new Promise<number>((resolve, reject) => {
      const send = url.protocol === "https:" ? requestHttps : requestHttp;
      const options = { method: "POST", agent: false, signal: AbortSignal.any([limit, signal]) } as const;
      const sent = send(url, { ...options, headers: { ...headers, "content-length": bytes.length } });
      sent.on("error", reject);
      sent.on("response", (response) => {
        resolve(response.statusCode ?? 0);
        // What it says is of no interest, nor how that ends; but it may say it in peace.
        response.on("error", () => {});
        const patience = setTimeout(() => response.destroy(), BODY_LIMIT_MS);
        response.on("close", () => clearTimeout(patience));
        response.resume();
      });
      sent.end(bytes);
    });
    return answered(status, null);
  } catch (error) {
    signal.throwIfAborted();
    return answered(null, limit.aborted ? `no answer in ${limitMs / 1000} s` : faultOf(error));
  }
}

export const isAccepted = ({ status }: Forwarded): boolean =>
  status !== null && status >= 200 && status < 300;

/** A receiver that is gone for good wants no retries, as with a real callback. */
export const isFinal = (forwarded: Forwarded): boolean => isAccepted(forwarded) || forwarded.status === 410;

function faultOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" ? "nobody listens there" : (code ?? message);
}
