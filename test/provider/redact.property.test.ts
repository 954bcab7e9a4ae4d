import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAnswer, redact } from "../../src/provider/answer.ts";

/** Few characters, so that keys, escapes and texts run into each other; no brackets, which `[redacted]` brings. */
const alphabet = fc.constantFrom(...'abnu0159e/\\"-');
const keys = fc.string({ unit: alphabet, minLength: 8, maxLength: 12 });
const shortKeys = fc.string({ unit: alphabet, minLength: 1, maxLength: 7 });

type Spelling = "plain" | "unicode" | "slash";

/** One string as JSON text, character by character in one of the ways that JSON allows. */
function spell(text: string, spellings: readonly Spelling[]): string {
  const write = (char: string, i: number): string => {
    const how = spellings[i % spellings.length];
    if (how === "unicode" && char.length === 1)
      return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
    return how === "slash" && char === "/" ? "\\/" : JSON.stringify(char).slice(1, -1);
  };
  return `"${[...text].map(write).join("")}"`;
}

const spellings = fc.array(fc.constantFrom<Spelling>("plain", "unicode", "slash"), {
  minLength: 1,
  maxLength: 5,
});

/** Texts with the key in them, whole or in part, among characters that are escaped. */
const texts = (key: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.oneof(
        fc.constant(key),
        fc.nat(key.length).map((n) => key.slice(n)),
        fc.nat(key.length).map((n) => key.slice(0, n)),
        fc.constantFrom("\n", "\t", "é", "\\", '"', "/", "\u0000", "n", "u", "0", "😀"),
      ),
      { maxLength: 8 },
    )
    .map((pieces) => pieces.join(""));

/** JSON text of an object whose strings and names are such texts. */
const answers = (key: string): fc.Arbitrary<string> =>
  fc.array(fc.tuple(texts(key), texts(key), spellings, fc.integer()), { maxLength: 6 }).map((members) => {
    const written = members.map(([name, value, how, number], i) => {
      const text = spell(value, how);
      // A repeated name would hide what stands under it.
      return `${spell(`${i}:${name}`, how)} : [${text},{${text}:${number}},${number}]`;
    });
    return `{${written.join(" ,\n")}}`;
  });

/** Every string and name anywhere in a value. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...strings(inner)]);
}

/** Whether the text may be JSON, and has the key in another spelling: that is taken out, too. */
function isNested(text: string, key: string): boolean {
  const write = (char: string): string => {
    const code = char.charCodeAt(0).toString(16).padStart(4, "0");
    const plain = char === '"' || char === "\\" ? `\\\\\\${char}` : char === "/" ? "\\\\?/" : char;
    return `(${plain}|\\\\u${code})`;
  };
  const [first = "", ...others] = key;
  const spelled = `([${first === "\\" ? "\\\\" : first}]|${write(first)})${others.map(write).join("")}`;
  // Also where one begins within another.
  return [...text.matchAll(new RegExp(`(?=(${spelled}))`, "gi"))].some(([, found]) => found !== key);
}

const keyAndAnswer = keys.chain((key) => fc.tuple(fc.constant(key), answers(key)));

describe("after redaction, whatever the answer", () => {
  it("is JSON, and no string or name in it contains the key", () => {
    fc.assert(
      fc.property(keyAndAnswer, ([key, json]) => {
        const clean: unknown = JSON.parse(redact(json, key));
        expect(strings(clean).filter((text) => text.includes(key))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it("every string is what replacing in the decoded string would give", () => {
    fc.assert(
      fc.property(
        keys.chain((key) => fc.tuple(fc.constant(key), texts(key), spellings)),
        ([key, text, how]) => {
          fc.pre(!isNested(text, key));
          expect(JSON.parse(redact(spell(text, how), key))).toBe(text.replaceAll(key, "[redacted]"));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("an answer without the key is the same text", () => {
    fc.assert(
      fc.property(keyAndAnswer, ([key, json]) => {
        fc.pre(!strings(JSON.parse(json)).some((text) => text.includes(key) || isNested(text, key)));
        expect(redact(json, key)).toBe(json);
      }),
      { numRuns: 300 },
    );
  });

  it("only whole strings are replaced for a short key", () => {
    fc.assert(
      fc.property(
        shortKeys.chain((key) => fc.tuple(fc.constant(key), texts(key), spellings)),
        ([key, text, how]) => {
          fc.pre(!isNested(text, key));
          expect(JSON.parse(redact(spell(text, how), key))).toBe(text === key ? "[redacted]" : text);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("what is stored is what is judged", () => {
    fc.assert(
      fc.property(keyAndAnswer, ([key, json]) => {
        const answer = parseAnswer(new TextEncoder().encode(` ${json}\n`), key);
        expect(JSON.parse(new TextDecoder().decode(answer?.bytes))).toEqual(answer?.json);
      }),
      { numRuns: 200 },
    );
  });
});
