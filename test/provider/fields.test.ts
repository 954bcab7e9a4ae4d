import { describe, expect, it } from "vitest";
import { idOf, isPlainObject, messageOf, numberOf, shown } from "../../src/provider/fields.ts";

describe("a message", () => {
  it.each([
    ["message", { message: "a" }, "a"],
    ["messege", { messege: "b" }, "b"],
    ["message before messege", { message: "a", messege: "b" }, "a"],
    ["messege behind an empty message", { message: "", messege: "b" }, "b"],
    ["messege behind a message that is null", { message: null, messege: "b" }, "b"],
    ["an object", { message: { prompt: ["is required"] } }, '{"prompt":["is required"]}'],
    ["an object as messege", { messege: { model_id: ["x"] } }, '{"model_id":["x"]}'],
    ["an array", { message: ["a", "b"] }, '["a","b"]'],
    ["a number, which is none", { message: 5 }, ""],
    ["nothing", {}, ""],
    ["no answer", null, ""],
  ])("is read from %s", (_, answer, text) => {
    expect(messageOf(answer)).toBe(text);
  });

  it("keeps 1000 characters and cuts at 1001", () => {
    expect(shown("x".repeat(1000))).toBe("x".repeat(1000));
    expect(shown("x".repeat(1001))).toBe(`${"x".repeat(999)}…`);
  });

  it("is text that any JSON reader takes, also where it is cut inside a character", () => {
    for (const message of [`${"x".repeat(998)}😀${"x".repeat(9)}`, "half \ud83d of one", "\ude00"])
      expect(shown(messageOf({ message })).isWellFormed()).toBe(true);
  });

  it.each([
    ["arrays", "[", "1", "]"],
    ["objects", '{"a":', "1", "}"],
    ["objects with index names", '{"0":', "1", "}"],
  ])("is short text for 100,000 nested %s", (_, open, inner, close) => {
    const message: unknown = JSON.parse(open.repeat(100_000) + inner + close.repeat(100_000));
    expect(shown(messageOf({ message }))).toMatch(/^.{20,1000}$/);
  });

  it("is a sentence where the object cannot be written", () => {
    const message: unknown = JSON.parse(`${'{"0":'.repeat(100_000)}1${"}".repeat(100_000)}`);
    expect(messageOf({ message })).toBe("The provider's message is nested too deeply to show.");
  });
});

describe("an id", () => {
  it.each([
    [13443927, "13443927"],
    [0, "0"],
    [2 ** 53 - 1, "9007199254740991"],
    ["13443927", "13443927"],
    ["abc123-def456", "abc123-def456"],
  ])("is read from %j", (value, id) => {
    expect(idOf(value)).toBe(id);
  });

  it.each([["", 2 ** 53, -1, 1.5, Number.NaN, null, undefined, true, {}, [1]]].flat())(
    "is not to be had from %j",
    (value) => {
      expect(idOf(value)).toBeNull();
    },
  );
});

describe("a number", () => {
  it.each([
    [1.5, 1.5],
    ["1.5", 1.5],
    [" 10 ", 10],
    [-1, -1],
    ["", null],
    [" ", null],
    ["0x10", null],
    ["1,5", null],
    ["Infinity", null],
    [Number.POSITIVE_INFINITY, null],
    [Number.NaN, null],
    [null, null],
    [true, null],
  ])("from %j is %j", (value, number) => {
    expect(numberOf(value)).toBe(number);
  });
});

describe("a plain object", () => {
  it("is neither an array nor null", () => {
    expect([{}, { a: 1 }].every(isPlainObject)).toBe(true);
    expect([[], null, undefined, "x", 1].some(isPlainObject)).toBe(false);
  });
});
