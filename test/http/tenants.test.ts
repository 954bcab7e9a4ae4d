import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signingSecrets } from "../../src/webhook/signature.ts";
import { call, config, readJob, register, stored, token, uniqueId } from "../support/api.ts";
import { callWith, EMPTY, expectProblem, idOf, objectCount, storageOf } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

const CALLS = [
  ["GET", ""],
  ["GET", "?wait=60"],
  ["POST", "/cancel"],
  ["POST", "/redeliver"],
  ["DELETE", ""],
] as const;

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  expect(fetched.sent).toEqual([]);
  fetched.restore();
});

describe("another tenant's job", () => {
  it.each(CALLS)("is a 404 like that of a job that never was: %s %s", async (method, suffix) => {
    const { body } = await register();
    const before = await stored(body.id);
    const auth = await token({ sub: "globex" });
    const theirs = await call(method, `/v1/jobs/${body.id}${suffix}`, { auth });
    const nobodys = await call(method, `/v1/jobs/${await idOf(uniqueId())}${suffix}`, { auth });

    expectProblem(theirs, { status: 404, code: "not_found" });
    expect(theirs.text).toBe(nobodys.text);
    expect([...theirs.headers]).toEqual([...nobodys.headers]);
    expect(await stored(body.id)).toEqual(before);
  });

  it("is not found through names that look alike", async () => {
    const { body } = await register();
    for (const sub of ["Acme", "acme.", "acme@", "acm"])
      expect((await call("GET", `/v1/jobs/${body.id}`, { auth: await token({ sub }) })).status).toBe(404);
    expect((await readJob(body.id)).status).toBe(200);
  });

  it("does not stand in the way of registering the same request", async () => {
    const { body } = await register();
    const auth = await token({ sub: "globex" });
    const registration = { request_id: body.request_id, key: "k", eta: 600 };
    const theirs = await call("POST", "/v1/jobs", { auth, body: registration });
    expect(theirs.status).toBe(202);
    expect(theirs.body.id).not.toBe(body.id);
    expect(theirs.body.callback_url).toBeNull();
  });
});

describe("a job that never was", () => {
  it.each(CALLS)("leaves nothing in storage: %s %s", async (method, suffix) => {
    const id = await idOf(uniqueId());
    const answer = await call(method, `/v1/jobs/${id}${suffix}`);
    expectProblem(answer, { status: 404, code: "not_found" });
    expect(await storageOf(id)).toEqual(EMPTY);
  });

  it.each([
    "x",
    "job_",
    `job_${"a".repeat(31)}`,
    `job_${"a".repeat(33)}`,
    `job_${"A".repeat(32)}`,
    `job_${"1".repeat(32)}`,
    `JOB_${"a".repeat(32)}`,
    `msg_${"a".repeat(32)}`,
    `job_${"a".repeat(32)}%0a`,
    `%20job_${"a".repeat(32)}`,
    "%zz",
    "%00",
    "a%2fb",
    "..%2f..",
    "__proto__",
    "a".repeat(5000),
  ])("is not looked for under a malformed id: %s", async (id) => {
    const objects = await objectCount();
    // Each by a tenant that has no object yet, should its jobs share one.
    const [sanely, auth] = [await token({ sub: uniqueId() }), await token({ sub: uniqueId() })];
    const sane = await call("GET", `/v1/jobs/${await idOf(uniqueId())}`, { auth: sanely });
    for (const [method, suffix] of CALLS) {
      const answer = await call(method, `/v1/jobs/${id}${suffix}`, { auth });
      expectProblem(answer, { status: 404, code: "not_found" });
      expect(answer.text).toBe(sane.text);
    }
    // The one that was looked for.
    expect(await objectCount()).toBe(objects + 1);
  });
});

describe("GET /v1/signing-secret", () => {
  const read = async (sub: string, MASTER_KEYS: string) =>
    callWith({ MASTER_KEYS }, "GET", "/v1/signing-secret", {
      auth: await token({ sub }, { kid: "new", bytes: new Uint8Array(32).fill(1) }),
    });
  const key = (kid: string, fill: number): string =>
    `${kid}:${btoa(String.fromCharCode(...new Uint8Array(32).fill(fill)))}`;

  it("answers the tenant's secret, not to be cached", async () => {
    const { status, headers, body } = await call("GET", "/v1/signing-secret");
    const [secret, ...previous] = await signingSecrets(config.masterKeys, "acme");
    expect(status).toBe(200);
    expect(body).toEqual({ secret, previous });
    expect(body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("answers the newest, and the previous ones in the order of the list", async () => {
    const alone = async (kid: string, fill: number) => {
      const bytes = new Uint8Array(32).fill(fill);
      return (await signingSecrets([{ kid, bytes }], "acme"))[0];
    };
    const { body } = await read("acme", [key("new", 1), key("old", 2), key("oldest", 3)].join(","));
    expect(body).toEqual({
      secret: await alone("new", 1),
      previous: [await alone("old", 2), await alone("oldest", 3)],
    });
    expect((await read("acme", key("new", 1))).body).toEqual({ secret: body.secret, previous: [] });
  });

  it("differs between tenants and between master keys", async () => {
    const secrets = [
      (await read("acme", `${key("new", 1)},${key("old", 2)}`)).body,
      (await read("globex", `${key("new", 1)},${key("old", 2)}`)).body,
    ].flatMap(({ secret, previous }) => [secret, ...previous]);
    expect(new Set(secrets).size).toBe(4);
  });

  it("is not shown to a token that may do everything but that", async () => {
    const auth = await token({ scope: "jobs:read jobs:write tokens:write" });
    const answer = await call("GET", "/v1/signing-secret", { auth });
    expectProblem(answer, { status: 403, code: "insufficient_scope" });
    expect(answer.text).not.toContain("whsec_");
  });
});
