/** What is refused of tokens without a server: every change of a good one, and good ones after their end. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { deriveKey, type MasterKey } from "../../src/crypto/keys.ts";
import { verifyToken } from "../../src/crypto/token.ts";
import { sweep } from "../chaos/tokens/attacks.ts";
import { forge, hmac } from "../chaos/tokens/forge.ts";
import { goodClaims } from "../chaos/tokens/victim.ts";

const MASTER: MasterKey = { kid: "c1", bytes: new Uint8Array(32).fill(1) };
const LONGEST_CHARS = 8 * 1024;

const minted = async (changes: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  forge(
    { alg: "HS256", kid: MASTER.kid },
    goodClaims("acme", changes),
    hmac(await deriveKey(MASTER, "token")),
  );

afterEach(() => {
  vi.useRealTimers();
});

describe("a good token", () => {
  it("opens nothing when it is shortened, or when any of its characters is another", async () => {
    const good = await minted();
    expect(typeof (await verifyToken(good, [MASTER]))).toBe("object");
    const others = sweep(good);
    expect(others.length).toBeGreaterThan(3 * good.length);
    const faults = await Promise.all(others.map((token) => verifyToken(token, [MASTER])));
    expect(others.filter((_, i) => typeof faults[i] !== "string")).toEqual([]);
  });

  it("may have 8 KiB, and not one character more", async () => {
    // Three characters of text are four of base64.
    const padded = (chars: number) => minted({ pad: "x".repeat(chars) });
    let fits = Math.floor(((LONGEST_CHARS - (await padded(0)).length) * 3) / 4);
    while ((await padded(fits + 1)).length <= LONGEST_CHARS) fits++;
    while ((await padded(fits)).length > LONGEST_CHARS) fits--;
    expect(typeof (await verifyToken(await padded(fits), [MASTER]))).toBe("object");
    expect(await verifyToken(await padded(fits + 1), [MASTER])).toBe("malformed");
  });
});

describe("a token that was verified before, and is remembered", () => {
  it("is refused once it is revoked, and only then", async () => {
    const keys = [MASTER];
    const good = await minted({ jti: "stolen" });
    for (const revoked of [[], ["other"], []])
      expect(typeof (await verifyToken(good, keys, new Set(revoked)))).toBe("object");
    expect(await verifyToken(good, keys, new Set(["stolen"]))).toBe("revoked");
    expect(typeof (await verifyToken(good, keys))).toBe("object");
  });

  it("is refused from the second of its expiry on", async () => {
    const keys = [MASTER];
    const exp = Math.floor(Date.now() / 1000) + 60;
    const good = await minted({ exp });
    vi.useFakeTimers({ toFake: ["Date"], now: exp * 1000 - 1 });
    expect(typeof (await verifyToken(good, keys))).toBe("object");
    vi.setSystemTime(exp * 1000);
    expect(await verifyToken(good, keys)).toBe("expired");
  });

  it("is not known under another list of master keys, or under another key of the same id", async () => {
    const good = await minted();
    expect(typeof (await verifyToken(good, [MASTER]))).toBe("object");
    expect(await verifyToken(good, [{ ...MASTER, kid: "c2" }])).toBe("unknown_key");
    expect(await verifyToken(good, [{ ...MASTER, bytes: new Uint8Array(32).fill(2) }])).toBe("bad_signature");
  });

  it("has no part in what is verified after a thousand others", async () => {
    const keys = [MASTER];
    const good = await minted({ jti: "first" });
    await verifyToken(good, keys);
    const others = await Promise.all(Array.from({ length: 1_001 }, (_, i) => minted({ jti: `other-${i}` })));
    for (const other of others) expect(typeof (await verifyToken(other, keys))).toBe("object");
    expect(await verifyToken(good, keys, new Set(["first"]))).toBe("revoked");
    const at = good.length - 10;
    const changed = good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1);
    expect(await verifyToken(changed, keys)).toBe("bad_signature");
  });
});
