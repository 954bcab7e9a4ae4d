import { describe, expect, it } from "vitest";
import { parseAnswer } from "../../src/provider/answer.ts";
import { CAPTURED, REFUSALS, SEED_PAGES } from "../support/seed-pages.ts";

const KEY = "sk-caller-4f9d2c71b8";
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

describe("an answer without the key in it", () => {
  it.each([
    ...SEED_PAGES.map((page) => [page.title, page.response] as const),
    ...Object.entries(CAPTURED),
    ...Object.entries(REFUSALS),
  ])("is kept to the byte: %s", (_, text) => {
    const body = bytesOf(text);
    const answer = parseAnswer(body, KEY);
    expect(answer?.bytes).toEqual(body);
    expect(answer?.json).toEqual(JSON.parse(text));
  });

  it.each([
    ["escapes that need not be", '{"a":"\\u0041\\/\\u00e9\\ud83d\\ude00"}'],
    ["half a character", '{"a":"\\ud83d"}'],
    ["numbers that no double holds", '{"id":12345678901234567890123,"x":1e999,"y":1.10,"z":-0}'],
    ["repeated names", '{"a":1,"a":2,"":3}'],
    ["white space", '{\r\n\t"a" : [ ] }'],
    ["names that objects inherit", '{"__proto__":{"x":1},"constructor":2}'],
    ["no member at all", "{}"],
  ])("keeps %s", (_, text) => {
    for (const key of [KEY, null]) expect(textOf(parseAnswer(bytesOf(text), key)?.bytes)).toBe(text);
  });

  it("loses the white space around it", () => {
    expect(textOf(parseAnswer(bytesOf(' \t\r\n{"a": 1}\n '), KEY)?.bytes)).toBe('{"a": 1}');
  });

  it("loses a byte order mark", () => {
    for (const key of [KEY, null])
      expect(textOf(parseAnswer(bytesOf('\ufeff {"a":"\ufeff"}'), key)?.bytes)).toBe('{"a":"\ufeff"}');
  });

  it("may be nested 100,000 deep", () => {
    const text = `{"status":"success","output":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(parseAnswer(bytesOf(text), KEY)?.bytes.length).toBe(text.length);
  });
});

describe("an answer with the key in it", () => {
  it("is parsed and kept without it", () => {
    const text = `\n{"status":"error","message":"Invalid Api Key: ${KEY}","id":12345678901234567890}\n`;
    const answer = parseAnswer(bytesOf(text), KEY);
    expect(answer?.json.message).toBe("Invalid Api Key: [redacted]");
    expect(textOf(answer?.bytes)).toBe(
      '{"status":"error","message":"Invalid Api Key: [redacted]","id":12345678901234567890}',
    );
  });

  it("is kept as it is when there is no key to hide", () => {
    const text = `{"a":"${KEY}"}`;
    expect(textOf(parseAnswer(bytesOf(text), null)?.bytes)).toBe(text);
  });

  it("keeps its letters of every script", () => {
    const text = `{"a":"é 漢 😀 ${KEY}"}`;
    expect(textOf(parseAnswer(bytesOf(text), KEY)?.bytes)).toBe('{"a":"é 漢 😀 [redacted]"}');
  });
});

describe("a body that is no answer", () => {
  it.each([
    ["nothing", ""],
    ["white space", " \n"],
    ["HTML", "<html><body>502 Bad Gateway</body></html>"],
    ["half an object", '{"status":"success","output":["x"'],
    ["two objects", "{}{}"],
    ["an object in quotes", '"{}"'],
    ["an array", '[{"status":"success"}]'],
    ["a number", "1"],
    ["null", "null"],
    ["JavaScript", "{status:'success'}"],
    ["a trailing comma", '{"status":"success",}'],
    ["a raw line end in a string", '{"a":"\n"}'],
  ])("is told from one: %s", (_, text) => {
    expect(parseAnswer(bytesOf(text), KEY)).toBeNull();
  });

  it("is told by bytes that are no UTF-8", () => {
    expect(parseAnswer(new Uint8Array([0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d]), KEY)).toBeNull();
  });
});
