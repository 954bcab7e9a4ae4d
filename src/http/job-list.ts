/**
 * `GET /v1/jobs`: the tenant's jobs, newest first, as its index has them. The job of one request, named in full, is read
 * from its own object.
 */
import * as v from "valibot";
import type { Claims } from "../crypto/token.ts";
import { jobId } from "../job/ids.ts";
import { type Cursor, readCursor, writeCursor } from "../tenant/query.ts";
import { type Call, withJob } from "./call.ts";
import { readFilter } from "./job-filter.ts";
import { type Listed, listJson } from "./job-json.ts";
import { isProblem, type Problem } from "./problem.ts";
import { parseBody } from "./schema.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const LIMIT_HELP = `must be a whole number from 1 to ${MAX_LIMIT}`;
const CURSOR_HELP = "is not one of ours; take next_cursor as it came";

const Paging = v.strictObject({
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,4}$/, LIMIT_HELP),
      v.transform(Number),
      v.minValue(1, LIMIT_HELP),
      v.maxValue(MAX_LIMIT, LIMIT_HELP),
    ),
  ),
  cursor: v.optional(
    v.pipe(
      v.string(),
      v.transform((text): Cursor | null => readCursor(text.slice(0, 256))),
      v.check((cursor) => cursor !== null, CURSOR_HELP),
    ),
  ),
});

/** `GET /v1/jobs` */
export async function listJobs(call: Call, claims: Claims): Promise<Response | Problem> {
  const { limit, cursor, ...conditions } = Object.fromEntries(new URL(call.request.url).searchParams);
  const paging = parseBody(Paging, { limit, cursor });
  if (isProblem(paging)) return paging;
  const filter = readFilter(conditions);
  if (isProblem(filter)) return filter;
  const { endpoint, requestId } = filter;
  if (
    Object.keys(conditions).length === 2 &&
    endpoint !== undefined &&
    requestId !== undefined &&
    !paging.cursor
  )
    return listResponse(await ofRequest(call, claims, endpoint, requestId), null);
  const tenant = call.env.TENANT.getByName(claims.sub);
  const page = await tenant.list(filter, paging.cursor ?? null, paging.limit ?? DEFAULT_LIMIT);
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

const listResponse = (jobs: readonly Listed[], next: Cursor | null): Response =>
  new Response(listJson(jobs, next && writeCursor(next)), {
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
