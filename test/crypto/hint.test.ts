import { describe, expect, it } from "vitest";
import { makeHint, readHint } from "../../src/crypto/hint.ts";
import type { MasterKey } from "../../src/crypto/keys.ts";

const key = (kid: string, fill: number): MasterKey => ({ kid, bytes: new Uint8Array(32).fill(fill) });
const NEW = key("k2", 2);
const OLD = key("k1", 1);
const NAME = `gen_${"a".repeat(32)}`;

describe("a hint", () => {
  it("leads to the name that it was made for, while its master key is listed", async () => {
    const hint = await makeHint(NAME, OLD);
    expect(await readHint(hint, [OLD])).toBe(NAME);
    expect(await readHint(hint, [NEW, OLD])).toBe(NAME);
    expect(await readHint(hint, [NEW])).toBeNull();
  });

  it("fits into a URL's path as it is", async () => {
    expect(await makeHint(NAME, NEW)).toMatch(/^k2\.gen_a{32}\.[A-Za-z0-9_-]{43}$/);
  });

  it("is nobody's when anything of it is changed", async () => {
    const [kid, name, mac = ""] = (await makeHint(NAME, NEW)).split(".");
    const flipped = (mac.startsWith("A") ? "B" : "A") + mac.slice(1);
    for (const hint of [
      "",
      ".",
      "..",
      `${kid}.${name}`,
      `${kid}.${name}.`,
      `${kid}.${name}.${flipped}`,
      `${kid}.${name}.${mac}.x`,
      `${kid}.${name}x.${mac}`,
      `k1.${name}.${mac}`,
      `${kid}.${name}.!`,
      `${kid}..${mac}`,
    ])
      expect(await readHint(hint, [NEW, OLD])).toBeNull();
  });

  it("of one master key is not another's under the same key id", async () => {
    expect(await readHint(await makeHint(NAME, NEW), [key("k2", 3)])).toBeNull();
  });
});
