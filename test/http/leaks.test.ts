import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { type Answer, call, readJob, register, registration, stored, token } from "../support/api.ts";
import { callWith, expectProblem } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

/** Fits every field: no character of it is refused anywhere. */
const SECRET = "PlantedSecret-8c1f";
const SERVER_KEY = "PlantedServerKey-5d2e";

let fetched: ScriptedFetch;
let logs: MockInstance[];
beforeEach(() => {
  fetched = new ScriptedFetch();
  logs = [vi.spyOn(console, "log"), vi.spyOn(console, "error"), vi.spyOn(console, "warn")].map((spy) =>
    spy.mockImplementation(() => {}),
  );
});
afterEach(() => {
  for (const spy of logs) {
    expect(JSON.stringify(spy.mock.calls)).not.toContain("Planted");
    spy.mockRestore();
  }
  expect(fetched.sent).toEqual([]);
  fetched.restore();
});

/** Headers and body; neither a planted secret nor a stack may stand in it. */
function expectClean({ headers, text }: Answer): void {
  const whole = JSON.stringify([...headers]) + text;
  expect(whole).not.toContain("Planted");
  expect(whole).not.toMatch(/\bat .+:\d+:\d+|\.ts\b|Error\b/);
}

const REFUSED: readonly (readonly [field: string, value: unknown])[] = [
  ["endpoint", `v3/${SECRET}/fetch`],
  ["endpoint", { [SECRET]: SECRET }],
  ["request_id", `${SECRET} `],
  ["request_id", [SECRET]],
  ["fetch_url", `https://evil.example/api/v3/fetch/1?key=${SECRET}`],
  ["fetch_url", `https://${SECRET}:${SECRET}@modelslab.com/api/v3/fetch/1`],
  ["fetch_url", `https://modelslab.com/${SECRET}`],
  ["fetch_url", SECRET],
  ["fetch_url", [SECRET]],
  ["response", SECRET],
  ["response", { status: "error", message: SECRET }],
  ["response", { status: "processing", id: `${SECRET}/`, key: SECRET }],
  ["response", { status: "processing", id: 1, fetch_result: `https://evil.example/${SECRET}` }],
  ["response", { message: SECRET }],
  ["callback_url", `http://example.com/?token=${SECRET}`],
  ["callback_url", `https://user:${SECRET}@example.com/`],
  ["callback_url", `https://${SECRET}/`],
  ["callback_url", SECRET],
  ["callback_url", { url: SECRET }],
  ["eta", SECRET],
  ["deadline_seconds", SECRET],
  ["key", `${SECRET} ${SECRET}`],
  ["key", [SECRET]],
  ["key", SECRET.repeat(20)],
  ["format", SECRET],
  ["metadata", SECRET],
  ["metadata", [SECRET]],
  ["metadata", { a: SECRET.repeat(300) }],
  ["unknown", SECRET],
  ["unknown", { [SECRET]: SECRET }],
];

describe("a refusal", () => {
  it.each(REFUSED)("repeats no value: %s %j", async (field, value) => {
    const answer = await register({ request_id: null, key: SECRET, metadata: { a: SECRET }, [field]: value });
    expect(answer.status).toBe(422);
    expect(answer.body.field).toMatch(new RegExp(`^${field}(\\.|$)`));
    expectClean(answer);
  });

  it.each([`{"key":"${SECRET}"`, `{"key":"${SECRET}",}`, `${SECRET}`, `"${SECRET}"`, `["${SECRET}"]`])(
    "repeats nothing of a body that is no object: %s",
    async (body) => {
      const answer = await call("POST", "/v1/jobs", { body });
      expect([400, 422]).toContain(answer.status);
      expectClean(answer);
    },
  );

  it("repeats neither side of a disagreement", async () => {
    const answer = await register({
      request_id: `${SECRET}1`,
      fetch_url: `https://modelslab.com/api/v3/fetch/${SECRET}2`,
    });
    expect(answer.status).toBe(422);
    expectClean(answer);
  });

  it("repeats neither callback of a conflict", async () => {
    const { body } = await register({ callback_url: `https://example.com/${SECRET}1` });
    const answer = await register({
      request_id: body.request_id,
      callback_url: `https://example.com/${SECRET}2`,
    });
    expectProblem(answer, { status: 409, code: "already_registered", field: "callback_url" });
    expectClean(answer);
  });

  it("repeats no token, and nothing of a path or a query", async () => {
    const refused = [
      await call("GET", `/v1/jobs/${SECRET}`),
      await call("GET", `/${SECRET}?key=${SECRET}`),
      await call("GET", `/v1/jobs/${SECRET}?wait=${SECRET}`),
      await call("PUT", `/v1/jobs/${SECRET}`),
      await call("GET", "/v1/signing-secret", { auth: SECRET }),
      await call("GET", "/v1/signing-secret", { auth: null, headers: { authorization: SECRET } }),
      await call("GET", "/v1/signing-secret", { auth: await token({ scope: SECRET, jti: SECRET }) }),
      await call("POST", "/v1/jobs", { body: registration(), headers: { "content-type": SECRET } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([404, 404, 422, 405, 401, 401, 403, 415]);
    for (const answer of refused) expectClean(answer);
  });
});

describe("an accepted registration", () => {
  it("answers, stores and logs the provider key nowhere", async () => {
    const registered = await register({ key: SECRET });
    expect(registered.status).toBe(202);
    const { id, request_id } = registered.body;
    const answers = [
      registered,
      await readJob(id),
      await register({ request_id, key: SECRET }),
      await call("POST", `/v1/jobs/${id}/redeliver`),
      await call("POST", `/v1/jobs/${id}/cancel`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 200, 409, 200]);
    for (const answer of answers) expectClean(answer);
    expect(JSON.stringify(await stored(id))).not.toContain("Planted");
  });

  it("answers the server's own provider key nowhere", async () => {
    const body = { ...registration(), key: null };
    const answer = await callWith({ PROVIDER_KEY: SERVER_KEY }, "POST", "/v1/jobs", { body });
    expect(answer.status).toBe(202);
    expectClean(answer);
    expect(JSON.stringify(await stored(answer.body.id))).not.toContain("Planted");
  });
});
