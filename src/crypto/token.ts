/**
 * Callers' tokens: JWTs (HS256) keyed from the master keys and verified without storage. The `kid` header names
 * the master key; taking a key off the list ends its tokens. Runs in the Worker and in the command line tool.
 */
import { decode, sign, verify } from "hono/jwt";
import { encodeBase64Url } from "hono/utils/encode";
import { deriveKey, type MasterKey } from "./keys.ts";

/** What a token may allow, and has when nothing is said of scopes. */
export const DEFAULT_SCOPES = [
  "jobs:read",
  "jobs:write",
  "generations:write",
  "stats:read",
  "tokens:write",
  "secrets:read",
  "destinations:read",
  "destinations:write",
] as const;

/** Everything a token may allow. `provider:admin` restarts servers and deletes models: it must be asked for by name. */
export const SCOPES = [...DEFAULT_SCOPES, "provider:admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Claims {
  /** The tenant. */
  readonly sub: string;
  /** Space-separated. */
  readonly scope: string;
  /** Seconds since 1970. */
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
}

export type TokenFault = "malformed" | "unknown_key" | "bad_signature" | "expired";

/** A tenant's name: what may stand in `sub`. */
export const isTenant = (text: string): boolean => /^[A-Za-z0-9_.@-]{1,64}$/.test(text);

async function jwk(master: MasterKey) {
  const key = await deriveKey(master, "token");
  const k = encodeBase64Url(key.buffer).replace(/=+$/, "");
  return { kty: "oct", k, alg: "HS256", kid: master.kid } as const;
}

export async function mintToken(claims: Claims, newest: MasterKey): Promise<string> {
  return sign({ ...claims }, await jwk(newest));
}

/** The claims of a token that one of `masterKeys` signed and that has not expired; else what is wrong with it. */
export async function verifyToken(
  token: string,
  masterKeys: readonly MasterKey[],
): Promise<Claims | TokenFault> {
  let kid: unknown;
  try {
    // hono types the header without `kid`; a JWT may carry it (RFC 7515, 4.1.4).
    kid = (decode(token).header as { kid?: unknown }).kid;
  } catch {
    return "malformed";
  }
  if (typeof kid !== "string") return "malformed";
  const master = masterKeys.find((key) => key.kid === kid);
  if (!master) return "unknown_key";
  try {
    // `iat` is not judged: the clock of whoever minted the token may be a little ahead of ours.
    const payload = await verify(token, await jwk(master), { alg: "HS256", iat: false });
    return toClaims(payload) ?? "malformed";
  } catch (error) {
    if (!(error instanceof Error)) return "malformed";
    if (error.name === "JwtTokenExpired") return "expired";
    return error.name === "JwtTokenSignatureMismatched" ? "bad_signature" : "malformed";
  }
}

function toClaims(payload: Record<string, unknown>): Claims | null {
  const { sub, scope, exp, iat, jti } = payload;
  if (typeof sub !== "string" || !isTenant(sub) || typeof scope !== "string") return null;
  if (typeof exp !== "number" || typeof iat !== "number" || typeof jti !== "string") return null;
  return { sub, scope, exp, iat, jti };
}
