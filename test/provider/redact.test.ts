import { describe, expect, it } from "vitest";
import { redact } from "../../src/provider/answer.ts";

const KEY = "sk-caller/4f9d2c71b8";

/** Every character of `text` as JSON may write it with `\u`. */
const escaped = (text: string, upper = false): string =>
  [...text]
    .map((char) => {
      const hex = char.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${upper ? hex.toUpperCase() : hex}`;
    })
    .join("");

describe("an echo of the key", () => {
  it.each([
    ["plain", `{"message":"bad key ${KEY}!"}`, '{"message":"bad key [redacted]!"}'],
    ["alone", `{"key":"${KEY}"}`, '{"key":"[redacted]"}'],
    ["twice", `{"a":"${KEY}${KEY}"}`, '{"a":"[redacted][redacted]"}'],
    ["with escaped slashes", `{"a":"${KEY.replaceAll("/", "\\/")}"}`, '{"a":"[redacted]"}'],
    [
      "with one slash of two escaped",
      `{"a":"${KEY}","b":"sk-caller\\/4f9d2c71b8"}`,
      '{"a":"[redacted]","b":"[redacted]"}',
    ],
    ["escaped throughout", `{"a":"${escaped(KEY)}"}`, '{"a":"[redacted]"}'],
    ["escaped in capitals", `{"a":"${escaped(KEY, true)}"}`, '{"a":"[redacted]"}'],
    ["escaped in part", `{"a":"sk\\u002dcaller\\/4f9d2c71b\\u0038"}`, '{"a":"[redacted]"}'],
    ["deep inside", `{"a":[{"b":["x","?key=${KEY}&y"]}]}`, '{"a":[{"b":["x","?key=[redacted]&y"]}]}'],
    ["in a URL", `{"a":"https://x/?k=${encodeURIComponent(KEY)}&b"}`, '{"a":"https://x/?k=[redacted]&b"}'],
    ["in a URL in small letters", '{"a":"?k=sk-caller%2f4f9d2c71b8"}', '{"a":"?k=[redacted]"}'],
    ["in a name", `{"a":{"${KEY}":1}}`, '{"a":{"[redacted]":1}}'],
    ["behind an escaped quote", `{"a":"\\"${KEY}\\""}`, '{"a":"\\"[redacted]\\""}'],
    ["behind an escaped backslash", `{"a":"\\\\","b":"\\\\${KEY}"}`, '{"a":"\\\\","b":"\\\\[redacted]"}'],
    ["behind a line end", `{"a":"\\n${KEY}\\n"}`, '{"a":"\\n[redacted]\\n"}'],
  ])("is taken out: %s", (_, json, clean) => {
    expect(redact(json, KEY)).toBe(clean);
  });

  it.each([
    ["a backslash", "back\\slash\\1", "back\\\\slash\\\\1"],
    ["a quote", 'quote"quote"', 'quote\\"quote\\"'],
    ["what means something in a pattern", "a.b*c+d?(e)[f]{1}|^$-", "a.b*c+d?(e)[f]{1}|^$-"],
    ["a dollar sign pair", "$&$1$$`'aa", "$&$1$$`'aa"],
  ])("is taken out of a key with %s", (_, key, written) => {
    expect(redact(`{"a":"<${written}>"}`, key)).toBe('{"a":"<[redacted]>"}');
    expect(redact(`{"a":"<${escaped(key)}>"}`, key)).toBe('{"a":"<[redacted]>"}');
  });

  it.each([
    ["a backslash", "back\\slash\\1"],
    ["a quote", 'quote"quote"'],
    ["a slash", "slash/slash/1"],
    ["all of them", 'a"/\\"/\\"/\\b'],
  ])("is taken out of JSON that is a string of the answer: a key with %s", (_, key) => {
    const asPhp = (value: unknown) => JSON.stringify(value).replaceAll("/", "\\/");
    for (const [inner, outer] of [
      [JSON.stringify, JSON.stringify],
      [asPhp, JSON.stringify],
      [JSON.stringify, asPhp],
      [asPhp, asPhp],
    ] as const) {
      const clean = redact(outer({ request: inner({ key }) }), key);
      expect(JSON.parse(JSON.parse(clean).request)).toEqual({ key: "[redacted]" });
    }
  });

  it("is looked for in no time among what looks like it", () => {
    const key = `${"\\".repeat(200)}x`;
    const json = JSON.stringify({ a: "\\".repeat(100_000) });
    expect(redact(json, key)).toBe(json);
  });

  it("is not seen where a pattern would see it", () => {
    const json = '{"a":"aXb c"}';
    expect(redact(json, "a.b.c.d.e")).toBe(json);
    expect(redact('{"a":"axbxcxdxe"}', "a.b.c.d.e")).toBe('{"a":"axbxcxdxe"}');
  });

  it("is not seen in another case", () => {
    const json = `{"a":"${KEY.toUpperCase()}"}`;
    expect(redact(json, KEY)).toBe(json);
  });
});

describe("JSON beside the key", () => {
  it("keeps numbers that a key of digits is part of", () => {
    const json = '{"id":1234567890,"n":[12345678,-12345678.5,1e12345678],"s":"id 12345678"}';
    expect(redact(json, "12345678")).toBe(
      '{"id":1234567890,"n":[12345678,-12345678.5,1e12345678],"s":"id [redacted]"}',
    );
  });

  it("keeps literals and structure that a key looks like", () => {
    expect(redact('{"a":[true,false,null],"b":"null],\\"b"}', 'null],"b')).toBe(
      '{"a":[true,false,null],"b":"[redacted]"}',
    );
    expect(redact('{"a":true,"b":"x"}', 'true,"b":"')).toBe('{"a":true,"b":"x"}');
  });

  it.each([
    ["a letter that names an escape", "nnnnnnnn", '{"a":"\\nnnnnnnn"}'],
    ["hex digits that end an escape", "00e900e9", '{"a":"\\u00e900e9"}'],
    ["hex digits inside two escapes", "0e9abcde", '{"a":"\\u00e9abcde"}'],
    ["an escape's whole text", "u00e9abc", '{"a":"\\u00e9abc"}'],
    ["a slash behind an escaped backslash", "/abcdefg", '{"a":"\\\\\\/abcdef"}'],
  ])("keeps an escape when the key begins like %s", (_, key, json) => {
    expect(redact(json, key)).toBe(json);
  });

  it.each([
    ["after a line end", "nabcdefg", '{"a":"\\nnabcdefg"}', '{"a":"\\n[redacted]"}'],
    ["after an escaped letter", "00e9abcd", '{"a":"\\u00e900e9abcd"}', '{"a":"\\u00e9[redacted]"}'],
    ["after an escaped backslash", "/abcdefg", '{"a":"\\\\/abcdefg"}', '{"a":"\\\\[redacted]"}'],
    ["after two of them", "/abcdefg", '{"a":"\\\\\\/abcdefg"}', '{"a":"\\\\[redacted]"}'],
    ["that is all one letter", "nnnnnnnn", '{"a":"\\nnnnnnnnn"}', '{"a":"\\n[redacted]"}'],
  ])("stays JSON when a key is taken out %s", (_, key, json, clean) => {
    expect(redact(json, key)).toBe(clean);
  });

  it.each(["", "{", '{"a', '{"a":"x', '"\\', '{"a":"\\u00', "<html>"])(
    "is left alone where it is broken: %j",
    (text) => {
      expect(redact(text, KEY)).toBe(text);
    },
  );
});

describe("a short key", () => {
  it("of 8 characters is searched for, one of 7 only as a whole string", () => {
    const json = '{"a":"x12345678x","b":"12345678","c":"1234567","d":"x1234567"}';
    expect(redact(json, "12345678")).toBe(
      '{"a":"x[redacted]x","b":"[redacted]","c":"1234567","d":"x1234567"}',
    );
    expect(redact(json, "1234567")).toBe('{"a":"x12345678x","b":"12345678","c":"[redacted]","d":"x1234567"}');
  });

  it("is found as a whole string however it is escaped", () => {
    expect(redact('{"a":"\\u006by","\\u006b\\/":"k/"}', "k/")).toBe(
      '{"a":"\\u006by","[redacted]":"[redacted]"}',
    );
  });

  it("is not what differs from it by a backslash that is written in its two ways", () => {
    const json = '{"a":"ua\\u0022\\\\\\\\"}';
    expect(JSON.parse(json)).toEqual({ a: 'ua"\\\\' });
    expect(redact(json, 'ua"\\')).toBe(json);
  });

  it("of one letter does not eat words", () => {
    expect(redact('{"status":"success","s":"s"}', "s")).toBe(
      '{"status":"success","[redacted]":"[redacted]"}',
    );
  });
});

describe("a key with several slashes", () => {
  it.each(["pk/9f3a/1c7e", "pk\\/9f3a\\/1c7e", "pk/9f3a\\/1c7e", "pk\\/9f3a/1c7e", "pk%2F9f3a/1c7e"])(
    "is taken out as %s",
    (echo) => {
      expect(redact(`{"a":"<${echo}>"}`, "pk/9f3a/1c7e")).toBe('{"a":"<[redacted]>"}');
    },
  );
});
