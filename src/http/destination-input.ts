/**
 * A destination's body: its schema, and the way from there to what the tenant's object stores. Everything is checked
 * here, before anything is written.
 */
import * as v from "valibot";
import type { Config } from "../config.ts";
import { isPlainObject } from "../provider/fields.ts";
import type { DestinationInput } from "../tenant/destination-keeper.ts";
import { DEFAULT_MAX_IN_FLIGHT, secretBytes } from "../webhook/destination.ts";
import { readHeaders } from "../webhook/headers.ts";
import { readTarget } from "./callback.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { between, parseBody, shorten, whole } from "./schema.ts";

const DAY_SECONDS = 86_400;
const MAX_GAPS = 12;
/** The longest wait, and the longest overlap of two secrets. */
const MAX_SECONDS = 7 * DAY_SECONDS;
/** A delivery is given up after so long, whatever its schedule says. */
const MAX_SCHEDULE_SECONDS = 14 * DAY_SECONDS;
const MAX_IN_FLIGHT = 1_000;
const LEAST_PER_SECOND = 0.01;
const MOST_PER_SECOND = 1_000;
const DEFAULT_OVERLAP_SECONDS = DAY_SECONDS;

const HEADERS_HELP = "must be an object of names and values";
const GAP_HELP = `must be a number of seconds from 0 to ${MAX_SECONDS}`;
const SCHEDULE_HELP = `must be a list of up to ${MAX_GAPS} numbers of seconds, each from 0 to ${MAX_SECONDS}, ${MAX_SCHEDULE_SECONDS} in all`;
const SECRET_HELP = "must be whsec_ and the base64 of 24 to 64 bytes; without one, a new one is made";

const secret = v.nullish(
  v.pipe(
    v.string(SECRET_HELP),
    v.check((text) => secretBytes(text) !== null, SECRET_HELP),
  ),
);

/** The body of `PUT /v1/destinations/{name}`. `null` is the same as absent. */
export const DestinationBody = v.strictObject({
  url: v.string("must be a string"),
  headers: v.nullish(v.custom<Record<string, unknown>>(isPlainObject, HEADERS_HELP)),
  format: v.nullish(v.picklist(["standard", "provider"], 'must be "standard" or "provider"')),
  retry_schedule: v.nullish(
    v.pipe(
      v.array(between(0, MAX_SECONDS, GAP_HELP), SCHEDULE_HELP),
      v.maxLength(MAX_GAPS, SCHEDULE_HELP),
      v.check((gaps) => gaps.reduce((sum, gap) => sum + gap, 0) <= MAX_SCHEDULE_SECONDS, SCHEDULE_HELP),
    ),
  ),
  secret,
  max_in_flight: v.nullish(whole(1, MAX_IN_FLIGHT), DEFAULT_MAX_IN_FLIGHT),
  max_per_second: v.nullish(
    between(
      LEAST_PER_SECOND,
      MOST_PER_SECOND,
      `must be a number from ${LEAST_PER_SECOND} to ${MOST_PER_SECOND}`,
    ),
  ),
});

/** The body of `rotate-secret`. */
export const RotateBody = v.strictObject({
  overlap_seconds: v.nullish(whole(0, MAX_SECONDS), DEFAULT_OVERLAP_SECONDS),
  secret,
});

/** Checks a body that was sent to `host`. */
export function readDestination(json: unknown, host: string, config: Config): DestinationInput | Problem {
  const body = parseBody(DestinationBody, json);
  if (isProblem(body)) return body;
  const url = readTarget(body.url, host, config, "url");
  if (isProblem(url)) return url;
  const headers = body.headers ? readHeaders(body.headers) : null;
  if (headers?.ok === false) {
    const field = headers.name === null ? "headers" : shorten(`headers.${headers.name}`);
    return problem("invalid_value", `${field} ${headers.help}.`, { field });
  }
  return {
    url,
    host: new URL(url).host,
    format: body.format ?? "standard",
    retrySchedule: body.retry_schedule ?? null,
    maxInFlight: body.max_in_flight,
    maxPerSecond: body.max_per_second ?? null,
    headers: headers?.headers ?? null,
    secret: body.secret ?? null,
  };
}
