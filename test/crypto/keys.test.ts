import { describe, expect, it } from "vitest";
import { deriveKey, type KeyLabel, type MasterKey } from "../../src/crypto/keys.ts";
import { toHex } from "../support/bytes.ts";

const master = (first: number): MasterKey => ({
  kid: `k${first}`,
  bytes: Uint8Array.from({ length: 32 }, (_, i) => first + i),
});

const LABELS: readonly KeyLabel[] = ["seal", "token", "hint", "webhook/acme", "webhook/globex"];

// Computed with Python's hmac and hashlib after RFC 5869, from the bytes 0 to 31, without salt.
const KNOWN: Readonly<Record<string, string>> = {
  seal: "d8d7f35fd7b385094508834c7ba119bcc60f62ceb5c02bb42a460d1137523d98",
  token: "a726181e1230f1c21cc157e8ee9b06d096a017142cebb5b88caa5f7135cff713",
  hint: "a860da3de30ebefe2de0342dc02e846bfbf85b2b9d646541cb7bae9c78483a70",
  "webhook/acme": "9f5cb9eb4265f04837789b14e4c1f3fe7e94c31573696f8f99e9a4b007bfdebb",
  "webhook/globex": "f6df3ed1943d737487d40580456d579003f1ad1cac7a6d402dc9efa2d428da67",
};

async function hmac(
  key: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const params = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, params, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

/** RFC 5869 written out, for one block of output: extract, then expand. */
async function hkdf(secret: Uint8Array<ArrayBuffer>, info: string): Promise<string> {
  const extracted = await hmac(new Uint8Array(32), secret);
  const block = new Uint8Array([...new TextEncoder().encode(info), 1]);
  return toHex(await hmac(extracted, block));
}

describe("deriveKey", () => {
  it.each(LABELS)("matches the known answer for %s", async (label) => {
    expect(toHex(await deriveKey(master(0), label))).toBe(KNOWN[label]);
  });

  it.each(LABELS)("is HKDF-SHA256 with an own info for %s", async (label) => {
    const key = master(100);
    expect(toHex(await deriveKey(key, label))).toBe(await hkdf(key.bytes, `pollhook/v1/${label}`));
  });

  it("gives 32 bytes, other ones for each label and each master key", async () => {
    const keys: string[] = [];
    for (const first of [0, 1, 64])
      for (const label of LABELS) keys.push(toHex(await deriveKey(master(first), label)));
    for (const key of keys) expect(key).toHaveLength(64);
    expect(new Set(keys).size).toBe(3 * LABELS.length);
  });

  it("reveals nothing of the master key in what it derives", async () => {
    const key = master(0);
    for (const label of LABELS)
      expect(toHex(await deriveKey(key, label))).not.toContain(toHex(key.bytes).slice(0, 16));
  });

  it("does not confuse two tenants whose names run into each other", async () => {
    const key = master(0);
    const tenants = ["a", "a/b", "A", "a ", "ab", ""];
    const derived = await Promise.all(tenants.map((tenant) => deriveKey(key, `webhook/${tenant}`)));
    expect(new Set(derived.map(toHex)).size).toBe(tenants.length);
  });

  it("gives a tenant no key of another use, whatever the tenant is called", async () => {
    const key = master(0);
    const others = await Promise.all(
      (["seal", "token", "hint"] as const).map((label) => deriveKey(key, label)),
    );
    for (const tenant of ["seal", "token", "hint", "../token", "/token"]) {
      const secret = toHex(await deriveKey(key, `webhook/${tenant}`));
      for (const other of others) expect(secret).not.toBe(toHex(other));
    }
  });

  it("stays the same for a key once asked for, past what the cache holds", async () => {
    const key = master(0);
    const first = toHex(await deriveKey(key, "webhook/acme"));
    for (let i = 0; i < 1_001; i++) await deriveKey(key, `webhook/other-${i}`);
    expect(toHex(await deriveKey(key, "webhook/acme"))).toBe(first);
  });

  it("goes by the key's bytes, not by its id", async () => {
    const renamed = { ...master(0), kid: "renamed" };
    expect(toHex(await deriveKey(renamed, "seal"))).toBe(KNOWN.seal);
  });
});
