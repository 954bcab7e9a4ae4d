import { describe, expect, it } from "vitest";
import { readHeaders } from "../../src/webhook/headers.ts";

const fault = (given: Record<string, unknown>): string | null | undefined => {
  const read = readHeaders(given);
  return read.ok ? undefined : read.name;
};
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, "v"]));

describe("the headers of a destination", () => {
  it("are taken with their values as given and their names in lower case", () => {
    const given = { Authorization: "Bearer  a\tb", "X-Empty": "", "!#$%&'*+.^_`|~09az": "!~" };
    expect(readHeaders(given)).toEqual({
      ok: true,
      headers: { authorization: "Bearer  a\tb", "x-empty": "", "!#$%&'*+.^_`|~09az": "!~" },
    });
    expect(readHeaders({})).toEqual({ ok: true, headers: {} });
  });

  it("may bear names that every object inherits", () => {
    const given = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}');
    const read = readHeaders(given);
    expect(JSON.stringify(read.ok && read.headers)).toBe(
      '{"__proto__":"a","constructor":"b","tostring":"c"}',
    );
  });

  it("take null for absent", () => {
    expect(readHeaders({ "x-a": null, host: null })).toEqual({ ok: true, headers: {} });
  });

  it.each([
    ...["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"],
    ...[
      "trailer",
      "transfer-encoding",
      "upgrade",
      "expect",
      "host",
      "via",
      "forwarded",
      "cdn-loop",
      "x-real-ip",
      "true-client-ip",
      "http2-settings",
      "date",
    ],
    ...[
      "content-type",
      "content-length",
      "content-x",
      "webhook-id",
      "webhook-signature",
      "cf-ray",
      "cf-worker",
    ],
    ...["x-forwarded-for", "x-forwarded-x", "pollhook-attempt", "Host", "CONTENT-TYPE", "X-Forwarded-Host"],
  ])("may not be %s", (name) => {
    expect(fault({ "x-a": "1", [name]: "v" })).toBe(name);
  });

  it.each([
    "user-agent",
    "accept",
    "cookie",
    "x-contents",
    "x-host",
    "hosts",
    "contents",
    "cfx",
    "x-cf-ray",
    "test",
  ])("may be %s", (name) => {
    expect(fault({ [name]: "v" })).toBeUndefined();
  });

  it.each([
    "",
    " x",
    "x ",
    "x y",
    "x:y",
    "x\ty",
    "x\r\ny",
    "x\0",
    "(x)",
    "x/y",
    "x@y",
    'x"y',
    "é",
    "x\u212a",
    "{x}",
  ])("may not have the name %j", (name) => {
    expect(fault({ [name]: "v" })).toBe(name);
  });

  it.each([
    "a\r\nb",
    "a\nb",
    "a\rb",
    "a\0b",
    "\x7f",
    "a\x1fb",
    "é",
    "名",
    " a",
    "a ",
    "\ta",
    "a\t",
    " ",
    7,
    true,
    {},
  ])("may not have the value %j", (value) => {
    expect(fault({ "x-a": value })).toBe("x-a");
  });

  it("may not be given twice, whatever the case", () => {
    expect(fault({ "x-a": "1", "X-A": "1" })).toBe("X-A");
  });

  it("may be 20, and not 21", () => {
    expect(fault(many(20))).toBeUndefined();
    expect(fault(many(21))).toBeNull();
  });

  it("may have names of 64 characters, and not of 65", () => {
    expect(fault({ ["x".repeat(64)]: "v" })).toBeUndefined();
    expect(fault({ ["x".repeat(65)]: "v" })).toBe("x".repeat(65));
  });

  it("may have values of 4096 characters, and not of 4097", () => {
    expect(fault({ "x-a": "v".repeat(4096) })).toBeUndefined();
    expect(fault({ "x-a": "v".repeat(4097) })).toBe("x-a");
  });

  it("may have 8192 bytes in all, and not 8193", () => {
    const eight = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`x-${i}`, "v".repeat(1021)]));
    expect(fault(eight)).toBeUndefined();
    expect(fault({ ...eight, "x-0": "v".repeat(1022) })).toBeNull();
  });

  it("are refused without a word of their values", () => {
    for (const given of [{ "x-a": "Planted\n" }, { host: "Planted" }, { "x-a": "Planted".repeat(600) }])
      expect(JSON.stringify(readHeaders(given))).not.toContain("Planted");
  });
});
