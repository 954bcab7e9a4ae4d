/**
 * Who calls: tokens of two tenants with all rights, with one scope each, bound to an owner and more, and tokens that are
 * none. What a token lets see follows from its claims alone.
 */
import { randomBytes } from "node:crypto";
import { type Claims, mintToken, SCOPES } from "../../../src/crypto/token.ts";
import type { PollhookNode } from "../node.ts";
import type { Viewer } from "./planted.ts";
import type { Random } from "./random.ts";

export interface Identity extends Viewer {
  /** As it is sent; not one of Pollhook's where `scopes` is `null`. */
  readonly token: string;
  /** `null`: whoever sends it must see nothing at all. */
  readonly scopes: readonly string[] | null;
}

export const TENANTS = ["acme", "globex"] as const;
export const OWNERS = ["phone", "tablet"] as const;
export const REVOKED = "revoked-jti";

const BOUNDS: readonly Claims["bnd"][] = [
  undefined,
  { ep: ["v3", "v6/video"] },
  { ddl: 600 },
  { org: ["https://app.example.com"] },
  { dst: "app" },
];

export async function makeIdentities(node: PollhookNode, random: Random): Promise<Identity[]> {
  const good: Identity[] = [];
  const add = async (tenant: string, claims: Partial<Claims>) =>
    good.push(identityOf(await node.token(tenant, { jti: random.word(16), ...claims })));
  for (const tenant of TENANTS) {
    // Most calls are to get past the door.
    for (let i = 0; i < 16; i++) await add(tenant, {});
    for (const scope of SCOPES) await add(tenant, { scope });
    for (const own of OWNERS) for (const bnd of BOUNDS) await add(tenant, { own, bnd, par: ["root"] });
  }
  return good;
}

/** Each refused for another reason. */
export async function makeImpostors(node: PollhookNode, random: Random): Promise<Identity[]> {
  const now = Math.floor(Date.now() / 1000);
  const real = await node.token("acme");
  const [head = "", payload = "", mac = ""] = real.split(".");
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const stranger = { kid: "c1", bytes: new Uint8Array(randomBytes(32)) };
  const claims = { sub: "acme", scope: SCOPES.join(" "), exp: now + 3_600, iat: now, jti: "x" };
  const tokens = [
    "",
    "x",
    "a.b.c",
    "..",
    `${head}.${payload}.`,
    `${head}.${payload}`,
    `${head}.${payload}.${mac.slice(0, -2)}AA`,
    `${head}.${part({ ...claims, sub: "globex" })}.${mac}`,
    `${part({ alg: "none", kid: "c1" })}.${payload}.`,
    `${part({ alg: "HS512", kid: "c1" })}.${payload}.${mac}`,
    `${part({ alg: "HS256", kid: "../c1" })}.${payload}.${mac}`,
    `${part({ alg: "HS256", kid: "__proto__" })}.${payload}.${mac}`,
    await mintToken(claims, stranger),
    await mintToken(claims, { ...stranger, kid: "unknown" }),
    await node.token("acme", { exp: now - 10 }),
    await node.token("acme", { jti: REVOKED }),
    await node.token("acme", { par: [REVOKED] }),
    await node.token("acme", { sub: "no tenant/../x" }),
    await node.token("acme", { scope: "" }),
    await node.token("acme", { bnd: { req: "1" } }),
    await node.token("acme", { own: "phone", bnd: { none: 1 } as Claims["bnd"] }),
    await node.token("acme", { exp: "soon" as unknown as number }),
    random.bytes(40).toString("base64url"),
    "A".repeat(9_000),
  ];
  return tokens.map((token) => ({ token, tenant: "nobody", owner: undefined, scopes: null }));
}

/** Of a token that the server has minted or we have: what its claims say. */
export function identityOf(token: string): Identity {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Claims;
  return { token, tenant: claims.sub, owner: claims.own, scopes: claims.scope.split(" ") };
}
