import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { registration, uniqueId } from "../support/api.ts";
import { callWith, EMPTY, expectProblem, idOf, objectCount, storageOf } from "../support/http.ts";

const SECRET = "UGxhbnRlZE1hc3RlcktleVRoYXRNdXN0Tm90TGVhaw";
const ID = `job_${"a".repeat(32)}`;

const UNUSABLE: readonly (readonly [what: string, MASTER_KEYS: string | undefined])[] = [
  ["missing", undefined],
  ["empty", ""],
  ["nothing but commas", " , ,"],
  ["without a key id", `${SECRET}=`],
  ["with an empty key id", `:${SECRET}=`],
  ["not base64", `k1:${SECRET}!!`],
  ["31 bytes", `k1:${btoa("x".repeat(31))}`],
  ["33 bytes", `k1:${btoa("x".repeat(33))}`],
  ["one good and one bad", `k1:${btoa("x".repeat(32))},k2:${SECRET}`],
  ["the same key id twice", `k1:${btoa("x".repeat(32))},k1:${btoa("y".repeat(32))}`],
];

let logged: MockInstance;
beforeEach(() => {
  logged = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  logged.mockRestore();
});

/** The one line logged since the test began. */
function logLine(): { event: string; problems: string } {
  expect(logged.mock.calls).toHaveLength(1);
  return JSON.parse(String(logged.mock.calls[0]?.[0]));
}

/** No part of the value that was set, but for words that every key list has. */
function expectNoTraceOf(value: string | undefined, text: string): void {
  for (const part of (value ?? "").split(/[,:\s]/).filter(({ length }) => length > 2))
    expect(text).not.toContain(part);
  expect(text).not.toContain(SECRET);
}

describe("MASTER_KEYS that cannot be used", () => {
  it.each(UNUSABLE)("make every route answer 500: %s", async (_, MASTER_KEYS) => {
    const body = registration({ request_id: uniqueId() });
    const objects = await objectCount();
    for (const [method, path] of [
      ["POST", "/v1/jobs"],
      ["GET", `/v1/jobs/${ID}`],
      ["DELETE", `/v1/jobs/${ID}`],
      ["POST", `/v1/jobs/${ID}/cancel`],
      ["POST", `/v1/jobs/${ID}/redeliver`],
      ["GET", "/v1/signing-secret"],
    ] as const) {
      logged.mockClear();
      const answer = await callWith({ MASTER_KEYS }, method, path, method === "POST" ? { body } : {});
      expectProblem(answer, { status: 500, code: "internal_error" });
      expect(answer.text).not.toMatch(/master|keys?\b|config|secret|env/i);
      expectNoTraceOf(MASTER_KEYS, answer.text);
      expect(logLine().event).toBe("config.unusable");
    }
    expect(await objectCount()).toBe(objects);
    expect(await storageOf(await idOf(String(body.request_id)))).toEqual(EMPTY);
  });

  it.each(UNUSABLE)("make /healthz answer 503 and log what to set: %s", async (_, MASTER_KEYS) => {
    const answer = await callWith({ MASTER_KEYS }, "GET", "/healthz", { auth: null });
    expectProblem(answer, { status: 503, code: "unavailable" });
    expect(answer.text).not.toContain("MASTER_KEYS");
    expectNoTraceOf(MASTER_KEYS, answer.text);
    const { event, problems } = logLine();
    expect(event).toBe("config.unusable");
    expect(problems).toContain("MASTER_KEYS");
    expectNoTraceOf(MASTER_KEYS, problems);
  });
});

describe("another variable that cannot be used", () => {
  it.each([
    ["PROVIDER_KEY", "sk planted"],
    ["DEFAULT_ENDPOINT", "planted/fetch"],
    ["PUBLIC_URL", "planted"],
    ["PROVIDER_ORIGINS", "https://planted.example/path"],
    ["ALLOW_PRIVATE_TARGETS", "planted"],
    ["RETENTION_HOURS", "planted"],
    ["MAX_OUTPUT_BYTES", "planted"],
  ])("has the same answers and is named in the log: %s", async (name, value) => {
    const health = await callWith({ [name]: value }, "GET", "/healthz", { auth: null });
    expectProblem(health, { status: 503, code: "unavailable" });
    expect(logLine().problems).toContain(name);
    const read = await callWith({ [name]: value }, "GET", `/v1/jobs/${ID}`);
    expectProblem(read, { status: 500, code: "internal_error" });
    expect(`${health.text}${read.text}${JSON.stringify(logged.mock.calls)}`).not.toContain("planted");
  });

  it("is logged together with all others", async () => {
    await callWith({ MASTER_KEYS: "", RETENTION_HOURS: "x" }, "GET", "/healthz");
    expect(logLine().problems).toMatch(/MASTER_KEYS.*RETENTION_HOURS/);
  });
});
