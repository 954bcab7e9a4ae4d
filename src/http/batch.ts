/**
 * `POST /v1/jobs/batch`: several registrations in one call, each judged and stored by itself.
 */
import * as v from "valibot";
import type { Claims } from "../crypto/token.ts";
import { putRows } from "../job/index-client.ts";
import { elementSpans, memberSpans } from "../json.ts";
import { jsonText } from "./answer.ts";
import { type JsonBody, MAX_BODY_BYTES, readJson } from "./body.ts";
import type { Call } from "./call.ts";
import { thrown } from "./failure.ts";
import { listedJob } from "./job-json.ts";
import { finderOf, registerOne } from "./jobs.ts";
import { isProblem, type Problem, problem, problemBody } from "./problem.ts";
import { parseBody } from "./schema.ts";

const MAX_JOBS = 100;
/** Of one registration it is 64 KiB; of many, what an isolate can hold a few of. */
const MAX_BATCH_BYTES = 16 * MAX_BODY_BYTES;

const TOO_LARGE = problem(
  "body_too_large",
  `A registration may have ${MAX_BODY_BYTES} bytes at most; shorten it.`,
);

const HELP = `must be a list of 1 to ${MAX_JOBS} registrations`;
export const BatchBody = v.strictObject({
  jobs: v.pipe(v.array(v.unknown(), HELP), v.minLength(1, HELP), v.maxLength(MAX_JOBS, HELP)),
});

/** Answers with one result for each registration, in their order; a bad one spoils no other. */
export async function registerBatch(call: Call, claims: Claims): Promise<Response | Problem> {
  const body = await readJson(call.request, MAX_BATCH_BYTES);
  if (isProblem(body)) return body;
  if (!body) return problem("malformed_body", 'Send a JSON body: {"jobs": [registration, …]}.');
  const input = parseBody(BatchBody, body.json);
  if (isProblem(input)) return input;
  const find = finderOf(call, claims);
  const results = await Promise.all(
    items(body, input.jobs).map((item) =>
      item.bytes.length > MAX_BODY_BYTES ? TOO_LARGE : registerOne(item, call, claims, find).catch(thrown),
    ),
  );
  const rows = results.flatMap((result) => (isProblem(result) || !result.row ? [] : [result.row]));
  if (rows.length > 0) call.keepAlive(putRows(call.env, claims.sub, rows));
  return jsonText(`{"results":[${results.map(resultJson).join(",")}]}\n`);
}

/** Each registration with its own bytes, from which its metadata and response are taken as they came. */
function items({ bytes }: JsonBody, jobs: readonly unknown[]): JsonBody[] {
  const [start, end] = memberSpans(bytes).get("jobs") ?? [0, 0];
  const list = bytes.subarray(start, end);
  return elementSpans(list).map(([from, to], i) => ({ json: jobs[i], bytes: list.subarray(from, to) }));
}

function resultJson(registered: Awaited<ReturnType<typeof registerOne>>): string {
  if (!isProblem(registered))
    return `{"status":${registered.kind === "created" ? 202 : 200},"job":${listedJob(registered.view)}}`;
  const problem = problemBody(registered);
  return `{"status":${problem.status},"problem":${JSON.stringify(problem)}}`;
}
