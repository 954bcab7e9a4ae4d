import { describe, expect, it } from "vitest";
import { call, PROVIDER_KEY, readJob, uniqueId } from "../support/api.ts";
import { callWith, EMPTY, expectProblem, idOf, storageOf } from "../support/http.ts";

const HOOK = "https://example.com/hook";

/** A registration's JSON text around the raw text of `metadata`. */
const bodyWith = (metadata: string, requestId = uniqueId()): string =>
  `{"request_id":"${requestId}", "callback_url":"${HOOK}","key":"${PROVIDER_KEY}","eta":600,"metadata":${metadata}}`;

/** JSON text of an object with exactly so many bytes of UTF-8, two of them in one character. */
const sized = (bytes: number): string => `{"a":"é${"x".repeat(bytes - 10)}"}`;

describe("metadata", () => {
  it.each([
    ["big integers and exponents", '{"a":12345678901234567890,"b":1.10,"c":1E+2,"d":-0}'],
    ["odd white space", '{ "a" :\t1 ,\r\n\n  "b":[ 1 ,2 ] }'],
    [
      "names that objects inherit",
      '{"__proto__":{"x":1},"constructor":2,"toString":null,"hasOwnProperty":3}',
    ],
    ["unicode, raw and escaped", '{"é😀":"\u2028\ufeff","b":"\\u00e9\\ud83d\\ude00\\ud800\\u0000\\/"}'],
    ["repeated names", '{"a":1,"a":2}'],
    ["names of the answer itself", '{"result":1,"format":"x","metadata":{"timeline":[]},"":""}'],
    ["braces and quotes in strings", '{"a":"}\\"]},{\\\\","b":"\\\\\\""}'],
    ["deep nesting", `{"a":${"[".repeat(1900)}${"]".repeat(1900)}}`],
    ["nothing", "{}"],
  ])("comes back byte for byte: %s", async (_, metadata) => {
    const registered = await call("POST", "/v1/jobs", { body: bodyWith(metadata) });
    expect(registered.status).toBe(202);
    for (const { text } of [registered, await readJob(registered.body.id)])
      expect(text).toContain(`"format":"standard","metadata":${metadata},"eta":600`);
  });

  it("is the last one of two, as JSON.parse has it", async () => {
    const body = bodyWith('{"last":true}').replace("{", '{"metadata":{"first":true},');
    const { body: job, text } = await call("POST", "/v1/jobs", { body });
    expect(job.metadata).toEqual({ last: true });
    expect(text).not.toContain("first");
  });

  it("is found under an escaped name and behind a byte order mark", async () => {
    const body = `\ufeff${bodyWith('{"a":1.0}').replace('"metadata"', '"\\u006detadata"')}`;
    const { text, status } = await call("POST", "/v1/jobs", { body });
    expect(status).toBe(202);
    expect(text).toContain('"metadata":{"a":1.0},');
  });

  it("may have 4096 bytes", async () => {
    expect(new TextEncoder().encode(sized(4096))).toHaveLength(4096);
    const { status, text } = await call("POST", "/v1/jobs", { body: bodyWith(sized(4096)) });
    expect(status).toBe(202);
    expect(text).toContain(sized(4096));
  });

  it("may not have 4097 bytes", async () => {
    const requestId = uniqueId();
    const answer = await call("POST", "/v1/jobs", { body: bodyWith(sized(4097), requestId) });
    expectProblem(answer, { status: 422, code: "invalid_value", field: "metadata" });
    expect(await storageOf(await idOf(requestId))).toEqual(EMPTY);
  });

  it("counts its own white space", async () => {
    const padded = `{${" ".repeat(4095)}}`;
    const answer = await call("POST", "/v1/jobs", { body: bodyWith(padded) });
    expectProblem(answer, { status: 422, code: "invalid_value", field: "metadata" });
  });

  it.each(["[]", '["a"]', '"text"', "7", "true"])("is refused when it is %s", async (metadata) => {
    const requestId = uniqueId();
    const answer = await call("POST", "/v1/jobs", { body: bodyWith(metadata, requestId) });
    expectProblem(answer, { status: 422, code: "invalid_value", field: "metadata" });
    expect(await storageOf(await idOf(requestId))).toEqual(EMPTY);
  });

  it("does not shadow a registration's own fields through __proto__", async () => {
    const body = `{"__proto__":{"key":"${PROVIDER_KEY}"},"request_id":"${uniqueId()}"}`;
    const answer = await call("POST", "/v1/jobs", { body });
    expectProblem(answer, { status: 422, code: "unknown_field", field: "__proto__" });
    const nested = { request_id: uniqueId(), metadata: JSON.parse('{"__proto__":{"key":"x"}}') };
    const keyless = await callWith({ PROVIDER_KEY: undefined }, "POST", "/v1/jobs", { body: nested });
    expectProblem(keyless, { status: 422, code: "invalid_value", field: "key" });
  });
});
