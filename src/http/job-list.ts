/**
 * `GET /v1/jobs`: the tenant's jobs, or of a bounded token its owner's, newest first, as its index has them. The job of
 * one request, named in full, is read from its own object.
 */
import type { Claims } from "../crypto/token.ts";
import { jobId } from "../job/ids.ts";
import { withJob } from "../job/placement.ts";
import { type Cursor, readCursor, writeCursor } from "../tenant/query.ts";
import { jsonText } from "./answer.ts";
import type { Call } from "./call.ts";
import { readFilter } from "./job-filter.ts";
import { type Listed, listJson } from "./job-json.ts";
import { DEFAULT_LIMIT, paging } from "./paging.ts";
import { isProblem, type Problem } from "./problem.ts";
import { parseBody } from "./schema.ts";

const Paging = paging(readCursor);

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
  const page = await tenant.list(
    { ...filter, owner: claims.own },
    paging.cursor ?? null,
    paging.limit ?? DEFAULT_LIMIT,
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
  const found = await withJob(env, claims.sub, id, (job) => job.read(claims.sub, id, 0, { own: claims.own }));
  return found.kind === "found" ? [found.view] : [];
}

const listResponse = (jobs: readonly Listed[], next: Cursor | null): Response =>
  jsonText(listJson(jobs, next && writeCursor(next)));
