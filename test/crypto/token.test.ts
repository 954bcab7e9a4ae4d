import { sign } from "hono/jwt";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deriveKey, type KeyLabel, type MasterKey } from "../../src/crypto/keys.ts";
import { type Claims, isTenant, mintToken, SCOPES, verifyToken } from "../../src/crypto/token.ts";
import { fromBase64Url, toBase64Url } from "../support/bytes.ts";

const master = (kid: string, fill: number): MasterKey => ({ kid, bytes: new Uint8Array(32).fill(fill) });
const OLD = master("old", 1);
const NEW = master("new", 2);

const NOW = Date.UTC(2026, 10, 20, 12);
const CLAIMS: Claims = {
  sub: "acme",
  scope: SCOPES.join(" "),
  exp: NOW / 1000 + 3_600,
  iat: NOW / 1000,
  jti: "5f1c9a52-7a3c-4d7e-8f57-000000000001",
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const encode = (part: unknown): string =>
  toBase64Url(new TextEncoder().encode(typeof part === "string" ? part : JSON.stringify(part)));

const decode = (part = ""): unknown => JSON.parse(new TextDecoder().decode(fromBase64Url(part)));

/** A token made by hand: any header, any payload, signed with the key that `label` derives. */
async function forged(
  payload: unknown,
  { header = {}, label = "token", key = OLD }: { header?: unknown; label?: KeyLabel; key?: MasterKey } = {},
): Promise<string> {
  const fullHeader =
    typeof header === "object" ? { alg: "HS256", typ: "JWT", kid: key.kid, ...header } : header;
  const content = `${encode(fullHeader)}.${encode(payload)}`;
  const params = { name: "HMAC", hash: "SHA-256" };
  const hmacKey = await crypto.subtle.importKey("raw", await deriveKey(key, label), params, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", hmacKey, new TextEncoder().encode(content));
  return `${content}.${toBase64Url(new Uint8Array(signature))}`;
}

describe("a token", () => {
  it("verifies to the claims it was minted with", async () => {
    expect(await verifyToken(await mintToken(CLAIMS, OLD), [OLD])).toEqual(CLAIMS);
  });

  it("is a JWT with HS256 that names its master key", async () => {
    const [header, payload, signature] = (await mintToken(CLAIMS, OLD)).split(".");
    expect(decode(header)).toEqual({ alg: "HS256", typ: "JWT", kid: "old" });
    expect(decode(payload)).toEqual(CLAIMS);
    expect(signature).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it("is what another implementation makes with the derived key", async () => {
    const claims: Record<string, unknown> = { ...CLAIMS };
    expect(await mintToken(CLAIMS, OLD)).toBe(await forged(claims));
  });

  it("hands on only the claims that are known", async () => {
    expect(await verifyToken(await forged({ ...CLAIMS, admin: true }), [OLD])).toEqual(CLAIMS);
  });

  it("verifies with an older key as long as that is listed", async () => {
    const token = await mintToken(CLAIMS, OLD);
    expect(await verifyToken(token, [NEW, OLD])).toEqual(CLAIMS);
    expect(await verifyToken(token, [NEW])).toBe("unknown_key");
  });

  it("ends when its key id stands for another key", async () => {
    expect(await verifyToken(await mintToken(CLAIMS, OLD), [master("old", 9)])).toBe("bad_signature");
  });
});

describe("the time of a token", () => {
  it("lasts until the second before `exp`", async () => {
    const token = await mintToken(CLAIMS, OLD);
    vi.setSystemTime(CLAIMS.exp * 1000 - 1);
    expect(await verifyToken(token, [OLD])).toEqual(CLAIMS);
    vi.setSystemTime(CLAIMS.exp * 1000);
    expect(await verifyToken(token, [OLD])).toBe("expired");
  });

  it("has not come before `nbf`", async () => {
    const nbf = NOW / 1000 + 60;
    const token = await forged({ ...CLAIMS, nbf });
    expect(await verifyToken(token, [OLD])).toBe("malformed");
    vi.setSystemTime(nbf * 1000);
    expect(await verifyToken(token, [OLD])).toEqual(CLAIMS);
  });
});

describe("a forged token is refused", () => {
  it.each([
    ["none", { alg: "none" }],
    ["NONE", { alg: "NONE" }],
    ["an empty one", { alg: "" }],
    ["HS384", { alg: "HS384" }],
    ["HS512", { alg: "HS512" }],
    ["RS256", { alg: "RS256" }],
    ["EdDSA", { alg: "EdDSA" }],
    ["hs256", { alg: "hs256" }],
    ["null", { alg: null }],
  ])("with the algorithm %s, even correctly signed", async (_, header) => {
    expect(await verifyToken(await forged(CLAIMS, { header }), [OLD])).toBe("malformed");
  });

  it("without a signature", async () => {
    const [header, payload] = (await mintToken(CLAIMS, OLD)).split(".");
    expect(await verifyToken(`${header}.${payload}.`, [OLD])).toBe("bad_signature");
    expect(await verifyToken(`${header}.${payload}`, [OLD])).toBe("malformed");
    const none = encode({ alg: "none", typ: "JWT", kid: "old" });
    expect(await verifyToken(`${none}.${payload}.`, [OLD])).toBe("malformed");
  });

  it.each([
    ["no key id", { kid: undefined }, "malformed"],
    ["a list of them", { kid: ["old"] }, "malformed"],
    ["an empty one", { kid: "" }, "unknown_key"],
    ["another", { kid: "other" }, "unknown_key"],
    ["__proto__", { kid: "__proto__" }, "unknown_key"],
  ])("with %s", async (_, header, fault) => {
    expect(await verifyToken(await forged(CLAIMS, { header }), [OLD])).toBe(fault);
  });

  it("with the id of another listed key", async () => {
    const token = await forged(CLAIMS, { key: OLD, header: { kid: "new" } });
    expect(await verifyToken(token, [NEW, OLD])).toBe("bad_signature");
  });

  it.each(["webhook/acme", "webhook/token", "seal", "hint"] as const)(
    "signed with the key derived for %s",
    async (label) => {
      expect(await verifyToken(await forged(CLAIMS, { label }), [OLD])).toBe("bad_signature");
    },
  );

  it("signed with the master key itself", async () => {
    const k = toBase64Url(OLD.bytes);
    const token = await sign({ ...CLAIMS }, { kty: "oct", k, alg: "HS256", kid: "old" });
    expect(await verifyToken(token, [OLD])).toBe("bad_signature");
  });

  it("with another payload under the same signature", async () => {
    const [header, , signature] = (await mintToken(CLAIMS, OLD)).split(".");
    for (const change of [{ sub: "globex" }, { exp: CLAIMS.exp + 1 }, { scope: "*" }, { jti: "other" }]) {
      const token = `${header}.${encode({ ...CLAIMS, ...change })}.${signature}`;
      expect(await verifyToken(token, [OLD])).toBe("bad_signature");
    }
  });

  it("with a header part that the signature does not cover", async () => {
    const [, payload, signature] = (await mintToken(CLAIMS, OLD)).split(".");
    const header = encode({ alg: "HS256", typ: "JWT", kid: "old", extra: 1 });
    expect(await verifyToken(`${header}.${payload}.${signature}`, [OLD])).toBe("bad_signature");
  });

  it("with critical headers that nobody here understands", async () => {
    expect(await verifyToken(await forged(CLAIMS, { header: { crit: ["b64"], b64: false } }), [OLD])).toBe(
      "malformed",
    );
  });

  it.each(["", ".", "..", "a.b.c", "a.b.c.d", "e30.e30.e30", "🎈.🎈.🎈", "null", `${encode("null")}.e30.`])(
    "that is %j",
    async (text) => {
      expect(["malformed", "unknown_key"]).toContain(await verifyToken(text, [OLD]));
    },
  );
});

describe("a correctly signed token is refused", () => {
  it.each(["sub", "scope", "exp", "iat", "jti"] as const)("without %s", async (name) => {
    const { [name]: _, ...rest } = CLAIMS;
    expect(await verifyToken(await forged(rest), [OLD])).toBe("malformed");
  });

  it.each([
    ["a sub that is a number", { sub: 7 }],
    ["a sub that is no tenant", { sub: "acme corp" }],
    ["an empty sub", { sub: "" }],
    ["a scope that is a list", { scope: ["jobs:read"] }],
    ["an iat that is text", { iat: "now" }],
    ["a jti that is a number", { jti: 1 }],
  ])("with %s", async (_, change) => {
    expect(await verifyToken(await forged({ ...CLAIMS, ...change }), [OLD])).toBe("malformed");
  });

  it.each([{ exp: "9999999999" }, { exp: null }, { exp: [9_999_999_999] }])("with %j", async (change) => {
    expect(typeof (await verifyToken(await forged({ ...CLAIMS, ...change }), [OLD]))).toBe("string");
  });

  it.each(["null", "[]", "7", '"acme"', "{"])("with the payload %s", async (payload) => {
    expect(await verifyToken(await forged(payload), [OLD])).toBe("malformed");
  });
});

describe("a token from a clock that is ahead", () => {
  it("is accepted: only its expiry is judged", async () => {
    const iat = Math.floor(Date.now() / 1000) + 30;
    const token = await forged({ ...CLAIMS, iat, exp: iat + 60 });
    expect(await verifyToken(token, [OLD])).toMatchObject({ sub: CLAIMS.sub, iat });
  });
});

describe("isTenant", () => {
  it.each(["a", "acme", "Acme_1", "a.b-c@d", "7", "_", "a".repeat(64)])("takes %j", (text) => {
    expect(isTenant(text)).toBe(true);
  });

  it.each(["", "a".repeat(65), "a b", "a/b", "a:b", "a,b", "a\n", "\na", "ü", "a\u0000", "*", "a+b"])(
    "refuses %j",
    (text) => {
      expect(isTenant(text)).toBe(false);
    },
  );
});
