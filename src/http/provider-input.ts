/**
 * What a call in the provider's own form brings for us, beside the provider's fields: who calls, whom to call back, and
 * with which key to ask. `null` and `""` are the same as absent here: the provider's own samples send them.
 */
import * as v from "valibot";
import { type Config, isProviderKey, serverKeyFor } from "../config.ts";
import { mayCall } from "../crypto/rights.ts";
import { type Claims, type TokenFault, verifyToken } from "../crypto/token.ts";
import { rawMember } from "../json.ts";
import { isPlainObject } from "../provider/fields.ts";
import type { EventFormat } from "../webhook/event.ts";
import { TOKEN_FAULTS, tokenBound, tokenProblem } from "./auth.ts";
import type { JsonBody } from "./body.ts";
import type { Bindings } from "./call.ts";
import { readTarget } from "./callback.ts";
import { findDisagreement } from "./naming.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { type Caller, MAX_METADATA_BYTES, PROVIDER_KEY_HELP, requestId } from "./registration.ts";
import { parseBody } from "./schema.ts";

export const OurFields = v.object({
  webhook: v.optional(v.string("must be a string")),
  track_id: v.optional(v.union([v.string(), v.number()], "must be a string or a number")),
  webhook_format: v.optional(v.picklist(["standard", "provider"], 'must be "standard" or "provider"')),
  provider_key: v.optional(v.pipe(v.string("must be a string"), v.check(isProviderKey, PROVIDER_KEY_HELP))),
});
const Ids = v.object({ request_id: v.optional(requestId), id: v.optional(requestId) });

/** A call whose token has been checked. */
export interface ProviderApiCall {
  readonly request: Request;
  readonly env: Bindings;
  readonly config: Config;
  readonly claims: Claims;
  readonly caller: Caller;
  /** A JSON object. */
  readonly body: JsonBody;
  /** Where callers reach us. */
  readonly origin: string;
  /** Lets the work go on when the caller has gone. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

/** Who is to be told of the request's end, and how. */
export interface Callback {
  readonly url: string;
  readonly format: EventFormat;
  /** JSON text of an object: the `track_id`, if there is one. */
  readonly metadata: string;
}

export interface ProviderInput {
  /** `null`: nobody is to be called. */
  readonly callback: Callback | null;
  /** What the provider is asked with; `null` where there is no key to be had. */
  readonly providerKey: string | null;
  /** The key came with the call. */
  readonly ownKey: boolean;
}

export const KEY_NEEDED = problem(
  "invalid_value",
  "provider_key is needed: this server has no provider key for you.",
  { field: "provider_key" },
);

const FAULTS: Readonly<Partial<Record<TokenFault, string>>> = {
  malformed:
    "key must be a Pollhook token, and what came is none. The provider's own key goes into provider_key, if the server has none for you.",
};

/** The claims of the Pollhook token in `key`. What stands there instead is never repeated. */
export async function identify(json: Record<string, unknown>, config: Config): Promise<Claims | Problem> {
  const { key } = json;
  if (typeof key !== "string" || key === "")
    return problem("token_missing", "key is missing: send a Pollhook token as key.", {
      headers: { "www-authenticate": "Bearer" },
    });
  const claims = await verifyToken(key, config.masterKeys, config.revokedTokens);
  return typeof claims === "string" ? tokenProblem(claims, FAULTS[claims] ?? TOKEN_FAULTS[claims]) : claims;
}

/** Reads our own fields. */
export function readInput(
  body: JsonBody,
  { tenant, host, bnd = {} }: Caller,
  config: Config,
): ProviderInput | Problem {
  const input = parseBody(OurFields, present(body.json));
  if (isProblem(input)) return input;
  const callback = input.webhook === undefined ? null : readCallback(input.webhook, body, host, config);
  if (isProblem(callback)) return callback;
  if (callback && !mayCall(bnd, { callbackUrl: callback.url, destination: null }))
    return tokenBound("webhook");
  return {
    callback: callback && { ...callback, format: input.webhook_format ?? "provider" },
    providerKey: input.provider_key ?? serverKeyFor(config, tenant),
    ownKey: input.provider_key !== undefined,
  };
}

function readCallback(
  webhook: string,
  body: JsonBody,
  host: string,
  config: Config,
): Omit<Callback, "format"> | Problem {
  const url = readTarget(webhook, host, config, "webhook");
  if (isProblem(url)) return url;
  const trackId =
    "track_id" in (present(body.json) as object) ? rawMember(body.bytes, "track_id") : undefined;
  const metadata = trackId === undefined ? "{}" : `{"track_id":${trackId}}`;
  if (new TextEncoder().encode(metadata).length > MAX_METADATA_BYTES)
    return problem("invalid_value", "track_id is too long.", { field: "track_id" });
  return { url, metadata };
}

/**
 * The id of a fetch call, from its path and from its body, where it may stand under two names; all that are there must
 * be the same.
 */
export function readRequestId(pathId: string | null, body: JsonBody): string | Problem {
  const ids = parseBody(Ids, present(body.json));
  if (isProblem(ids)) return ids;
  const disagreement = findDisagreement("id", [
    ["the path", pathId],
    ["request_id", ids.request_id],
    ["id", ids.id],
  ]);
  return (
    disagreement ??
    pathId ??
    ids.request_id ??
    ids.id ??
    problem("invalid_value", "request_id is missing: send it in the path or in the body.", {
      field: "request_id",
    })
  );
}

/** The members that say something. */
function present(json: unknown): unknown {
  if (!isPlainObject(json)) return json;
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null && value !== ""));
}
