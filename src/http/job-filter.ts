/**
 * The filters of lists and of operations on many jobs: the same names in a query and in a body.
 */
import * as v from "valibot";
import type { JobFilter } from "../tenant/query.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { endpoint, requestId } from "./registration.ts";
import { parseBody } from "./schema.ts";

const MAX_METADATA_FILTERS = 3;
const METADATA = "metadata.";

const TIME_HELP = "must be a time such as 2026-11-20T12:00:00Z";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

const oneOf = <const Words extends readonly string[]>(...words: Words) =>
  v.optional(v.picklist(words, `must be one of ${words.join(", ")}`));
const time = v.optional(
  v.pipe(
    v.string(TIME_HELP),
    v.regex(TIME, TIME_HELP),
    v.transform((text) => Date.parse(text)),
    v.check((ms) => !Number.isNaN(ms), TIME_HELP),
  ),
);
const short = v.optional(v.pipe(v.string("must be a string"), v.maxLength(256, "is too long")));
const metadataValue = v.pipe(
  v.union([v.string(), v.number()], "must be a string or a number"),
  v.check(
    (value) => typeof value === "string" || !Number.isInteger(value) || Number.isSafeInteger(value),
    "has lost digits as a number; send it as a string",
  ),
  v.transform(String),
  v.maxLength(256, "is too long"),
);

/** All but `metadata.<name>`. */
export const Filter = v.strictObject({
  status: oneOf("waiting", "delivering", "delivered", "undelivered", "finished", "canceled"),
  outcome: oneOf("succeeded", "failed", "expired", "canceled"),
  endpoint: v.optional(endpoint),
  request_id: v.optional(requestId),
  destination: short,
  host: short,
  created_after: time,
  created_before: time,
});

/** Reads the filter in `given`; `prefix` stands in front of the names of fields in problems. */
export function readFilter(given: Readonly<Record<string, unknown>>, prefix = ""): JobFilter | Problem {
  // `null` is the same as absent.
  const names = Object.keys(given).filter((name) => given[name] !== null);
  const plain = Object.fromEntries(
    names.filter((name) => !name.startsWith(METADATA)).map((name) => [name, given[name]]),
  );
  const filter = at(prefix, parseBody(Filter, plain));
  if (isProblem(filter)) return filter;
  const metadata: [string, string][] = [];
  for (const name of names.filter((name) => name.startsWith(METADATA))) {
    const field = `${prefix}${name.slice(0, 80)}`;
    if (metadata.length === MAX_METADATA_FILTERS)
      return problem(
        "invalid_value",
        `${field} is one name of metadata too many: ${MAX_METADATA_FILTERS} at most.`,
        { field },
      );
    const value = v.safeParse(metadataValue, given[name]);
    if (!value.success) return problem("invalid_value", `${field} ${value.issues[0].message}.`, { field });
    metadata.push([name.slice(METADATA.length), value.output]);
  }
  return {
    status: filter.status,
    outcome: filter.outcome,
    endpoint: filter.endpoint,
    requestId: filter.request_id,
    destination: filter.destination,
    host: filter.host,
    createdAfter: filter.created_after,
    createdBefore: filter.created_before,
    metadata,
  };
}

function at<T>(prefix: string, result: T | Problem): T | Problem {
  if (prefix === "" || !isProblem(result) || result.field === undefined) return result;
  const { field } = result;
  return { ...result, field: prefix + field, detail: result.detail.replace(field, prefix + field) };
}
