import { reset } from "cloudflare:test";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { call } from "../support/api.ts";
import { get, put } from "../support/destinations.ts";
import { callWith, expectProblem } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(async () => {
  expect(fetched.sent).toEqual([]);
  fetched.restore();
});
afterAll(reset);

let counter = 0;

/** What the PUT is answered with; where it is refused, nothing must have come of it. */
async function refused(
  body: Record<string, unknown>,
  field: string,
  code = "invalid_value",
): Promise<string> {
  const name = `refused-${++counter}`;
  const answer = await put(name, body);
  expectProblem(answer, { status: 422, code, field });
  expect((await get(name)).status).toBe(404);
  return answer.body.detail;
}
const taken = async (body: Record<string, unknown>): Promise<void> => {
  expect((await put(`taken-${++counter}`, body)).status).toBe(201);
};
const secretOf = (bytes: number): string => `whsec_${btoa("s".repeat(bytes))}`;

describe("a field of the wrong type", () => {
  const samples = { number: 5, text: "text", boolean: true, array: ["v3"], object: { a: 1 } };
  const takes: Record<string, readonly (keyof typeof samples)[]> = {
    url: ["text"],
    headers: ["object"],
    format: ["text"],
    retry_schedule: ["array"],
    secret: ["text"],
    max_in_flight: ["number"],
    max_per_second: ["number"],
  };
  const wrong = Object.entries(takes).flatMap(([field, types]) =>
    Object.entries(samples)
      .filter(([type]) => !types.some((other) => other === type))
      .map(([type, value]) => ({ field, type, value })),
  );
  it.each(wrong)("is refused: $field with $type", async ({ field, value }) => {
    await refused({ [field]: value }, field);
  });

  it("is refused: url with null, or not at all", async () => {
    await refused({ url: null }, "url");
    expectProblem(await call("PUT", "/v1/destinations/a", { body: {} }), {
      status: 422,
      code: "invalid_value",
      field: "url",
    });
  });

  it("is refused when it is not known", async () => {
    await refused({ header: {} }, "header", "unknown_field");
    await refused({ paused: true }, "paused", "unknown_field");
    await refused({ name: "a" }, "name", "unknown_field");
  });
});

describe("a body", () => {
  it.each<[number, string, unknown, Record<string, string>]>([
    [400, "malformed_body", undefined, {}],
    [400, "malformed_body", "{", {}],
    [415, "unsupported_media_type", '{"url":"https://example.com"}', { "content-type": "text/plain" }],
    [413, "body_too_large", `{"url":"${"x".repeat(65_536)}"}`, {}],
  ])("is refused with %d: %s", async (status, code, body, headers) => {
    const answer = await call("PUT", "/v1/destinations/a", { ...(body !== undefined && { body }), headers });
    expectProblem(answer, { status, code });
  });

  it("is refused when it is no object", async () => {
    for (const body of ["[]", '"x"', "null", "1"])
      expectProblem(await call("PUT", "/v1/destinations/a", { body }), {
        status: 422,
        code: "invalid_value",
      });
  });
});

describe("a URL", () => {
  it.each([
    "hook",
    "http://example.com/",
    "https://user:pw@example.com/",
    "https://127.0.0.1/",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://localhost/",
    "https://db.internal/",
    "https://example.com:22/",
    "https://pollhook.example/v1/jobs",
    `https://example.com/${"a".repeat(2048)}`,
  ])("that may not be called is refused: %s", async (url) => {
    expect(await refused({ url }, "url", "target_refused")).toMatch(/^url [a-z]/);
  });

  it("is refused when it is the server's public one", async () => {
    const body = { url: "https://public.example/hook" };
    const answer = await callWith({ PUBLIC_URL: "https://public.example" }, "PUT", "/v1/destinations/a", {
      body,
    });
    expectProblem(answer, { status: 422, code: "target_refused", field: "url" });
  });
});

describe("headers", () => {
  it.each([
    ["host", "v"],
    ["Content-Type", "v"],
    ["x-a", "a\r\nb"],
    ["x a", "v"],
    ["x-a", 7],
  ])("are refused, the one at fault named: %s", async (name, value) => {
    const field = `headers.${name}`;
    const detail = await refused({ headers: { "x-ok": "1", [name]: value } }, field);
    expect(detail.startsWith(`${field} `)).toBe(true);
  });

  it("are refused without repeating a name at any length", async () => {
    await refused({ headers: { ["x".repeat(5000)]: "v" } }, `headers.${"x".repeat(55)}…`);
  });

  it("are refused when they are too many", async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, ""]));
    await refused({ headers: many }, "headers");
    const { "x-20": _, ...fewer } = many;
    await taken({ headers: fewer });
  });
});

describe("a value out of bounds", () => {
  it.each<Record<string, unknown>>([
    { retry_schedule: Array.from({ length: 13 }, () => 1) },
    { retry_schedule: [604_801] },
    { retry_schedule: [604_800, 604_800, 1] },
    { retry_schedule: [-1] },
    { retry_schedule: ["5"] },
    { retry_schedule: [null] },
    { max_in_flight: 0 },
    { max_in_flight: 1001 },
    { max_in_flight: 1.5 },
    { max_per_second: 0.009 },
    { max_per_second: 0 },
    { max_per_second: 1000.1 },
    { secret: secretOf(23) },
    { secret: secretOf(65) },
    { secret: btoa("s".repeat(32)) },
    { secret: "whsec_" },
    { secret: `${secretOf(24)} ` },
    { secret: `whsec_${"_".repeat(32)}` },
    { format: "Standard" },
  ])("is refused: %j", async (body) => {
    const [field = ""] = Object.keys(body);
    const answer = await put("refused-bound", body);
    expect(answer.body.field).toMatch(new RegExp(`^${field}(\\.\\d+)?$`));
    expect([answer.status, answer.body.code]).toEqual([422, "invalid_value"]);
    expect((await get("refused-bound")).status).toBe(404);
  });

  it.each<Record<string, unknown>>([
    { retry_schedule: Array.from({ length: 12 }, () => 1) },
    { retry_schedule: [604_800, 604_800] },
    { retry_schedule: [] },
    { retry_schedule: [0] },
    { max_in_flight: 1 },
    { max_in_flight: 1000 },
    { max_per_second: 0.01 },
    { max_per_second: 1000 },
    { secret: secretOf(24) },
    { secret: secretOf(64) },
  ])("is taken at the bound: %j", async (body) => {
    await taken(body);
  });
});
