/**
 * The job routes: check the caller's request, ask the job's object, answer.
 */
import * as v from "valibot";
import type { Claims } from "../crypto/token.ts";
import { findDestination } from "../job/admission.ts";
import { isJobId } from "../job/ids.ts";
import { putRows } from "../job/index-client.ts";
import type { OtherOwner, Registered } from "../job/job.ts";
import { type JobStub, registerJob, withJob } from "../job/placement.ts";
import type { Registration } from "../job/registering.ts";
import type { JobView } from "../job/view.ts";
import { jsonText } from "./answer.ts";
import { tokenBound } from "./auth.ts";
import { type JsonBody, readJson } from "./body.ts";
import type { Call } from "./call.ts";
import { callbackFields, DESTINATION_UNKNOWN, type FindDestination, readCallback } from "./callback.ts";
import { jobJson, secondsToNext, withoutResponses } from "./job-json.ts";
import { isProblem, JOB_NOT_FOUND, type Problem, problem } from "./problem.ts";
import { callerOf, readRegistration } from "./registration.ts";
import { EmptyBody, readOptional } from "./schema.ts";

/** Longest hold of `?wait=`. */
export const MAX_WAIT_SECONDS = 60;

export const RedeliverBody = v.strictObject(callbackFields);

/** `POST /v1/jobs` */
export async function register(call: Call, claims: Claims): Promise<Response | Problem> {
  const body = await readJson(call.request);
  if (isProblem(body)) return body;
  if (!body)
    return problem(
      "malformed_body",
      "Send a JSON body; the least is request_id, and callback_url or destination to be called back.",
    );
  const registered = await registerOne(body, call, claims, finderOf(call, claims));
  if (isProblem(registered)) return registered;
  const { kind, view, row } = registered;
  if (row) call.keepAlive(putRows(call.env, claims.sub, [row]));
  const location = { location: `/v1/jobs/${view.fields.id}` };
  return kind === "created"
    ? jobResponse(view, claims, 202, { ...location, "retry-after": String(secondsToNext(view)) })
    : jobResponse(view, claims, 200, location);
}

/** Looks destinations of the caller's up, each once. */
export function finderOf({ env }: Call, { sub }: Claims): FindDestination {
  const found = new Map<string, ReturnType<FindDestination>>();
  return (name) => {
    const known = found.get(name) ?? findDestination(env, sub, name);
    found.set(name, known);
    return known;
  };
}

/** Registers what one body says. */
export async function registerOne(
  body: JsonBody,
  { request, env, config }: Call,
  claims: Claims,
  find: FindDestination,
): Promise<(Exclude<Registered, OtherOwner> & { readonly kind: "created" | "exists" }) | Problem> {
  const caller = callerOf(claims, request);
  const registration = await readRegistration(body, caller, config, find);
  if (isProblem(registration)) return registration;
  if (registration.destination?.isMissing) return registeredBefore(env, registration, claims);
  const registered = await registerJob(env, registration);
  if (registered.kind === "other_owner") return tokenBound();
  const { kind, view, row } = registered;
  if (kind !== "conflict") return { kind, view, row };
  return problem(
    "already_registered",
    "The callback or its format differs from the registration before; redeliver can name another callback.",
    {
      field: differingField(view, registration),
      headers: { location: `/v1/jobs/${registration.id}` },
    },
  );
}

/** A registration that is repeated when its destination has been deleted meanwhile: nothing begins, and nothing is refused. */
async function registeredBefore(
  env: Call["env"],
  { id, tenant, destination }: Registration,
  claims: Claims,
): Promise<(Exclude<Registered, OtherOwner> & { readonly kind: "exists" }) | Problem> {
  const found = await withJob(env, tenant, id, (job) => job.read(tenant, id, 0, claims));
  if (found.kind === "other_owner") return tokenBound();
  if (found.kind === "not_found") return DESTINATION_UNKNOWN;
  const { fields } = found.view;
  const isSame = fields.destination === destination?.name;
  const isAlive = fields.outcome === null || fields.outcome === "succeeded";
  return isSame && isAlive ? { kind: "exists", view: found.view, row: null } : DESTINATION_UNKNOWN;
}

function differingField({ fields }: JobView, { callbackUrl, destination }: Registration): string {
  const isSame = fields.callback_url === callbackUrl && fields.destination === (destination?.name ?? null);
  if (isSame) return "format";
  return destination ? "destination" : "callback_url";
}

/** `GET /v1/jobs/{id}` */
export async function read(call: Call, claims: Claims): Promise<Response | Problem> {
  const wait = new URL(call.request.url).searchParams.get("wait") ?? "0";
  if (!/^\d{1,4}$/.test(wait) || Number(wait) > MAX_WAIT_SECONDS)
    return problem("invalid_value", `wait must be a whole number of seconds from 0 to ${MAX_WAIT_SECONDS}.`, {
      field: "wait",
    });
  // A token with other bounds but the same owner keeps its jobs.
  const reach = { own: claims.own };
  return onJob(call, claims, (job, id) => job.read(claims.sub, id, Number(wait) * 1000, reach), 200);
}

/** `POST /v1/jobs/{id}/cancel` */
export async function cancel(call: Call, claims: Claims): Promise<Response | Problem> {
  const input = await readOptional(call.request, EmptyBody);
  if (isProblem(input)) return input;
  return onJob(call, claims, (job, id) => job.cancel(claims.sub, id, claims), 200);
}

/** `POST /v1/jobs/{id}/redeliver` */
export async function redeliver(call: Call, claims: Claims): Promise<Response | Problem> {
  const input = await readOptional(call.request, RedeliverBody);
  if (isProblem(input)) return input;
  const { host } = new URL(call.request.url);
  const callback = await readCallback(input, host, call.config, finderOf(call, claims), claims.bnd);
  if (isProblem(callback)) return callback;
  const { callbackUrl, destination } = callback;
  if (destination?.isMissing) return DESTINATION_UNKNOWN;
  return onJob(
    call,
    claims,
    (job, id) => job.redeliver(claims.sub, id, callbackUrl, destination, claims),
    202,
  );
}

/** `DELETE /v1/jobs/{id}` */
export async function erase(call: Call, claims: Claims): Promise<Response | Problem> {
  if (!isJobId(call.jobId)) return JOB_NOT_FOUND;
  const result = await withJob(call.env, claims.sub, call.jobId, (job) =>
    job.erase(claims.sub, call.jobId, claims),
  );
  if (result.kind === "other_owner") return tokenBound();
  return result.kind === "erased" ? new Response(null, { status: 204 }) : JOB_NOT_FOUND;
}

type JobAnswer =
  | { readonly kind: "found"; readonly view: JobView }
  | { readonly kind: "not_found" | "other_owner" | "already_over" | "nothing_to_deliver" };

async function onJob(
  { env, jobId }: Call,
  claims: Claims,
  ask: (job: JobStub, id: string) => Promise<JobAnswer>,
  status: number,
): Promise<Response | Problem> {
  if (!isJobId(jobId)) return JOB_NOT_FOUND;
  const answer = await withJob(env, claims.sub, jobId, (job) => ask(job, jobId));
  switch (answer.kind) {
    case "found":
      return jobResponse(answer.view, claims, status);
    case "not_found":
      return JOB_NOT_FOUND;
    case "other_owner":
      return tokenBound();
    case "already_over":
      return problem("already_over", "Nothing is left to cancel: the job is over.");
    case "nothing_to_deliver":
      return problem(
        "nothing_to_deliver",
        "The job has no event yet, or no callback: name one in callback_url or destination.",
      );
    default:
      return answer satisfies never;
  }
}

const jobResponse = (
  view: JobView,
  { own }: Claims,
  status: number,
  headers: Record<string, string> = {},
): Response => jsonText(jobJson(own === undefined ? view : withoutResponses(view)), status, headers);
