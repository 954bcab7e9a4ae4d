import fc from "fast-check";
import { sign, verify } from "hono/jwt";
import { describe, expect, it } from "vitest";
import { parseJws, signJws, verifyJws } from "../../src/crypto/jws.ts";
import { toBase64Url } from "../support/bytes.ts";

const SECRET = new Uint8Array(32).fill(7);
const JWK = { kty: "oct", k: toBase64Url(SECRET), alg: "HS256", kid: "k1" } as const;
const payload = { sub: "acme", name: "ü 🎈", exp: 4_000_000_000 };
const part = (value: unknown): string =>
  toBase64Url(new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)));
const withHeader = (header: unknown): string => `${part(header)}.${part(payload)}.${part("x")}`;

describe("a token", () => {
  it("is one to a library that knows all algorithms", async () => {
    const token = await signJws(payload, "k1", SECRET);
    expect(await verify(token, JWK, "HS256")).toEqual(payload);
    expect(token).toBe(await sign({ ...payload }, JWK));
  });

  it("of such a library is one here", async () => {
    const jws = parseJws(await sign({ ...payload }, JWK));
    expect(jws).toMatchObject({ kid: "k1", payload });
    expect(jws && (await verifyJws(jws, SECRET))).toBe(true);
  });

  it("does not verify with another secret, nor when any of its characters is another", async () => {
    const token = await signJws(payload, "k1", SECRET);
    const jws = parseJws(token);
    expect(jws && (await verifyJws(jws, new Uint8Array(32)))).toBe(false);
    // The last two bits of the signature's last character stand for nothing (RFC 4648, 3.5), and are zero all the same.
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(..."Aa0_-Zz9"), async (at, char) => {
        fc.pre(token[at] !== char && token[at] !== ".");
        const changed = parseJws(token.slice(0, at) + char + token.slice(at + 1));
        expect(changed ? await verifyJws(changed, SECRET) : false).toBe(false);
      }),
    );
  });

  it.each([
    ["no algorithm", { alg: "none", kid: "k1" }],
    ["another algorithm", { alg: "HS512", kid: "k1" }],
    ["a public key's algorithm", { alg: "RS256", kid: "k1" }],
    ["an algorithm in small letters", { alg: "hs256", kid: "k1" }],
    ["a list of algorithms", { alg: ["HS256"], kid: "k1" }],
    ["no key id", { alg: "HS256" }],
    ["a key id that is no text", { alg: "HS256", kid: 1 }],
    ["what a reader must know", { alg: "HS256", kid: "k1", crit: ["b64"], b64: false }],
    ["a header that is a list", []],
    ["a header that is null", null],
    ["a header that is no JSON", "{"],
  ])("is none with %s", (_, header) => {
    expect(parseJws(withHeader(header))).toBeNull();
  });

  it.each([
    ["nothing", ""],
    ["two parts", "a.b"],
    ["four parts", "a.b.c.d"],
    ["padding", `${part({ alg: "HS256", kid: "k1" })}.${part(payload)}=.${part("x")}`],
    ["a payload that is a text", `${part({ alg: "HS256", kid: "k1" })}.${part('"x"')}.${part("x")}`],
    [
      "a payload that is no UTF-8",
      `${part({ alg: "HS256", kid: "k1" })}.${toBase64Url(new Uint8Array([0xff]))}.x`,
    ],
    ["a line break", `${withHeader({ alg: "HS256", kid: "k1" })}\n`],
    [
      "more than 8 KiB",
      `${part({ alg: "HS256", kid: "k1" })}.${part({ sub: "x".repeat(8_192) })}.${part("x")}`,
    ],
  ])("is none with %s", (_, token) => {
    expect(parseJws(token)).toBeNull();
  });
});
