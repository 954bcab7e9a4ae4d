/**
 * Where an event is to go: a URL that may be called, or a destination that is known.
 */
import * as v from "valibot";
import type { Config } from "../config.ts";
import { type Bounds, mayCall } from "../crypto/rights.ts";
import type { findDestination } from "../job/admission.ts";
import type { Callback } from "../job/registering.ts";
import { isDestinationName } from "../webhook/destination.ts";
import { explainTarget, judgeTarget, targetPolicy } from "../webhook/target.ts";
import { tokenBound } from "./auth.ts";
import { isProblem, type Problem, problem } from "./problem.ts";

export const callbackFields = {
  callback_url: v.nullish(v.string("must be a string")),
  destination: v.nullish(
    v.pipe(
      v.string("must be the name of a destination"),
      v.check(isDestinationName, "must be 1 to 64 of the characters A-Z a-z 0-9 _ -"),
    ),
  ),
};

/** Of two fields only one may be sent. */
export const exclusive = (field: string, other: string): Problem =>
  problem("invalid_value", `${field} and ${other} exclude each other; send one of them.`, { field });

/** Looks a destination of the caller's up; `null` where that is not possible at the moment. */
export type FindDestination = (name: string) => ReturnType<typeof findDestination>;

/**
 * The callback that a body names, if a token with these bounds may name it; `callbackUrl: null` and no destination where it
 * names none.
 */
export async function readCallback(
  {
    callback_url,
    destination,
  }: { readonly callback_url?: string | null | undefined; readonly destination?: string | null | undefined },
  host: string,
  config: Config,
  find: FindDestination,
  bounds: Bounds = {},
): Promise<Callback | Problem> {
  if (destination == null) {
    const callbackUrl = callback_url == null ? null : readTarget(callback_url, host, config);
    if (isProblem(callbackUrl)) return callbackUrl;
    return mayCall(bounds, { callbackUrl, destination: null }) ? { callbackUrl } : tokenBound("callback_url");
  }
  if (callback_url != null) return exclusive("destination", "callback_url");
  // Before it is looked up: which destinations there are is not told either.
  if (!mayCall(bounds, { callbackUrl: null, destination })) return tokenBound("destination");
  const found = await find(destination);
  const read = found?.kind === "found" ? found.read : null;
  return {
    callbackUrl: null,
    destination: { name: destination, read, ...(found?.kind === "missing" && { isMissing: true }) },
  };
}

export const DESTINATION_UNKNOWN = problem(
  "destination_unknown",
  "destination is not known; create it first.",
  {
    field: "destination",
  },
);

/** The callback as it is stored, if it may be called. */
export function readTarget(
  url: string,
  host: string,
  config: Config,
  field: "callback_url" | "webhook" | "url" = "callback_url",
): string | Problem {
  const target = judgeTarget(url, targetPolicy(config, host));
  if (target.ok) return target.url;
  return problem("target_refused", `${field} ${explainTarget(target.fault)}.`, { field });
}
