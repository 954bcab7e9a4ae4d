/**
 * The one error that this client throws, whatever went wrong: a problem that the server answered, a network that did not
 * carry the call, a webhook that is not genuine. Only an abort is passed on as it is: it is the caller's own.
 */

/** What the server may say. */
export type ServerCode =
  | "malformed_body"
  | "token_missing"
  | "token_invalid"
  | "token_expired"
  | "insufficient_scope"
  | "token_bound"
  | "rate_limited"
  | "not_found"
  | "method_not_allowed"
  | "already_registered"
  | "already_over"
  | "idempotency_conflict"
  | "destination_limit"
  | "destination_unreadable"
  | "nothing_to_deliver"
  | "body_too_large"
  | "unsupported_media_type"
  | "invalid_value"
  | "unknown_field"
  | "target_refused"
  | "destination_unknown"
  | "generation_failed"
  | "provider_rate_limited"
  | "outcome_unknown"
  | "provider_failed"
  | "provider_timeout"
  | "internal_error"
  | "unavailable";

/** What is found out on this side. */
export type ClientCode =
  /** No answer: whether the call arrived is not known. */
  | "network"
  /** No answer in time; the same goes for it. */
  | "timeout"
  /** An answer that no Pollhook gives: something else stands at the address, or in between. */
  | "unexpected_answer"
  /** The token function has failed. */
  | "token_unavailable"
  /** `wait` has waited as long as it was told to. */
  | "wait_over"
  | "webhook_header_missing"
  | "webhook_timestamp_refused"
  | "webhook_signature_refused"
  | "webhook_secret_invalid"
  | "webhook_body_unreadable";

/** A newer server may have codes that are not listed here. */
export type ErrorCode = ServerCode | ClientCode | (string & {});

export interface ErrorFacts {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly status?: number | null;
  readonly field?: string | null;
  readonly retryAfterSeconds?: number | null;
  readonly cause?: unknown;
}

/**
 * @example
 * try {
 *   await pollhook.register({ request_id: id, destination: "app" });
 * } catch (error) {
 *   if (error instanceof PollhookError && error.code === "destination_unknown") createIt();
 *   else throw error;
 * }
 */
export class PollhookError extends Error {
  override readonly name = "PollhookError";
  readonly code: ErrorCode;
  /** A sentence that names the fault and, where there is one, the remedy. */
  readonly detail: string;
  /** Of the answer; `null` where there was none. */
  readonly status: number | null;
  /** The field at fault, as a path: `callback_url`, `filter.status`. */
  readonly field: string | null;
  /** How long the server asked to stay away. */
  readonly retryAfterSeconds: number | null;
  /** How often the call was made. */
  tries = 1;

  constructor({ code, detail, status = null, field = null, retryAfterSeconds = null, cause }: ErrorFacts) {
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.field = field;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The error, as that of the last of so many tries. */
  after(tries: number): this {
    this.tries = tries;
    return this;
  }
}

/** The error that an answer with this status and text stands for. */
export function errorOfAnswer(status: number, text: string, retryAfterSeconds: number | null): PollhookError {
  const { code, detail, field } = asObject(text);
  const isProblem = typeof code === "string" && typeof detail === "string";
  return new PollhookError({
    code: isProblem ? code : "unexpected_answer",
    detail: isProblem ? detail : `The answer was ${status}, and no problem that Pollhook writes.`,
    status,
    field: typeof field === "string" ? field : null,
    retryAfterSeconds,
  });
}

function asObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
