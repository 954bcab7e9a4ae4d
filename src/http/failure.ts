/**
 * What went wrong on our side, as a problem: the log gets the cause, the caller does not.
 */
import { describe, logError } from "../log.ts";
import { type Problem, problem } from "./problem.ts";

const INTERNAL = problem("internal_error", "The request could not be handled; the log has the cause.");

/** For an exception: worth another try, or a bug. */
export function thrown(error: unknown): Problem {
  logError("http.failed", { error: describe(error) });
  const { overloaded, retryable } = error as { overloaded?: boolean; retryable?: boolean };
  return overloaded || retryable
    ? problem("unavailable", "Try again in a moment.", { headers: { "retry-after": "1" } })
    : INTERNAL;
}

export function unusableConfig(problems: readonly string[]): Problem {
  logError("config.unusable", { problems: problems.join("; ") });
  return INTERNAL;
}
