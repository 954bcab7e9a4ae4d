/**
 * `GET /v1/jobs`: the tenant's jobs, newest first, as its index has them. The job of one request, named in full, is read
 * from its own object.
 */
import * as v from "valibot";
import type { Claims } from "../crypto/token.ts";
import { jobId } from "../job/ids.ts";
import { type Cursor, type JobFilter, readCursor, writeCursor } from "../tenant/query.ts";
import { type Call, withJob } from "./call.ts";
import { type Listed, listJson } from "./job-json.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { endpoint, requestId } from "./registration.ts";
import { parseBody } from "./schema.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_METADATA_FILTERS = 3;
const METADATA = "metadata.";

const LIMIT_HELP = `must be a whole number from 1 to ${MAX_LIMIT}`;
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
const short = v.optional(v.pipe(v.string(), v.maxLength(256, "is too long")));

const FILTERS = {
  status: oneOf("waiting", "delivering", "delivered", "undelivered", "finished", "canceled"),
  outcome: oneOf("succeeded", "failed", "expired", "canceled"),
  endpoint: v.optional(endpoint),
  request_id: v.optional(requestId),
  destination: short,
  host: short,
  created_after: time,
  created_before: time,
};
const Filter = v.strictObject(FILTERS);
const Query = v.strictObject({
  ...FILTERS,
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,4}$/, LIMIT_HELP),
      v.transform(Number),
      v.minValue(1, LIMIT_HELP),
      v.maxValue(MAX_LIMIT, LIMIT_HELP),
    ),
  ),
  cursor: v.optional(v.pipe(v.string(), v.maxLength(256, "is not one of ours; take next_cursor as it came"))),
});

/** `GET /v1/jobs` */
export async function listJobs(call: Call, claims: Claims): Promise<Response | Problem> {
  const given = Object.fromEntries(new URL(call.request.url).searchParams);
  const { plain, metadata } = splitMetadata(given);
  if (metadata.length > MAX_METADATA_FILTERS)
    return problem("invalid_value", `metadata can be filtered by ${MAX_METADATA_FILTERS} names at most.`, {
      field: metadata[MAX_METADATA_FILTERS]?.[0] ?? "metadata",
    });
  const query = parseBody(Query, plain);
  if (isProblem(query)) return query;
  const cursor = query.cursor === undefined ? null : readCursor(query.cursor);
  if (query.cursor !== undefined && !cursor)
    return problem("invalid_value", "cursor is not one of ours; take next_cursor as it came.", {
      field: "cursor",
    });
  const isOneRequest = Object.keys(given).every((name) => name === "endpoint" || name === "request_id");
  if (isOneRequest && query.endpoint !== undefined && query.request_id !== undefined)
    return listResponse(await ofRequest(call, claims, query.endpoint, query.request_id), null);
  const page = await call.env.TENANT.getByName(claims.sub).list(
    filterOf(query, metadata),
    cursor,
    query.limit ?? DEFAULT_LIMIT,
  );
  return listResponse(page.jobs, page.next);
}

async function ofRequest(
  { env }: Call,
  claims: Claims,
  endpoint: string,
  requestId: string,
): Promise<Listed[]> {
  const id = await jobId(claims.sub, endpoint, requestId);
  const found = await withJob(env, id, (job) => job.read(claims.sub, id));
  return found.kind === "found" ? [found.view] : [];
}

type Pairs = (readonly [name: string, value: string])[];

function splitMetadata(given: Readonly<Record<string, string>>): {
  plain: Record<string, string>;
  metadata: Pairs;
} {
  const entries = Object.entries(given);
  const isMetadata = ([name]: readonly [string, string]): boolean => name.startsWith(METADATA);
  return {
    plain: Object.fromEntries(entries.filter((entry) => !isMetadata(entry))),
    metadata: entries.filter(isMetadata).map(([name, value]) => [name.slice(METADATA.length), value]),
  };
}

const filterOf = (query: v.InferOutput<typeof Filter>, metadata: Pairs): JobFilter => ({
  status: query.status,
  outcome: query.outcome,
  endpoint: query.endpoint,
  requestId: query.request_id,
  destination: query.destination,
  host: query.host,
  createdAfter: query.created_after,
  createdBefore: query.created_before,
  metadata,
});

const listResponse = (jobs: readonly Listed[], next: Cursor | null): Response =>
  new Response(listJson(jobs, next && writeCursor(next)), {
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
