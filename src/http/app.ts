/**
 * The Worker's HTTP side: routes, who may call them, and the last word on every error. No rule of a job's life
 * stands here.
 */
import { readConfig } from "../config.ts";
import { readHint } from "../crypto/hint.ts";
import type { Claims, Scope } from "../crypto/token.ts";
import { signingSecrets } from "../webhook/signature.ts";
import { jsonResponse } from "./answer.ts";
import { authenticate, tokenBound, tooOften } from "./auth.ts";
import { registerBatch } from "./batch.ts";
import { bulk, operation, stats } from "./bulk.ts";
import type { Bindings, Call, Route } from "./call.ts";
import { type Sharing, shared } from "./cors.ts";
import * as destinations from "./destinations.ts";
import { thrown, unusableConfig } from "./failure.ts";
import { feed, jobEvent } from "./feed.ts";
import { jobEvents } from "./job-events.ts";
import { listJobs } from "./job-list.ts";
import * as jobs from "./jobs.ts";
import { ping } from "./ping.ts";
import { isProblem, problem, problemResponse } from "./problem.ts";
import { providerApi } from "./provider-api.ts";
import { mint } from "./tokens.ts";

type Method = "GET" | "PUT" | "POST" | "DELETE";
/** Closed to bounded tokens, but for those that say how they keep one within its bounds. */
type Routes = Partial<Record<Method, readonly [scope: Scope, route: Route, keepsBounds?: true]>>;

/** The first path that fits counts: one in full stands in front of one with names. */
export const ROUTES: Readonly<Record<string, Routes>> = {
  "/v1/jobs": { GET: ["jobs:read", listJobs, true], POST: ["jobs:write", jobs.register, true] },
  "/v1/jobs/redeliver": { POST: ["jobs:write", bulk("redeliver")] },
  "/v1/jobs/cancel": { POST: ["jobs:write", bulk("cancel")] },
  "/v1/operations/:id": { GET: ["jobs:read", operation] },
  "/v1/stats": { GET: ["stats:read", stats] },
  "/v1/jobs/batch": { POST: ["jobs:write", registerBatch, true] },
  "/v1/jobs/:id": { GET: ["jobs:read", jobs.read, true], DELETE: ["jobs:write", jobs.erase, true] },
  "/v1/jobs/:id/event": { GET: ["jobs:read", jobEvent, true] },
  "/v1/jobs/:id/events": { GET: ["jobs:read", jobEvents, true] },
  "/v1/events": { GET: ["jobs:read", feed, true] },
  "/v1/jobs/:id/cancel": { POST: ["jobs:write", jobs.cancel, true] },
  "/v1/jobs/:id/redeliver": { POST: ["jobs:write", jobs.redeliver, true] },
  "/v1/destinations": { GET: ["destinations:read", destinations.list] },
  "/v1/destinations/:name": {
    GET: ["destinations:read", destinations.read],
    PUT: ["destinations:write", destinations.put],
    DELETE: ["destinations:write", destinations.remove],
  },
  "/v1/destinations/:name/rotate-secret": { POST: ["destinations:write", destinations.rotateSecret] },
  "/v1/destinations/:name/test": { POST: ["destinations:write", ping] },
  "/v1/destinations/:name/pause": { POST: ["destinations:write", destinations.pause(true)] },
  "/v1/destinations/:name/resume": { POST: ["destinations:write", destinations.pause(false)] },
  "/v1/tokens": { POST: ["tokens:write", mint, true] },
  "/v1/signing-secret": { GET: ["secrets:read", signingSecret] },
};

/** The table, each path in its segments. */
const TABLE = Object.entries(ROUTES).map(([path, routes]) => ({ segments: path.split("/"), routes }));

/** For the pages of `ALLOWED_ORIGINS`; whoever is not listed is answered as if there were no such thing. */
const SHARING: Omit<Sharing, "origin"> = {
  methods: "GET,HEAD,POST,PUT,DELETE",
  headers: "authorization,content-type,last-event-id",
  exposed: "location,retry-after",
  maxAgeSeconds: 7_200,
};

type Context = Pick<ExecutionContext, "waitUntil">;

export const app = {
  async fetch(request: Request, env: Bindings, context: Context): Promise<Response> {
    const response = await answer(request, env, context).catch((error) => problemResponse(thrown(error)));
    if (request.method !== "HEAD") return response;
    await response.body?.cancel();
    return new Response(null, response);
  },
};

async function answer(request: Request, env: Bindings, context: Context): Promise<Response> {
  // The caller's Host stands in it, and need not be one.
  const pathname = URL.parse(request.url)?.pathname ?? "";
  if (/^\/api(\/|$)/.test(pathname)) return providerApi(request, env, context);
  if (!/^\/v1(\/|$)/.test(pathname)) return outside(request, pathname, env);
  const config = readConfig(env);
  const origin = request.headers.get("origin") ?? "";
  // What went wrong is for the page to read, too.
  const native = () =>
    routed(request, pathname, env, context, config).catch((error) => problemResponse(thrown(error)));
  return config.ok && config.config.allowedOrigins.has(origin)
    ? shared(request, { ...SHARING, origin }, native)
    : native();
}

/** What is neither the native API nor the provider's. */
async function outside({ method }: Request, pathname: string, env: Bindings): Promise<Response> {
  if (pathname === "/healthz") return isGet(method) ? health(env) : methodNotAllowed(["GET"]);
  const [, hint] = /^\/hints\/([^/]+)$/.exec(pathname) ?? [];
  return hint !== undefined && method === "POST" ? hinted(decoded(hint), env) : NOTHING_HERE();
}

const isGet = (method: string): boolean => method === "GET" || method === "HEAD";

const NOTHING_HERE = () => problemResponse(problem("not_found", "There is nothing at this path."));

function health(env: Bindings): Response {
  const result = readConfig(env);
  if (result.ok) return jsonResponse({ status: "ok" });
  unusableConfig(result.problems);
  return problemResponse(problem("unavailable", "This server is not configured; its log says what to set."));
}

/** Route first, then configuration, then the token: nothing is done for a caller who may not ask. */
async function routed(
  request: Request,
  pathname: string,
  env: Bindings,
  context: Context,
  result: ReturnType<typeof readConfig>,
): Promise<Response> {
  const found = find(pathname);
  if (!found) return NOTHING_HERE();
  const { routes, params } = found;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const entry = Object.hasOwn(routes, method) ? routes[method as Method] : undefined;
  if (!entry) return methodNotAllowed(Object.keys(routes));
  const [scope, route, keepsBounds = false] = entry;
  if (!result.ok) return problemResponse(unusableConfig(result.problems));
  const { config } = result;
  const claims = await authenticate(request.headers.get("authorization") ?? undefined, scope, config);
  if (isProblem(claims)) return problemResponse(claims);
  const refused =
    (await tooOften(env, claims)) ?? (claims.own !== undefined && !keepsBounds ? tokenBound() : null);
  if (refused) return problemResponse(refused);
  const { id: jobId = "", name = "" } = params;
  const keepAlive = (work: Promise<unknown>) => context.waitUntil(work);
  const answered = await route({ request, env, config, jobId, name, keepAlive }, claims);
  return isProblem(answered) ? problemResponse(answered) : answered;
}

/** The routes of a path, the first in the table that fits, and what stands in place of their `:` names. */
function find(pathname: string) {
  const given = pathname.split("/").map(decoded);
  for (const { segments, routes } of TABLE) {
    if (segments.length !== given.length) continue;
    const params: Record<string, string> = {};
    const fits = segments.every((segment, i) => {
      const value = given[i] ?? "";
      if (!segment.startsWith(":")) return segment === value;
      params[segment.slice(1)] = value;
      return value !== "";
    });
    if (fits) return { routes, params };
  }
  return null;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * `POST /hints/{hint}`: the provider says that a generation call's request may be done. Whatever the hint names, and
 * whatever the body says, the answer is the same.
 */
async function hinted(hint: string, env: Bindings): Promise<Response> {
  const result = readConfig(env);
  const name = result.ok ? await readHint(hint, result.config.masterKeys) : null;
  // A hint that gets lost costs nothing: the job polls by itself.
  if (name !== null) await env.GENERATION.getByName(name).hint().catch(thrown);
  return new Response(null, { status: 204 });
}

/** `GET /v1/signing-secret` */
async function signingSecret({ config }: Call, claims: Claims): Promise<Response> {
  const [secret, ...previous] = await signingSecrets(config.masterKeys, claims.sub);
  return jsonResponse({ secret, previous });
}

function methodNotAllowed(methods: readonly string[]): Response {
  const allow = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  return problemResponse(problem("method_not_allowed", `Use ${allow} here.`, { headers: { allow } }));
}
