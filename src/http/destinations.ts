/**
 * The routes of destinations, all but the one that calls them. An answer shows a secret once, when it is made or given,
 * and the value of a header never.
 */
import type { Claims } from "../crypto/token.ts";
import { decodeCursor, encodeCursor } from "../tenant/query.ts";
import type { ShownDestination } from "../tenant/tenant.ts";
import { isDestinationName, openDestination } from "../webhook/destination.ts";
import { jsonResponse } from "./answer.ts";
import { readJson } from "./body.ts";
import type { Call, Route } from "./call.ts";
import { RotateBody, readDestination } from "./destination-input.ts";
import { DEFAULT_LIMIT, paging } from "./paging.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { EmptyBody, parseBody, readOptional } from "./schema.ts";

export const NOT_FOUND = problem("not_found", "There is no such destination.");
export const UNREADABLE = problem(
  "destination_unreadable",
  "It was sealed with a master key that is not in use any more; PUT it anew, with its headers and its secret.",
);
const BAD_NAME = problem("invalid_value", "name must be 1 to 64 of the characters A-Z a-z 0-9 _ -.", {
  field: "name",
});

const Paging = paging((text) => {
  const name = decodeCursor(text);
  return isDestinationName(name) ? name : null;
});

/** `GET /v1/destinations` */
export async function list({ request, env, config }: Call, { sub }: Claims): Promise<Response | Problem> {
  const query = parseBody(Paging, Object.fromEntries(new URL(request.url).searchParams));
  if (isProblem(query)) return query;
  const tenant = env.TENANT.getByName(sub);
  const page = await tenant.listDestinations(query.cursor ?? null, query.limit ?? DEFAULT_LIMIT);
  const destinations = await Promise.all(page.destinations.map((stored) => toJson(stored, sub, config)));
  return jsonResponse({ destinations, next_cursor: page.next && encodeCursor(page.next) });
}

/** `GET /v1/destinations/{name}` */
export async function read(call: Call, claims: Claims): Promise<Response | Problem> {
  const stored = await find(call, claims);
  return stored ? jsonResponse(await toJson(stored, claims.sub, call.config)) : NOT_FOUND;
}

/** `PUT /v1/destinations/{name}` */
export async function put(call: Call, { sub }: Claims): Promise<Response | Problem> {
  const { request, env, config, name } = call;
  if (!isDestinationName(name)) return BAD_NAME;
  const body = await readJson(request);
  if (isProblem(body)) return body;
  if (!body) return problem("malformed_body", "Send a JSON body; the least is url.");
  const input = readDestination(body.json, new URL(request.url).host, config);
  if (isProblem(input)) return input;
  const result = await env.TENANT.getByName(sub).putDestination(name, input);
  if (result.kind === "limit")
    return problem("destination_limit", "Delete a destination that is not used any more.");
  if (result.kind === "headers_needed")
    return problem("invalid_value", "headers is needed, or {}: the URL leads to another host than before.", {
      field: "headers",
    });
  const { kind, destination, secret } = result;
  return jsonResponse(
    { ...(await toJson(destination, sub, config)), secret: secret ?? undefined },
    kind === "created" ? 201 : 200,
  );
}

/** `DELETE /v1/destinations/{name}` */
export async function remove({ env, name }: Call, { sub }: Claims): Promise<Response | Problem> {
  const isRemoved = isDestinationName(name) && (await env.TENANT.getByName(sub).removeDestination(name));
  return isRemoved ? new Response(null, { status: 204 }) : NOT_FOUND;
}

/** `POST /v1/destinations/{name}/rotate-secret` */
export async function rotateSecret(call: Call, { sub }: Claims): Promise<Response | Problem> {
  const { request, env, name } = call;
  const body = await readOptional(request, RotateBody);
  if (isProblem(body)) return body;
  if (!isDestinationName(name)) return NOT_FOUND;
  const result = await env.TENANT.getByName(sub).rotateSecret(
    name,
    body.overlap_seconds * 1000,
    body.secret ?? null,
  );
  switch (result.kind) {
    case "done":
      return jsonResponse({ secret: result.secret, previous_until: iso(result.destination.previousUntil) });
    case "missing":
      return NOT_FOUND;
    case "unreadable":
      return UNREADABLE;
    default:
      return result satisfies never;
  }
}

/** `POST /v1/destinations/{name}/pause` and `/resume` */
export const pause =
  (isPaused: boolean): Route =>
  async ({ request, env, config, name }, { sub }) => {
    const body = await readOptional(request, EmptyBody);
    if (isProblem(body)) return body;
    if (!isDestinationName(name)) return NOT_FOUND;
    const stored = await env.TENANT.getByName(sub).pauseDestination(name, isPaused);
    return stored ? jsonResponse(await toJson(stored, sub, config)) : NOT_FOUND;
  };

/** The destination that the path names; no object is asked for what cannot be a name. */
export const find = async ({ env, name }: Call, { sub }: Claims): Promise<ShownDestination | null> =>
  isDestinationName(name) ? env.TENANT.getByName(sub).findDestination(name) : null;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export type DestinationJson = Awaited<ReturnType<typeof toJson>>;

/** As every route shows it. */
async function toJson(stored: ShownDestination, tenant: string, { masterKeys }: Call["config"]) {
  const content = await openDestination(stored.sealed, tenant, stored.name, masterKeys);
  const { pausedAt, previousUntil } = stored;
  const ready = pausedAt === null ? "active" : "paused";
  const status: "active" | "paused" | "unreadable" = content === null ? "unreadable" : ready;
  return {
    name: stored.name,
    url: content?.url ?? null,
    host: stored.host,
    format: stored.format,
    retry_schedule: stored.retrySchedule,
    header_names: stored.headerNames,
    max_in_flight: stored.maxInFlight,
    max_per_second: stored.maxPerSecond,
    status,
    paused_at: iso(pausedAt),
    flow: stored.flow,
    previous_until: iso(previousUntil !== null && previousUntil > Date.now() ? previousUntil : null),
    created_at: iso(stored.createdAt),
    updated_at: iso(stored.updatedAt),
  };
}
