/**
 * Callers' tokens: JWTs (HS256) keyed from the master keys and verified without storage. The `kid` header names
 * the master key; taking a key off the list ends its tokens. Runs in the Worker and in the command line tool.
 */
import * as v from "valibot";
import { parseJws, signJws, verifyJws } from "./jws.ts";
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

export const mintToken = async (claims: Claims, masterKey: MasterKey): Promise<string> =>
  signJws(claims, masterKey.kid, await deriveKey(masterKey, "token"));

/** The master key that the token says it was signed with; else why there is none. */
export function keyOf(
  token: string,
  masterKeys: readonly MasterKey[],
): MasterKey | "malformed" | "unknown_key" {
  const jws = parseJws(token);
  return jws ? (masterKeys.find(({ kid }) => kid === jws.kid) ?? "unknown_key") : "malformed";
}

/**
 * The claims of a token that one of `masterKeys` signed, that has not expired, and of which neither its own `jti` nor an
 * ancestor's is `revoked`; else what is wrong with it. `iat` is not judged: the clock of whoever minted the token may be
 * a little ahead of ours.
 */
export async function verifyToken(
  token: string,
  masterKeys: readonly MasterKey[],
  revoked: ReadonlySet<string> = new Set(),
): Promise<Claims | TokenFault> {
  const payload = verifiedBefore(masterKeys).get(token) ?? (await verifiedPayload(token, masterKeys));
  if (typeof payload === "string") return payload;
  const claims = toClaims(payload);
  const now = Date.now() / 1000;
  const { nbf = 0 } = payload;
  if (!claims || typeof nbf !== "number" || nbf > now) return "malformed";
  if (claims.exp <= now) return "expired";
  return [claims.jti, ...(claims.par ?? [])].some((jti) => revoked.has(jti)) ? "revoked" : claims;
}

type Payload = Record<string, unknown>;

/** Tokens whose signature has been verified, under those keys, are taken apart once: callers use one again and again. */
const MOST_VERIFIED = 1_000;
const verified = new WeakMap<readonly MasterKey[], Map<string, Payload>>();

function verifiedBefore(masterKeys: readonly MasterKey[]): Map<string, Payload> {
  const tokens = verified.get(masterKeys) ?? new Map<string, Payload>();
  verified.set(masterKeys, tokens);
  return tokens;
}

async function verifiedPayload(
  token: string,
  masterKeys: readonly MasterKey[],
): Promise<Payload | "malformed" | "unknown_key" | "bad_signature"> {
  const jws = parseJws(token);
  const master = keyOf(token, masterKeys);
  if (!jws || typeof master === "string") return typeof master === "string" ? master : "malformed";
  if (!verifyJws(jws, await deriveKey(master, "token"))) return "bad_signature";
  const tokens = verifiedBefore(masterKeys);
  if (tokens.size >= MOST_VERIFIED) tokens.clear();
  tokens.set(token, jws.payload);
  return jws.payload;
}

function toClaims(payload: Record<string, unknown>): Claims | null {
  const { success, output } = v.safeParse(ClaimsSchema, payload);
  // Bounds without an owner are none of ours.
  return success && (output.bnd === undefined || output.own !== undefined) ? output : null;
}
