import { describe, expect, it } from "vitest";
import { editMembers, elementSpans, joinParts, memberSpans, rawMember, trimJson } from "../src/json.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const member = (json: string, name: string): string | undefined => rawMember(bytesOf(json), name);

describe("a member of JSON text", () => {
  it.each([
    ["an integer that no double holds", '{"id":12345678901234567890123}', "12345678901234567890123"],
    ["a number's own spelling", '{"id":1.10e+02}', "1.10e+02"],
    ["escaped slashes", '{"id":"https:\\/\\/x\\/1"}', '"https:\\/\\/x\\/1"'],
    ["an escaped quote", '{"id":"a\\"b,}"}', '"a\\"b,}"'],
    ["an escaped backslash at the end", '{"id":"a\\\\","x":1}', '"a\\\\"'],
    ["three backslashes before a quote", '{"id":"\\\\\\",","x":1}', '"\\\\\\","'],
    ["nested braces and brackets", '{"id":[{"id":["]","}"]},[]],"x":1}', '[{"id":["]","}"]},[]]'],
    ["white space inside, none around", '{ "id" :\r\n\t[ 1 , 2 ] \n, "x" : 1 }', "[ 1 , 2 ]"],
    ["a literal before a brace", '{"id":null}', "null"],
    ["a literal before white space", '{"id":true }', "true"],
    ["a literal before a comma", '{"id":false,"x":1}', "false"],
    ["the last of several", '{"id":1,"x":{"id":2},"id":3}', "3"],
    ["one whose name is escaped", '{"\\u0069\\u0064":4}', "4"],
    ["one behind a byte order mark", '\ufeff{"id":5}', "5"],
    ["one behind white space", ' \n{"id":6}', "6"],
    ["letters of every script", '{"ä":"é","id":"漢😀"}', '"漢😀"'],
    ["an empty string", '{"id":""}', '""'],
  ])("is found with %s", (_, json, raw) => {
    expect(member(json, "id")).toBe(raw);
  });

  it.each([
    ["in an empty object", "{}"],
    ["in an empty object with white space", " { } "],
    ["only inside another member", '{"x":{"id":1},"y":["id"]}'],
    ["only as a value", '{"x":"id"}'],
    ["only inside a string", '{"x":"\\"id\\":1"}'],
    ["in another case", '{"ID":1}'],
  ])("is not found %s", (_, json) => {
    expect(member(json, "id")).toBeUndefined();
  });

  it.each(["__proto__", "constructor", "toString", "", 'a"b', "a:b", "{", "漢", "\\"])(
    "may be named %j",
    (name) => {
      expect(member(`{"x":0,${JSON.stringify(name)}:7}`, name)).toBe("7");
      expect(member('{"x":0}', name)).toBeUndefined();
    },
  );

  it.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
  ])("is found behind 100,000 nested %s", (_, open, close) => {
    const deep = `${open.repeat(100_000)}1${close.repeat(100_000)}`;
    const json = `{"deep":${deep},"id":8}`;
    expect(member(json, "id")).toBe("8");
    expect(member(json, "deep")).toBe(deep);
  });

  it("is found behind a string of a million backslashes", () => {
    expect(member(`{"a":"${"\\\\".repeat(500_000)}","id":9}`, "id")).toBe("9");
  });
});

describe("the members of JSON text", () => {
  it("stand in the order of the text, in bytes", () => {
    const text = bytesOf('{"é":1, "b":[2]}');
    expect([...memberSpans(text)]).toEqual([
      ["é", [6, 7]],
      ["b", [13, 16]],
    ]);
  });
});

describe("text without white space around it", () => {
  it.each([
    [" \t\r\n{} \n", "{}"],
    ["{ }", "{ }"],
    ["", ""],
    [" \n ", ""],
    ["1", "1"],
    ["\u00a0{}", "\u00a0{}"],
  ])("of %j is %j", (text, trimmed) => {
    expect(textOf(trimJson(bytesOf(text)))).toBe(trimmed);
  });

  it("is a view, not a copy", () => {
    const text = bytesOf(" {} ");
    expect(trimJson(text).buffer).toBe(text.buffer);
  });
});

describe("joined parts", () => {
  it("are literals and spans of the source, in order", () => {
    const source = bytesOf('{"é":[1]}');
    const { bytes, prefixBytes } = joinParts(['{"a":', [6, 9], ',"ü":', [0, source.length], "}"], source);
    expect(textOf(bytes)).toBe('{"a":[1],"ü":{"é":[1]}}');
    expect(prefixBytes).toBe(0);
  });

  it("stand behind a prefix whose bytes are counted", () => {
    const { bytes, prefixBytes } = joinParts(["{}"], null, "msg_é.1.");
    expect(prefixBytes).toBe(9);
    expect(textOf(bytes)).toBe("msg_é.1.{}");
    expect(textOf(bytes.subarray(prefixBytes))).toBe("{}");
  });

  it("may be nothing", () => {
    expect(joinParts([], null)).toEqual({ bytes: new Uint8Array(0), prefixBytes: 0 });
  });

  it("throws when a span's text is gone, rather than write broken JSON", () => {
    expect(() => joinParts(['{"output":', [1, 2], "}"], null)).toThrow("without the text");
  });

  it("leave the source as it was", () => {
    const source = bytesOf("[1]");
    joinParts([[0, 3]], source, "x").bytes.fill(0);
    expect(textOf(source)).toBe("[1]");
  });
});

describe("an object's members", () => {
  const edit = (json: string, edits: Record<string, string | null>): string => {
    const bytes = bytesOf(json);
    return textOf(joinParts(editMembers(bytes, new Map(Object.entries(edits))), bytes).bytes);
  };

  it.each<[string, string, Record<string, string | null>, string]>([
    ["replaced where they stand", '{"a":1,"key":"x","b":2}', { key: '"y"' }, '{"a":1,"key":"y","b":2}'],
    ["taken away from the front", '{"key":"x","b":2}', { key: null }, '{"b":2}'],
    ["taken away from the end", '{"b":2,"key":"x"}', { key: null }, '{"b":2}'],
    ["taken away, the only one", '{"key":"x"}', { key: null }, "{}"],
    ["taken away where there are none", '{"b":2}', { key: null }, '{"b":2}'],
    ["added to an empty object", " { } ", { key: "1" }, '{"key":1}'],
    ["added behind the others", '{"b":2}', { key: "1" }, '{"b":2,"key":1}'],
    ["replaced once where repeated", '{"key":1,"b":2,"key":3}', { key: "4" }, '{"key":4,"b":2}'],
    ["taken away wherever repeated", '{"key":1,"b":2,"key":3}', { key: null }, '{"b":2}'],
    ["found under an escaped name", '{"k\\u0065y":"x","b":2}', { key: null }, '{"b":2}'],
    ["found under a name of the prototype", '{"__proto__":1,"b":2}', { ["__proto__"]: null }, '{"b":2}'],
    ["left alone inside others", '{"b":{"key":"x"}}', { key: null }, '{"b":{"key":"x"}}'],
    [
      "left as they are written",
      '{"n":1.10e+02,"u":"\\/\\u00e9", "id": 9007199254740993}',
      { key: "1" },
      '{"n":1.10e+02,"u":"\\/\\u00e9","id": 9007199254740993,"key":1}',
    ],
  ])("are %s", (_, json, edits, edited) => {
    expect(edit(json, edits)).toBe(edited);
  });
});

describe("an array's elements", () => {
  it.each([
    ["[]", []],
    [" [ ] ", []],
    ["[1]", ["1"]],
    ['[ 1 , "a,]" ,\n{"b":[2,{"c":"}"}]},[],null ]', ["1", '"a,]"', '{"b":[2,{"c":"}"}]}', "[]", "null"]],
    ['[true,false,1.5e3,"\\\\"]', ["true", "false", "1.5e3", '"\\\\"']],
  ])("are found in %s", (json, elements) => {
    const bytes = bytesOf(json);
    expect(elementSpans(bytes).map(([start, end]) => textOf(bytes.subarray(start, end)))).toEqual(elements);
  });
});
