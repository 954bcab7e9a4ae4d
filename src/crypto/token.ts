/**
 * Callers' tokens: JWTs (HS256) keyed from the master keys and verified without storage. The `kid` header names
 * the master key; taking a key off the list ends its tokens. Runs in the Worker and in the command line tool.
 */
import { decode, sign, verify } from "hono/jwt";
import { encodeBase64Url } from "hono/utils/encode";
import * as v from "valibot";
import { deriveKey, type MasterKey } from "./keys.ts";
import { narrowedClaims } from "./rights.ts";

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

/** A tenant's name: what may stand in `sub`. */
export const isTenant = (text: string): boolean => /^[A-Za-z0-9_.@-]{1,64}$/.test(text);

const ClaimsSchema = v.object({
  /** The tenant. */
  sub: v.pipe(v.string(), v.check(isTenant)),
  /** Space-separated. */
  scope: v.string(),
  /** Seconds since 1970. */
  exp: v.number(),
  iat: v.number(),
  jti: v.string(),
  ...narrowedClaims,
});
export type Claims = Readonly<v.InferOutput<typeof ClaimsSchema>>;

export type TokenFault = "malformed" | "unknown_key" | "bad_signature" | "expired" | "revoked";

async function jwk(master: MasterKey) {
  const key = await deriveKey(master, "token");
  const k = encodeBase64Url(key.buffer).replace(/=+$/, "");
  return { kty: "oct", k, alg: "HS256", kid: master.kid } as const;
}

export async function mintToken(claims: Claims, masterKey: MasterKey): Promise<string> {
  return sign({ ...claims }, await jwk(masterKey));
}

/** The master key that the token says it was signed with; else why there is none. */
export function keyOf(
  token: string,
  masterKeys: readonly MasterKey[],
): MasterKey | "malformed" | "unknown_key" {
  let kid: unknown;
  try {
    // hono types the header without `kid`; a JWT may carry it (RFC 7515, 4.1.4).
    kid = (decode(token).header as { kid?: unknown }).kid;
  } catch {
    return "malformed";
  }
  if (typeof kid !== "string") return "malformed";
  return masterKeys.find((key) => key.kid === kid) ?? "unknown_key";
}

/**
 * The claims of a token that one of `masterKeys` signed, that has not expired, and of which neither its own `jti` nor an
 * ancestor's is `revoked`; else what is wrong with it.
 */
export async function verifyToken(
  token: string,
  masterKeys: readonly MasterKey[],
  revoked: ReadonlySet<string> = new Set(),
): Promise<Claims | TokenFault> {
  const master = keyOf(token, masterKeys);
  if (typeof master === "string") return master;
  try {
    // `iat` is not judged: the clock of whoever minted the token may be a little ahead of ours.
    const claims = toClaims(await verify(token, await jwk(master), { alg: "HS256", iat: false }));
    if (!claims) return "malformed";
    return [claims.jti, ...(claims.par ?? [])].some((jti) => revoked.has(jti)) ? "revoked" : claims;
  } catch (error) {
    if (!(error instanceof Error)) return "malformed";
    if (error.name === "JwtTokenExpired") return "expired";
    return error.name === "JwtTokenSignatureMismatched" ? "bad_signature" : "malformed";
  }
}

function toClaims(payload: Record<string, unknown>): Claims | null {
  const { success, output } = v.safeParse(ClaimsSchema, payload);
  // Bounds without an owner are none of ours.
  return success && (output.bnd === undefined || output.own !== undefined) ? output : null;
}
