/**
 * The Worker's HTTP side: routes, who may call them, and the last word on every error. No rule of a job's life
 * stands here.
 */
import type { Context } from "hono";
import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import { readConfig } from "../config.ts";
import { readHint } from "../crypto/hint.ts";
import type { Claims, Scope } from "../crypto/token.ts";
import { signingSecrets } from "../webhook/signature.ts";
import { jsonResponse } from "./answer.ts";
import { authenticate, tokenBound, tooOften } from "./auth.ts";
import { registerBatch } from "./batch.ts";
import { bulk, operation, stats } from "./bulk.ts";
import type { Bindings, Call, Route } from "./call.ts";
import { crossOrigin } from "./cors.ts";
import * as destinations from "./destinations.ts";
import { thrown, unusableConfig } from "./failure.ts";
import { feed } from "./feed.ts";
import { jobEvents } from "./job-events.ts";
import { listJobs } from "./job-list.ts";
import * as jobs from "./jobs.ts";
import { ping } from "./ping.ts";
import { isProblem, type Problem, problem, problemResponse } from "./problem.ts";
import { providerApi } from "./provider-api.ts";
import { mint } from "./tokens.ts";

type Method = "GET" | "PUT" | "POST" | "DELETE";
/** Closed to bounded tokens, but for those that say how they keep one within its bounds. */
type Routes = Partial<Record<Method, readonly [scope: Scope, route: Route, keepsBounds?: true]>>;

const ROUTES: Readonly<Record<string, Routes>> = {
  "/v1/jobs": { GET: ["jobs:read", listJobs, true], POST: ["jobs:write", jobs.register, true] },
  "/v1/jobs/redeliver": { POST: ["jobs:write", bulk("redeliver")] },
  "/v1/jobs/cancel": { POST: ["jobs:write", bulk("cancel")] },
  "/v1/operations/:id": { GET: ["jobs:read", operation] },
  "/v1/stats": { GET: ["stats:read", stats] },
  "/v1/jobs/batch": { POST: ["jobs:write", registerBatch, true] },
  "/v1/jobs/:id": { GET: ["jobs:read", jobs.read, true], DELETE: ["jobs:write", jobs.erase, true] },
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

type Env = { Bindings: Bindings };

// Two dozen paths need no faster router, and this one is light and quickly made.
export const app = new HonoBase<Env>({ router: new TrieRouter() });

app.use("/v1/*", crossOrigin);
for (const [path, routes] of Object.entries(ROUTES)) {
  for (const [method, [scope, route, keepsBounds = false]] of Object.entries(routes))
    app.on(method, path, (c) => guarded(c, scope, route, keepsBounds));
  app.all(path, () => problemResponse(methodNotAllowed(Object.keys(routes))));
}

app.route("/api", providerApi);
app.post("/hints/:hint", hinted);

app.get("/healthz", (c) => {
  const result = readConfig(c.env);
  if (result.ok) return jsonResponse({ status: "ok" });
  unusableConfig(result.problems);
  return problemResponse(problem("unavailable", "This server is not configured; its log says what to set."));
});
app.all("/healthz", () => problemResponse(methodNotAllowed(["GET"])));

app.notFound(() => problemResponse(problem("not_found", "There is nothing at this path.")));

app.onError((error) => problemResponse(thrown(error)));

/** Configuration first, then the token, then the route: nothing is done for a caller who may not ask. */
async function guarded(c: Context<Env>, scope: Scope, route: Route, keepsBounds: boolean): Promise<Response> {
  const result = readConfig(c.env);
  if (!result.ok) return problemResponse(unusableConfig(result.problems));
  const claims = await authenticate(c.req.header("authorization"), scope, result.config);
  if (isProblem(claims)) return problemResponse(claims);
  const refused =
    (await tooOften(c.env, claims)) ?? (claims.own !== undefined && !keepsBounds ? tokenBound() : null);
  if (refused) return problemResponse(refused);
  const call: Call = {
    request: c.req.raw,
    env: c.env,
    config: result.config,
    jobId: c.req.param("id") ?? "",
    name: c.req.param("name") ?? "",
    keepAlive: (work) => c.executionCtx.waitUntil(work),
  };
  const answer = await route(call, claims);
  return isProblem(answer) ? problemResponse(answer) : answer;
}

/**
 * `POST /hints/{hint}`: the provider says that a generation call's request may be done. Whatever the hint names, and
 * whatever the body says, the answer is the same.
 */
async function hinted(c: Context<Env>): Promise<Response> {
  const result = readConfig(c.env);
  const name = result.ok ? await readHint(c.req.param("hint") ?? "", result.config.masterKeys) : null;
  // A hint that gets lost costs nothing: the job polls by itself.
  if (name !== null) await c.env.GENERATION.getByName(name).hint().catch(thrown);
  return new Response(null, { status: 204 });
}

/** `GET /v1/signing-secret` */
async function signingSecret({ config }: Call, claims: Claims): Promise<Response> {
  const [secret, ...previous] = await signingSecrets(config.masterKeys, claims.sub);
  return jsonResponse({ secret, previous });
}

function methodNotAllowed(methods: readonly string[]): Problem {
  const allow = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  return problem("method_not_allowed", `Use ${allow} here.`, { headers: { allow } });
}
