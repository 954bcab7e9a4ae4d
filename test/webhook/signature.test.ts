import { describe, expect, it } from "vitest";
import type { MasterKey } from "../../src/crypto/keys.ts";
import { signatureHeader, signedPrefix, signingSecrets, tenantKeys } from "../../src/webhook/signature.ts";

/** 32 consecutive bytes. */
const master = (kid: string, first: number): MasterKey => ({
  kid,
  bytes: Uint8Array.from({ length: 32 }, (_, i) => first + i),
});
const OLD = master("old", 0);
const NEW = master("new", 32);

// Computed with Python's hmac and hashlib: HKDF-SHA256 (no salt, info "pollhook/v1/webhook/acme"), then HMAC-SHA256.
const OLD_SECRET = "whsec_n1y560Jl8Eg3eJsU5MHz/n6UwxVzaW+PmemksAe/3rs=";
const NEW_SECRET = "whsec_8bFvJHBovgSBzbEhgAte7ETsouEmUfU+wkbNtXV2NF0=";
const OLD_SIGNATURE = "v1,zhenmBequAQq0DYUxPJhiabHw+kkR8LcZ/VaQhH2Oss=";
const NEW_SIGNATURE = "v1,8HwLeY9NVZrtnWQ5IOlSwrl6Mkwh8ARRzc3h4DISkg8=";
// The message of the Standard Webhooks libraries' own tests.
const PREFIX = signedPrefix("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330);
const CONTENT = new Uint8Array(new TextEncoder().encode(`${PREFIX}{"test": 2432232314}`));

const signature = async (
  content: Uint8Array<ArrayBuffer>,
  masterKeys: readonly MasterKey[],
  tenant: string,
) => signatureHeader(content, await tenantKeys(masterKeys, tenant));

describe("signedPrefix", () => {
  it("is id, dot, timestamp, dot", () => {
    expect(PREFIX).toBe("msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.");
  });
});

describe("signatureHeader", () => {
  it("matches the known answer", async () => {
    expect(await signature(CONTENT, [OLD], "acme")).toBe(OLD_SIGNATURE);
    expect(await signature(CONTENT, [NEW], "acme")).toBe(NEW_SIGNATURE);
  });

  it("carries one signature per master key, in their order, separated by one space", async () => {
    expect(await signature(CONTENT, [NEW, OLD], "acme")).toBe(`${NEW_SIGNATURE} ${OLD_SIGNATURE}`);
    expect(await signature(CONTENT, [OLD, NEW], "acme")).toBe(`${OLD_SIGNATURE} ${NEW_SIGNATURE}`);
  });

  it("differs between tenants", async () => {
    expect(await signature(CONTENT, [OLD], "globex")).not.toBe(OLD_SIGNATURE);
  });

  it("signs a view's own bytes, not the buffer behind it", async () => {
    const padded = new Uint8Array(CONTENT.length + 20).fill(0x20);
    padded.set(CONTENT, 10);
    const view = padded.subarray(10, 10 + CONTENT.length);
    expect(await signature(view, [OLD], "acme")).toBe(OLD_SIGNATURE);
  });

  it("gives the same answers when many are asked for at once", async () => {
    const tenants = Array.from({ length: 20 }, (_, i) => `tenant-${i}`);
    const together = await Promise.all(tenants.map((tenant) => signature(CONTENT, [OLD], tenant)));
    expect(new Set(together).size).toBe(tenants.length);
    for (const [i, tenant] of tenants.entries())
      expect(await signature(CONTENT, [OLD], tenant)).toBe(together[i]);
  });
});

describe("signingSecrets", () => {
  it("matches the known answer", async () => {
    expect(await signingSecrets([OLD], "acme")).toEqual([OLD_SECRET]);
  });

  it("lists one secret per master key, newest first", async () => {
    expect(await signingSecrets([NEW, OLD], "acme")).toEqual([NEW_SECRET, OLD_SECRET]);
  });

  it("gives each tenant its own", async () => {
    const tenants = ["acme", "Acme", "acme2", "globex", "acme.", "a@b"];
    const secrets = await Promise.all(tenants.map((tenant) => signingSecrets([OLD], tenant)));
    expect(new Set(secrets.flat()).size).toBe(tenants.length);
  });

  it("does not depend on the key id, so that renaming a key keeps its secret", async () => {
    expect(await signingSecrets([{ ...OLD, kid: "renamed" }], "acme")).toEqual([OLD_SECRET]);
  });

  it("holds 32 bytes, within what Standard Webhooks allows (24 to 64)", async () => {
    const [secret = ""] = await signingSecrets([NEW], "acme");
    expect(atob(secret.slice("whsec_".length))).toHaveLength(32);
  });
});
