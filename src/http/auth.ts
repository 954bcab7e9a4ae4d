/**
 * Who is calling: the bearer token's tenant and what it may do (RFC 6750).
 */
import type { Config } from "../config.ts";
import { type Claims, type Scope, type TokenFault, verifyToken } from "../crypto/token.ts";
import { type Problem, problem } from "./problem.ts";

const REALM = 'Bearer realm="pollhook"';

export const TOKEN_FAULTS: Readonly<Record<TokenFault, string>> = {
  malformed: "The token is not one of Pollhook's; mint one with `npm run -s token`.",
  unknown_key: "The token was signed with a key that is not in use any more; mint a new one.",
  bad_signature: "The token's signature does not fit; mint a new one.",
  expired: "The token has expired; mint a new one.",
};

/** The claims of the request's bearer token, if it has `scope`. */
export async function authenticate(
  header: string | undefined,
  scope: Scope,
  config: Config,
): Promise<Claims | Problem> {
  const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? "") ?? [];
  if (token === undefined)
    return problem("token_missing", "Send a token: `Authorization: Bearer <token>`.", {
      headers: { "www-authenticate": REALM },
    });
  const claims = await verifyToken(token, config.masterKeys);
  return typeof claims === "string"
    ? tokenProblem(claims, TOKEN_FAULTS[claims])
    : (missingScope(claims, scope) ?? claims);
}

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
