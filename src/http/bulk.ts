/**
 * `POST /v1/jobs/redeliver` and `/cancel` with a filter, and how far they are; `GET /v1/stats`.
 */
import * as v from "valibot";
import type { Claims } from "../crypto/token.ts";
import { newOperationId } from "../job/ids.ts";
import type { OperationKind } from "../tenant/operations.ts";
import { jsonResponse } from "./answer.ts";
import { readJson } from "./body.ts";
import type { Call, Route } from "./call.ts";
import { readFilter } from "./job-filter.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { parseBody } from "./schema.ts";

const FILTER_HELP = 'must be an object with at least one condition, such as {"status": "undelivered"}';
export const BulkBody = v.strictObject({
  filter: v.pipe(
    v.record(v.string(), v.unknown(), FILTER_HELP),
    v.check((filter) => Object.values(filter).some((value) => value !== null), FILTER_HELP),
  ),
  dry_run: v.nullish(v.boolean("must be true or false")),
});

/** Counts the jobs that fit, or begins to do it to each of them. */
export const bulk =
  (kind: OperationKind): Route =>
  async ({ request, env }: Call, claims: Claims): Promise<Response | Problem> => {
    const body = await readJson(request);
    if (isProblem(body)) return body;
    if (!body) return problem("malformed_body", 'Send a JSON body: {"filter": {…}, "dry_run": true}.');
    const input = parseBody(BulkBody, body.json);
    if (isProblem(input)) return input;
    const filter = readFilter(input.filter, "filter.");
    if (isProblem(filter)) return filter;
    const tenant = env.TENANT.getByName(claims.sub);
    if (input.dry_run) return jsonResponse({ count: await tenant.count(filter) });
    return jsonResponse({ operation: await tenant.start(newOperationId(), kind, filter) }, 202);
  };

/** `GET /v1/operations/{id}` */
export async function operation({ env, jobId }: Call, claims: Claims): Promise<Response | Problem> {
  const found = await env.TENANT.getByName(claims.sub).operation(jobId);
  return found ? jsonResponse({ operation: found }) : problem("not_found", "There is no such operation.");
}

export const WINDOW_HOURS = { "1h": 1, "24h": 24, "7d": 168 } as const;
export const StatsQuery = v.strictObject({
  window: v.optional(v.picklist(["1h", "24h", "7d"], "must be 1h, 24h or 7d"), "24h"),
});

/** `GET /v1/stats?window=` */
export async function stats({ request, env }: Call, claims: Claims): Promise<Response | Problem> {
  const query = parseBody(StatsQuery, Object.fromEntries(new URL(request.url).searchParams));
  if (isProblem(query)) return query;
  const to = Date.now();
  const from = to - WINDOW_HOURS[query.window] * 3_600_000;
  const figures = await env.TENANT.getByName(claims.sub).stats(from, to);
  const iso = (ms: number): string => new Date(ms).toISOString();
  return jsonResponse({ window: query.window, from: iso(from), to: iso(to), ...figures });
}
