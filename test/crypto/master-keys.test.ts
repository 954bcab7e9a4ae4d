import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { parseMasterKeys } from "../../src/crypto/keys.ts";
import { toBase64 } from "../support/bytes.ts";

/** 32 bytes whose base64 has both of the characters that url-safe base64 replaces. */
const BYTES = Uint8Array.from({ length: 32 }, (_, i) => (i * 1 + 251) % 256);
const KEY = toBase64(BYTES);
const OTHER = toBase64(new Uint8Array(32).fill(7));
const ofLength = (length: number): string => toBase64(new Uint8Array(length).fill(0xa5));

const HOW_TO_SET = 'set the secret MASTER_KEYS to "<key id>:<base64 of 32 random bytes>"';

function parsed(text: string | undefined): { keys: { kid: string; bytes: number[] }[]; problems: string[] } {
  const problems: string[] = [];
  const keys = parseMasterKeys(text, problems).map(({ kid, bytes }) => ({ kid, bytes: [...bytes] }));
  return { keys, problems };
}

describe("MASTER_KEYS", () => {
  it("is one key id and one key", () => {
    expect(parsed(`k1:${KEY}`)).toEqual({ keys: [{ kid: "k1", bytes: [...BYTES] }], problems: [] });
  });

  it("may list several, whose order is kept", () => {
    const { keys, problems } = parsed(`k3:${OTHER}, k1:${KEY},\n k2:${ofLength(32)} ,`);
    expect(problems).toEqual([]);
    expect(keys.map(({ kid }) => kid)).toEqual(["k3", "k1", "k2"]);
  });

  it("may be url-safe base64, with or without padding", () => {
    expect(KEY).toMatch(/\+.*\/|\/.*\+/);
    const urlSafe = KEY.replaceAll("+", "-").replaceAll("/", "_");
    for (const spelled of [KEY, KEY.replace("=", ""), urlSafe, urlSafe.replace("=", "")])
      expect(parsed(`k1:${spelled}`)).toEqual({ keys: [{ kid: "k1", bytes: [...BYTES] }], problems: [] });
  });

  it.each(["k", "K_1-x", "2026-11", "a".repeat(32)])("may have the key id %j", (kid) => {
    expect(parsed(`${kid}:${KEY}`).keys.map((key) => key.kid)).toEqual([kid]);
  });

  it.each([undefined, "", " ", ",", " , ,"])("is missing when it is %j", (text) => {
    expect(parsed(text)).toEqual({ keys: [], problems: [expect.stringContaining("MASTER_KEYS is missing")] });
    expect(parsed(text).problems[0]).toContain(HOW_TO_SET);
  });

  it.each([
    ["no key id", KEY],
    ["an empty key id", `:${KEY}`],
    ["a key id with a dot", `k.1:${KEY}`],
    ["a key id with a space", `k 1:${KEY}`],
    ["a key id of 33 characters", `${"a".repeat(33)}:${KEY}`],
    ["no key", "k1:"],
    ["a key that is not base64", "k1:not!base64"],
    ["a key of a length that base64 cannot have", `k1:${KEY.slice(0, 41)}`],
    ["two colons", `k1:k2:${KEY}`],
    ["padding in the middle", `k1:AA==${KEY}`],
    ["three padding characters", `k1:${KEY.slice(0, 41)}===`],
    ["another separator", `k1:${KEY};k2:${OTHER}`],
  ])("is malformed with %s", (_, text) => {
    const { keys, problems } = parsed(text);
    expect(keys).toEqual([]);
    expect(problems).toEqual([
      `MASTER_KEYS, entry 1 is malformed: ${HOW_TO_SET}, several separated by commas, newest first`,
    ]);
  });

  it.each([1, 16, 31, 33, 64])("must not be a key of %i bytes", (length) => {
    const { keys, problems } = parsed(`k1:${ofLength(length)}`);
    expect(keys).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(`MASTER_KEYS, entry 1 holds ${length} bytes, not 32`)]);
    expect(problems[0]).toContain(HOW_TO_SET);
  });

  it("must not name two keys alike", () => {
    const { problems } = parsed(`k1:${KEY},k2:${OTHER},k1:${OTHER}`);
    expect(problems).toEqual(["MASTER_KEYS, entry 3 repeats a key id: each must be unique"]);
  });

  it("tells key ids apart by case", () => {
    expect(parsed(`k1:${KEY},K1:${OTHER}`).problems).toEqual([]);
  });

  it("has one problem for each bad entry, by its place", () => {
    const { keys, problems } = parsed(`k1:${KEY},bad,k2:${ofLength(8)},k3:${OTHER}`);
    expect(keys.map(({ kid }) => kid)).toEqual(["k1", "k3"]);
    expect(problems).toEqual([
      expect.stringContaining("entry 2 is malformed"),
      expect.stringContaining("entry 3 holds 8 bytes"),
    ]);
  });

  it("is usable as a whole or not at all", () => {
    expect(parseConfig({ MASTER_KEYS: `k1:${KEY},bad` })).toMatchObject({ ok: false });
    expect(parseConfig({})).toEqual({
      ok: false,
      problems: [expect.stringContaining("MASTER_KEYS is missing")],
    });
  });

  it("never shows in a problem", () => {
    const text = `k1:${KEY},hunter2:${ofLength(31)},secret-without-colon,k1:${OTHER},k9:${"A".repeat(41)}`;
    const shown = parsed(text).problems.join("\n");
    for (const part of text.split(/[,:]/)) if (part.length > 4) expect(shown).not.toContain(part);
  });
});
