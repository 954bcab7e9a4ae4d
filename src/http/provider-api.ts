/**
 * The provider's own API under `/api`, for code that was written against the provider: a Pollhook token in `key`, the
 * provider's shapes in every answer. Any web page may call it: there are no cookies, only tokens.
 */
import { readConfig } from "../config.ts";
import { readCall } from "../provider/calls.ts";
import { isPlainObject } from "../provider/fields.ts";
import { tooOften } from "./auth.ts";
import { MAX_BODY_BYTES, readJson } from "./body.ts";
import type { Bindings } from "./call.ts";
import { type Sharing, shared } from "./cors.ts";
import { thrown, unusableConfig } from "./failure.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { refusal } from "./provider-answer.ts";
import { fetchRequest } from "./provider-fetch.ts";
import { forward } from "./provider-generation.ts";
import { identify, type ProviderApiCall } from "./provider-input.ts";
import { callerOf } from "./registration.ts";

/** Pictures to start from come as base64. */
const MAX_CALL_BYTES = 10 * 1024 * 1024;

const SHARING: Sharing = {
  origin: "*",
  methods: "POST",
  headers: "content-type,authorization,idempotency-key",
  exposed: "retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset",
  maxAgeSeconds: 86_400,
};

type Context = Pick<ExecutionContext, "waitUntil">;

/** Everything under `/api`. */
export const providerApi = (request: Request, env: Bindings, context: Context): Promise<Response> =>
  shared(request, SHARING, async () => {
    if (request.method !== "POST")
      return refusal(
        problem("method_not_allowed", "Use POST here.", { headers: { allow: "POST, OPTIONS" } }),
      );
    const answer = await handle(request, env, context).catch(thrown);
    return isProblem(answer) ? refusal(answer) : answer;
  });

async function handle(request: Request, env: Bindings, context: Context): Promise<Response | Problem> {
  const url = new URL(request.url);
  const asked = readCall(url.pathname);
  if (!asked) return problem("not_found", "This is no path of the provider's API.");
  const result = readConfig(env);
  if (!result.ok) return unusableConfig(result.problems);
  const { config } = result;
  const body = await readJson(request, asked.kind === "fetch" ? MAX_BODY_BYTES : MAX_CALL_BYTES);
  if (isProblem(body)) return body;
  if (!body || !isPlainObject(body.json))
    return problem("malformed_body", "Send a JSON object, with a Pollhook token as key.");
  const claims = await identify(body.json, config);
  if (isProblem(claims)) return claims;
  const refused = await tooOften(env, claims);
  if (refused) return refused;
  const call: ProviderApiCall = {
    request,
    env,
    config,
    claims,
    caller: callerOf(claims, request),
    body,
    origin: config.publicUrl === null ? url.origin : new URL(config.publicUrl).origin,
    keepAlive: (work) => context.waitUntil(work.catch(() => {})),
  };
  return asked.kind === "fetch" ? fetchRequest(call, asked) : forward(call, asked);
}
