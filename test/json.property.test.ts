import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinParts, memberSpans, type Part, rawMember, trimJson } from "../src/json.ts";
import { members, space, written } from "./support/json-text.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

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
