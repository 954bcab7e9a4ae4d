import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinParts, memberSpans, type Part, rawMember, trimJson } from "../src/json.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const space = fc.string({ unit: fc.constantFrom(" ", "\n", "\r", "\t"), maxLength: 3 });
const unit = fc.constantFrom(...'abé漢😀"\\/,:{}[]\n\t\u0000 019-+.eE');
const text = fc.string({ unit, maxLength: 6 });

/** A string as JSON may write it: some characters as `\uXXXX`. */
const literal = fc
  .tuple(text, fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }))
  .map(([chars, flags]) => {
    const write = (char: string, i: number): string =>
      flags[i % flags.length]
        ? char
            .split("")
            .map((half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`)
            .join("")
        : JSON.stringify(char).slice(1, -1);
    return `"${[...chars].map(write).join("")}"`;
  });

const number = fc.oneof(
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom("0", "-0", "1.10", "1e5", "1E+05", "-1.5e-3"),
);

/** JSON text of any value, with white space where JSON allows it. */
const { value } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    number,
    literal,
    fc.constantFrom("true", "false", "null", "[]", "{}"),
    tie("array"),
    tie("object"),
  ),
  array: fc
    .tuple(fc.array(tie("value"), { maxLength: 3 }), space)
    .map(([items, s]) => `[${s}${items.join(`${s},${s}`)}${s}]`),
  object: fc
    .tuple(fc.array(fc.tuple(literal, tie("value")), { maxLength: 3 }), space)
    .map(
      ([members, s]) =>
        `{${s}${members.map(([name, inner]) => `${name}${s}:${s}${inner}`).join(`${s},${s}`)}${s}}`,
    ),
}));

type Members = (readonly [name: string, raw: string])[];
const members: fc.Arbitrary<Members> = fc.array(fc.tuple(literal, value), { maxLength: 6 });
const written = (list: Members, s: string): string =>
  `${s}{${s}${list.map(([name, raw]) => `${name}${s}:${s}${raw}`).join(`${s},${s}`)}${s}}${s}`;
const objects = fc.tuple(members, space);

describe("members of any JSON object", () => {
  it("are exactly the texts that were written, the last of each name", () => {
    fc.assert(
      fc.property(objects, ([list, s]) => {
        const bytes = bytesOf(written(list, s));
        const expected = new Map(list.map(([name, raw]) => [JSON.parse(name), raw]));
        const spans = memberSpans(bytes);
        const found = [...spans].map(([name, [start, end]]) => [name, textOf(bytes.subarray(start, end))]);
        expect(new Map(found as [string, string][])).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("mean what JSON.parse says they mean", () => {
    fc.assert(
      fc.property(objects, ([list, s]) => {
        const json = written(list, s);
        for (const [name, parsed] of Object.entries(JSON.parse(json)))
          expect(JSON.parse(rawMember(bytesOf(json), name) ?? "missing")).toEqual(parsed);
      }),
      { numRuns: 300 },
    );
  });

  it("are found in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (object, indent) => {
        const json = JSON.stringify(object, null, indent);
        expect([...memberSpans(bytesOf(json)).keys()]).toEqual(Object.keys(object));
      }),
      { numRuns: 300 },
    );
  });

  it("put together again are the same object", () => {
    fc.assert(
      fc.property(objects, ([list, s]) => {
        const source = bytesOf(written(list, s));
        const parts: Part[] = ["{"];
        for (const [name, span] of memberSpans(source))
          parts.push(`${parts.length > 1 ? "," : ""}${JSON.stringify(name)}:`, span);
        const { bytes, prefixBytes } = joinParts([...parts, "}"], source, "id.1.");
        expect(JSON.parse(textOf(bytes.subarray(prefixBytes)))).toEqual(JSON.parse(textOf(source)));
      }),
      { numRuns: 300 },
    );
  });
});

describe("trimmed text", () => {
  it("is the same JSON, with nothing to trim", () => {
    fc.assert(
      fc.property(objects, ([list, s]) => {
        const trimmed = textOf(trimJson(bytesOf(written(list, s))));
        expect(trimmed).toBe(written(list, s).trim());
        expect(textOf(trimJson(bytesOf(trimmed)))).toBe(trimmed);
      }),
    );
  });
});
