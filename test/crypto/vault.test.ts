import { describe, expect, it } from "vitest";
import { deriveKey, type MasterKey } from "../../src/crypto/keys.ts";
import { open, seal } from "../../src/crypto/vault.ts";
import { fromBase64 } from "../support/bytes.ts";

const master = (kid: string, fill: number): MasterKey => ({ kid, bytes: new Uint8Array(32).fill(fill) });
const OLD = master("old", 1);
const NEW = master("new", 2);
const SECRET = "sk-provider-4f9d2c71b8";

/** `text` with the character at `at` replaced by another of the base64 alphabet. */
const changedAt = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

describe("what is sealed", () => {
  it.each([SECRET, "", "x", "ü 漢字 🎈", "a".repeat(256)])("opens again: %j", async (secret) => {
    expect(await open(await seal(secret, "job_1", OLD), "job_1", [OLD])).toBe(secret);
  });

  it("holds nothing of the secret, neither in clear nor in base64", async () => {
    const sealed = await seal(SECRET, "job_1", OLD);
    for (let i = 0; i + 4 <= SECRET.length; i++) expect(sealed).not.toContain(SECRET.slice(i, i + 4));
    for (const shift of [0, 1, 2]) expect(sealed).not.toContain(btoa(SECRET.slice(shift)).slice(0, 12));
    expect(sealed).not.toContain("job_1");
  });

  it("is another text every time, so that equal secrets do not show", async () => {
    const sealed = await Promise.all(Array.from({ length: 20 }, () => seal(SECRET, "job_1", OLD)));
    expect(new Set(sealed).size).toBe(20);
    expect(new Set(sealed.map((text) => text.split(".")[1])).size).toBe(20);
  });

  it("names its key id", async () => {
    expect(await seal(SECRET, "job_1", OLD)).toMatch(/^old\.[A-Za-z0-9+/]{16}\.[A-Za-z0-9+/]+={0,2}$/);
  });

  it("is AES-256-GCM under the `seal` key, with the job id as additional data", async () => {
    const [, iv = "", ciphertext = ""] = (await seal(SECRET, "job_1", OLD)).split(".");
    const key = await crypto.subtle.importKey("raw", await deriveKey(OLD, "seal"), "AES-GCM", false, [
      "decrypt",
    ]);
    const params = {
      name: "AES-GCM",
      iv: fromBase64(iv),
      additionalData: new TextEncoder().encode("job_1"),
    };
    const opened = await crypto.subtle.decrypt(params, key, fromBase64(ciphertext));
    expect(new TextDecoder().decode(opened)).toBe(SECRET);
  });
});

describe("after a rotation", () => {
  it("an older key still opens what it sealed", async () => {
    expect(await open(await seal(SECRET, "job_1", OLD), "job_1", [NEW, OLD])).toBe(SECRET);
  });

  it("the newest opens what it seals, beside the older", async () => {
    expect(await open(await seal(SECRET, "job_1", NEW), "job_1", [NEW, OLD])).toBe(SECRET);
  });

  it("a key that is no longer listed opens nothing", async () => {
    const sealed = await seal(SECRET, "job_1", OLD);
    expect(await open(sealed, "job_1", [NEW])).toBeNull();
    expect(await open(sealed, "job_1", [])).toBeNull();
  });

  it("another key under the same id opens nothing", async () => {
    expect(await open(await seal(SECRET, "job_1", OLD), "job_1", [master("old", 9)])).toBeNull();
  });
});

describe("what was changed does not open", () => {
  it.each(["job_2", "job_", "", "job_1 "])("bound to job_1, asked for as %j", async (other) => {
    expect(await open(await seal(SECRET, "job_1", OLD), other, [OLD])).toBeNull();
  });

  it("with any one character of it changed", async () => {
    const sealed = await seal("a secret of 32 bytes, so no pad!", "job_1", OLD);
    expect(sealed).not.toContain("=");
    for (let at = 0; at < sealed.length; at++) {
      expect(await open(changedAt(sealed, at), "job_1", [OLD]), `character ${at}`).toBeNull();
    }
  });

  it("with the key id of another listed key", async () => {
    const sealed = await seal(SECRET, "job_1", OLD);
    expect(await open(sealed.replace("old.", "new."), "job_1", [NEW, OLD])).toBeNull();
  });

  it("cut short or made longer", async () => {
    const sealed = await seal("a secret of 32 bytes, so no pad!", "job_1", OLD);
    for (const text of [
      sealed.slice(0, -1),
      sealed.slice(0, -4),
      `${sealed}AAAA`,
      `${sealed}.`,
      `${sealed}.AAAA`,
    ])
      expect(await open(text, "job_1", [OLD]), text).toBeNull();
  });

  it.each(["", ".", "..", "old", "old.", "old..", "old.AAAA", "old.AAAA.AAAA", "old.!.!", "old.ü.ü", "{}"])(
    "%j, which never was sealed",
    async (text) => {
      expect(await open(text, "job_1", [OLD])).toBeNull();
    },
  );
});
