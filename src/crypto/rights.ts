/**
 * What a bounded token may do beside its scope, and what a token may hand on to another. A token with an owner is
 * bounded: it sees that owner's jobs alone, and registers within its bounds. Every rule here only ever narrows; the
 * names of claims are short, because phones carry them. Pure.
 */
import * as v from "valibot";
import type { Claims } from "./token.ts";

/** Parents of parents; each weighs 30 bytes in the token. */
export const MAX_ANCESTORS = 8;

const text = v.optional(v.string());
const texts = v.optional(v.array(v.string()));
/** Strict: a bound that this version does not know must not be passed over. */
const BoundsClaim = v.strictObject({
  /** The one destination… */
  dst: text,
  /** …or the origins of callbacks. */
  org: texts,
  /** Endpoints. */
  ep: texts,
  /** The one request id. */
  req: text,
  /** The longest deadline, in seconds. */
  ddl: v.optional(v.number()),
});
export type Bounds = Readonly<v.InferOutput<typeof BoundsClaim>>;

/** The claims that only a minted token has. */
export const narrowedClaims = {
  /** Whose jobs it sees; every bounded token has one. */
  own: text,
  bnd: v.optional(BoundsClaim),
  /** The `jti`s of its ancestors, the eldest first. */
  par: v.optional(v.array(v.string())),
};

/** Which jobs a caller may touch: with neither member, all of its tenant's. */
export type Reach = Pick<Claims, "own" | "bnd">;

/** What a new token is to have; a bound that is absent is the parent's. */
export interface Wish extends Bounds {
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly exp: number;
  readonly own?: string | undefined;
  /** It is to be free in which request it registers. */
  readonly any?: boolean | undefined;
}

/** What was asked for beyond the parent's rights, in the words of the call; `ancestors`: the chain is too long. */
export type Excess =
  | "scope"
  | "owner"
  | "destination"
  | "callback_origins"
  | "endpoints"
  | "request_id"
  | "any_request"
  | "max_deadline_seconds"
  | "ancestors";

/** The claims of a token that `parent` may hand on. It never outlives its parent, and is never less bounded. */
export function narrow(
  parent: Claims,
  { scopes, exp, own, any, ...asked }: Wish,
  { iat, jti }: Pick<Claims, "iat" | "jti">,
): Claims | Excess {
  const has = parent.scope.split(" ");
  if (!scopes.every((scope) => has.includes(scope))) return "scope";
  if (own !== undefined && (parent.own ?? own) !== own) return "owner";
  if (any && parent.bnd?.req !== undefined) return "any_request";
  const excess = excessOf(parent.bnd ?? {}, asked);
  if (excess !== null) return excess;
  const par = [...(parent.par ?? []), parent.jti];
  if (par.length > MAX_ANCESTORS) return "ancestors";
  const said = Object.entries(asked).filter(([, value]) => value !== undefined);
  const bnd: Bounds = { ...parent.bnd, ...Object.fromEntries(said) };
  const isBound = Object.keys(bnd).length > 0;
  return {
    sub: parent.sub,
    scope: scopes.join(" "),
    exp: Math.min(exp, parent.exp),
    iat,
    jti,
    own: parent.own ?? own ?? (isBound ? jti : undefined),
    bnd: isBound ? bnd : undefined,
    par,
  };
}

/** The bound that would be wider than the one there is. */
function excessOf(has: Bounds, asked: Bounds): Excess | null {
  const isOther = <T>(known: T | undefined, wanted: T | undefined): boolean =>
    known !== undefined && wanted !== undefined && wanted !== known;
  const isMore = (known?: readonly string[], wanted: readonly string[] = []): boolean =>
    known !== undefined && wanted.some((item) => !known.includes(item));
  if (asked.dst !== undefined && (has.org || isOther(has.dst, asked.dst))) return "destination";
  if (asked.org && (has.dst !== undefined || isMore(has.org, asked.org))) return "callback_origins";
  if (isMore(has.ep, asked.ep)) return "endpoints";
  if (isOther(has.req, asked.req)) return "request_id";
  return has.ddl !== undefined && (asked.ddl ?? 0) > has.ddl ? "max_deadline_seconds" : null;
}

/** Whether an event may be sent there; to nobody it always may. */
export function mayCall(
  { dst, org }: Bounds,
  { callbackUrl, destination }: { readonly callbackUrl: string | null; readonly destination: string | null },
): boolean {
  if (callbackUrl === null && destination === null) return true;
  if (dst !== undefined) return callbackUrl === null && destination === dst;
  return org === undefined || (callbackUrl !== null && org.includes(new URL(callbackUrl).origin));
}

/** What of the request's name is outside of the bounds. */
export function outside(
  { ep, req }: Bounds,
  { endpoint, requestId }: { readonly endpoint: string; readonly requestId: string },
): "endpoint" | "request_id" | null {
  if (req !== undefined && req !== requestId) return "request_id";
  return ep === undefined || ep.includes(endpoint) ? null : "endpoint";
}

/** Whether the job is one of those. */
export const reaches = (
  { own, bnd }: Reach,
  job: { readonly owner?: string | undefined; readonly endpoint: string; readonly requestId: string },
): boolean => own === undefined || (job.owner === own && outside(bnd ?? {}, job) === null);
