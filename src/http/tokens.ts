/**
 * `POST /v1/tokens`: a token that may do less than the caller's, for a while. Nothing is stored: what the new token may
 * do stands in it, and which tokens it comes from.
 */
import * as v from "valibot";
import { type Excess, MAX_ANCESTORS, narrow } from "../crypto/rights.ts";
import { type Claims, isTenant, keyOf, mintToken, SCOPES } from "../crypto/token.ts";
import { MAX_DEADLINE_SECONDS } from "../job/registering.ts";
import { isEndpoint } from "../provider/endpoints.ts";
import { jsonResponse } from "./answer.ts";
import { bearerOf, missingScope, tokenBound } from "./auth.ts";
import { readJson } from "./body.ts";
import type { Call } from "./call.ts";
import { callbackFields, exclusive } from "./callback.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { MIN_DEADLINE_SECONDS, requestId } from "./registration.ts";
import { parseBody, whole } from "./schema.ts";

const MIN_LIFE_SECONDS = 60;
const MAX_LIFE_SECONDS = 30 * 86_400;
/** Of each list: a token goes into a header with every call. */
const MAX_LISTED = 16;
const MAX_ORIGIN_CHARS = 128;

const SCOPE_HELP = `must be of ${SCOPES.join(" ")}, separated by spaces`;
const OWNER_HELP = "must be 1 to 64 of the characters A-Z a-z 0-9 _ . @ -";

const isScope = (word: string): boolean => (SCOPES as readonly string[]).includes(word);
const isOrigin = (text: string): boolean =>
  text.length <= MAX_ORIGIN_CHARS && /^https?:[^*]+$/.test(text) && URL.parse(text)?.origin === text;
const listOf = (what: string, item: (text: string) => boolean) => {
  const help = `must be a list of 1 to ${MAX_LISTED} ${what}`;
  const isList = (value: unknown): boolean =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_LISTED &&
    value.every((text) => typeof text === "string" && item(text));
  return v.optional(v.custom<string[]>(isList, help));
};

/** A bound that is `null` is refused: what was to narrow a token must not be lost on the way. */
export const TokenBody = v.strictObject({
  scope: v.pipe(
    v.string(SCOPE_HELP),
    v.transform((text) => [...new Set(text.split(" "))].filter((word) => word !== "")),
    v.check((words) => words.length > 0 && words.every(isScope), SCOPE_HELP),
  ),
  expires_in: whole(MIN_LIFE_SECONDS, MAX_LIFE_SECONDS, " of seconds"),
  owner: v.optional(v.pipe(v.string(OWNER_HELP), v.check(isTenant, OWNER_HELP))),
  destination: v.optional(callbackFields.destination.wrapped),
  callback_origins: listOf(
    "origins in lower case and without a path, such as https://app.example.com",
    isOrigin,
  ),
  endpoints: listOf('endpoints such as "v3" or "v6/video"', isEndpoint),
  request_id: v.optional(requestId),
  any_request: v.nullish(v.boolean("must be true or false")),
  max_deadline_seconds: v.optional(whole(MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS, " of seconds")),
});

export async function mint({ request, config }: Call, claims: Claims): Promise<Response | Problem> {
  const body = await readJson(request);
  if (isProblem(body)) return body;
  if (!body) return problem("malformed_body", "Send a JSON body; the least is scope and expires_in.");
  const input = parseBody(TokenBody, body.json);
  if (isProblem(input)) return input;
  const { scope: scopes, expires_in, any_request, destination, callback_origins, request_id } = input;
  if (destination !== undefined && callback_origins) return exclusive("callback_origins", "destination");
  if (any_request && request_id !== undefined) return exclusive("any_request", "request_id");
  const iat = Math.floor(Date.now() / 1000);
  const wish = {
    scopes,
    exp: iat + expires_in,
    own: input.owner,
    any: any_request ?? undefined,
    dst: destination,
    org: callback_origins,
    ep: input.endpoints,
    req: request_id,
    ddl: input.max_deadline_seconds,
  };
  const made = narrow(claims, wish, { iat, jti: crypto.randomUUID() });
  if (typeof made === "string") return excessive(made, scopes, claims);
  // The provider's ids are sequential: whoever may register any sees what others have made.
  if (scopes.includes("jobs:write") && made.bnd?.req === undefined && !any_request)
    return problem(
      "invalid_value",
      'request_id is missing: jobs:write needs one, unless you say "any_request": true.',
      { field: "request_id" },
    );
  // Signed with its parent's key, so that the end of that key is the end of both.
  const key = keyOf(bearerOf(request.headers.get("authorization")) ?? "", config.masterKeys);
  if (typeof key === "string") throw new Error(key);
  return jsonResponse({
    token: await mintToken(made, key),
    expires_at: new Date(made.exp * 1000).toISOString(),
  });
}

/** More than the caller's own token may do. */
function excessive(excess: Excess, scopes: readonly string[], claims: Claims): Problem {
  if (excess === "ancestors")
    return problem("token_bound", `A token may have ${MAX_ANCESTORS} ancestors at most.`);
  const missing = SCOPES.filter((scope) => scopes.includes(scope)).map((scope) =>
    missingScope(claims, scope),
  );
  return missing.find((problem) => problem !== null) ?? tokenBound(excess);
}
