/**
 * Who is calling: the bearer token's tenant and what it may do (RFC 6750), and whether it calls too often.
 */
import type { Config } from "../config.ts";
import { type Claims, type Scope, type TokenFault, verifyToken } from "../crypto/token.ts";
import type { Bindings } from "./call.ts";
import { type Problem, problem } from "./problem.ts";

const REALM = 'Bearer realm="pollhook"';
/** Of a token that calls too often: the binding does not say when it may again, and counts 10 s or 60 s. */
const RETRY_SECONDS = 10;

export const TOKEN_FAULTS: Readonly<Record<TokenFault, string>> = {
  malformed: "The token is not one of Pollhook's; mint one with `npm run -s token`.",
  unknown_key: "The token was signed with a key that is not in use any more; mint a new one.",
  bad_signature: "The token's signature does not fit; mint a new one.",
  expired: "The token has expired; mint a new one.",
  revoked: "The token, or one that it came from, was revoked.",
};

/** The claims of the request's bearer token, if it has `scope`. */
export async function authenticate(
  header: string | undefined,
  scope: Scope,
  config: Config,
): Promise<Claims | Problem> {
  const token = bearerOf(header);
  if (token === null)
    return problem("token_missing", "Send a token: `Authorization: Bearer <token>`.", {
      headers: { "www-authenticate": REALM },
    });
  const claims = await verifyToken(token, config.masterKeys, config.revokedTokens);
  return typeof claims === "string"
    ? tokenProblem(claims, TOKEN_FAULTS[claims])
    : (missingScope(claims, scope) ?? claims);
}

/** The token as it came. */
export const bearerOf = (header: string | null | undefined): string | null =>
  /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? null;

export const tokenProblem = (fault: TokenFault, detail: string): Problem =>
  problem(fault === "expired" ? "token_expired" : "token_invalid", detail, {
    headers: { "www-authenticate": `${REALM}, error="invalid_token"` },
  });

/** The refusal of a token that lacks `scope`; `null` when it has it. */
export function missingScope(claims: Claims, scope: Scope): Problem | null {
  if (claims.scope.split(" ").includes(scope)) return null;
  return problem("insufficient_scope", `This needs a token with the scope ${scope}.`, {
    headers: { "www-authenticate": `${REALM}, error="insufficient_scope", scope="${scope}"` },
  });
}

/**
 * The refusal of what is outside of a token's bounds. Of a job that is another owner's, or of a route that is closed to
 * bounded tokens, it says nothing more.
 */
export const tokenBound = (field?: string): Problem =>
  field === undefined
    ? problem("token_bound", "The token is bound, and may not do this.")
    : problem("token_bound", `${field} is outside of what the token is bound to.`, { field });

/** The refusal of a token that calls too often, where somebody counts; `null` for every other. */
export async function tooOften(
  { RATE_LIMIT }: Pick<Bindings, "RATE_LIMIT">,
  { sub, jti }: Claims,
): Promise<Problem | null> {
  try {
    const { success } = (await RATE_LIMIT?.limit({ key: `${sub} ${jti}` })) ?? { success: true };
    if (success) return null;
  } catch {
    // Nobody is refused because nobody could count.
    return null;
  }
  return problem("rate_limited", "This token calls too often; call again later.", {
    headers: { "retry-after": String(RETRY_SECONDS) },
  });
}
