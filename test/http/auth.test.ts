import { sign } from "hono/jwt";
import { describe, expect, it } from "vitest";
import { deriveKey } from "../../src/crypto/keys.ts";
import { SCOPES } from "../../src/crypto/token.ts";
import { call, config, readJob, register, registration, token, uniqueId } from "../support/api.ts";
import { callWith, expectProblem, objectCount } from "../support/http.ts";

const [newest] = config.masterKeys;
const OTHER_KEY = { kid: newest.kid, bytes: new Uint8Array(32).fill(7) };
const UNKNOWN_KEY = { kid: "gone", bytes: newest.bytes };

const ID = `job_${"a".repeat(32)}`;
const ROUTES = [
  ["POST", "/v1/jobs", "jobs:write"],
  ["GET", `/v1/jobs/${ID}`, "jobs:read"],
  ["DELETE", `/v1/jobs/${ID}`, "jobs:write"],
  ["POST", `/v1/jobs/${ID}/cancel`, "jobs:write"],
  ["POST", `/v1/jobs/${ID}/redeliver`, "jobs:write"],
  ["GET", "/v1/signing-secret", "secrets:read"],
  ["POST", "/v1/tokens", "tokens:write"],
  ["GET", "/v1/destinations", "destinations:read"],
  ["GET", "/v1/destinations/none", "destinations:read"],
  ["PUT", "/v1/destinations/none", "destinations:write"],
  ["DELETE", "/v1/destinations/none", "destinations:write"],
  ["POST", "/v1/destinations/none/rotate-secret", "destinations:write"],
  ["POST", "/v1/destinations/none/test", "destinations:write"],
  ["POST", "/v1/destinations/none/pause", "destinations:write"],
  ["POST", "/v1/destinations/none/resume", "destinations:write"],
] as const;

const seconds = (): number => Math.floor(Date.now() / 1000);

/** A JWT of any shape, signed as the newest master key's tokens are. */
async function forged(header: object, payload: object): Promise<string> {
  const base64 = (value: object) => btoa(JSON.stringify(value)).replace(/\+/g, "-").replace(/\//g, "_");
  const content = [header, payload].map((part) => base64(part).replace(/=+$/, "")).join(".");
  const key = await crypto.subtle.importKey(
    "raw",
    await deriveKey(newest, "token"),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(content));
  const bytes = String.fromCharCode(...new Uint8Array(signature));
  return `${content}.${btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`;
}
const HEADER = { alg: "HS256", typ: "JWT", kid: newest.kid };
const claims = () => ({ sub: "acme", scope: "jobs:write", iat: seconds(), exp: seconds() + 60, jti: "1" });

/** Registers with this Authorization header, and proves that nothing came of it. */
async function expectUnauthorized(authorization: string | null, code: string): Promise<void> {
  const objects = await objectCount();
  const headers: Record<string, string> = authorization === null ? {} : { authorization };
  const answer = await call("POST", "/v1/jobs", { body: registration(), auth: null, headers });
  expectProblem(answer, { status: 401, code });
  const error = code === "token_missing" ? "" : ', error="invalid_token"';
  expect(answer.headers.get("www-authenticate")).toBe(`Bearer realm="pollhook"${error}`);
  const secret = authorization?.split(" ").at(-1);
  if (secret && secret.length > 10) expect(answer.text).not.toContain(secret);
  expect(await objectCount()).toBe(objects);
}

describe("a call without a usable token", () => {
  it.each(ROUTES)("is refused with 401: %s %s", async (method, path) => {
    const answer = await call(method, path, { auth: null });
    expectProblem(answer, { status: 401, code: "token_missing" });
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="pollhook"');
  });

  it.each([
    null,
    "",
    "Bearer",
    "Bearer ",
    "Basic dXNlcjpwYXNzd29yZA==",
    "Token abcdefghijkl",
    "Bearerabcdefghijkl",
    "Bearer two words-of-it",
  ])("is refused as missing: %j", async (authorization) => {
    await expectUnauthorized(authorization, "token_missing");
  });

  it.each(["sk-provider-key-here", "a.b.c", "..", "e30.e30.e30", "bnVsbA.bnVsbA.AAAA", "%00.%00.%00"])(
    "is refused as invalid: Bearer %s",
    async (text) => {
      await expectUnauthorized(`Bearer ${text}`, "token_invalid");
    },
  );

  it("is refused when the query carries the token", async () => {
    const answer = await call("GET", `/v1/jobs/${ID}?access_token=${await token()}`, { auth: null });
    expectProblem(answer, { status: 401, code: "token_missing" });
  });
});

describe("a token", () => {
  it.each(["Bearer", "bearer", "BEARER", "Bearer  "])("is accepted behind the scheme %j", async (scheme) => {
    const headers = { authorization: `${scheme} ${await token()}` };
    expect((await call("GET", "/v1/signing-secret", { auth: null, headers })).status).toBe(200);
  });

  it("is refused when it was signed with another key of the same id", async () => {
    await expectUnauthorized(`Bearer ${await token({}, OTHER_KEY)}`, "token_invalid");
  });

  it("is refused when its key id is not listed", async () => {
    await expectUnauthorized(`Bearer ${await token({}, UNKNOWN_KEY)}`, "token_invalid");
  });

  it("is refused when it names no key id", async () => {
    const key = await deriveKey(newest, "token");
    const text = await sign(claims(), String.fromCharCode(...key), "HS256");
    await expectUnauthorized(`Bearer ${text}`, "token_invalid");
  });

  it("is refused from the second of its expiry on", async () => {
    await expectUnauthorized(`Bearer ${await token({ exp: seconds() })}`, "token_expired");
    await expectUnauthorized(`Bearer ${await token({ exp: seconds() - 3600 })}`, "token_expired");
    expect((await register()).status).toBe(202);
  });

  it("is refused when a character of it was changed", async () => {
    const [header, payload, signature] = (await token()).split(".");
    const wider = btoa(JSON.stringify({ ...claims(), sub: "globex" })).replace(/=+$/, "");
    await expectUnauthorized(`Bearer ${header}.${wider}.${signature}`, "token_invalid");
    await expectUnauthorized(`Bearer ${header}.${payload}.${signature?.slice(1)}`, "token_invalid");
    await expectUnauthorized(`Bearer ${header}.${payload}.`, "token_invalid");
  });

  it("is accepted as these tests write one", async () => {
    const answer = await call("POST", "/v1/jobs", {
      body: registration(),
      auth: await forged(HEADER, claims()),
    });
    expect(answer.status).toBe(202);
  });

  it.each([
    ["no algorithm", { ...HEADER, alg: "none" }, {}],
    ["another algorithm", { ...HEADER, alg: "HS512" }, {}],
    ["an asymmetric algorithm", { ...HEADER, alg: "RS256" }, {}],
    ["a key id that every object inherits", { ...HEADER, kid: "constructor" }, {}],
    ["a key id that is no string", { ...HEADER, kid: [newest.kid] }, {}],
    ["no tenant", HEADER, { sub: undefined }],
    ["an empty tenant", HEADER, { sub: "" }],
    ["a tenant that is a number", HEADER, { sub: 7 }],
    ["a tenant with a slash", HEADER, { sub: "acme/x" }],
    ["a tenant of 65 characters", HEADER, { sub: "a".repeat(65) }],
    ["no scope", HEADER, { scope: undefined }],
    ["a list of scopes", HEADER, { scope: ["jobs:write"] }],
    ["no expiry", HEADER, { exp: undefined }],
    ["an expiry that is text", HEADER, { exp: "9999999999" }],
    ["no id", HEADER, { jti: undefined }],
  ])("is refused, though well signed, with %s", async (_, header, changes) => {
    const answer = await call("POST", "/v1/jobs", {
      body: registration(),
      auth: await forged(header, { ...claims(), ...changes }),
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  it("of an older master key still works, until that key leaves the list", async () => {
    const older = { kid: "older", bytes: new Uint8Array(32).fill(9) };
    const text = btoa(String.fromCharCode(...older.bytes));
    const newer = `${newest.kid}:${btoa(String.fromCharCode(...newest.bytes))}`;
    const auth = await token({}, older);
    const read = (MASTER_KEYS: string) => callWith({ MASTER_KEYS }, "GET", `/v1/jobs/${ID}`, { auth });
    expect((await read(`${newer},older:${text}`)).status).toBe(404);
    expectProblem(await read(newer), { status: 401, code: "token_invalid" });
  });
});

describe("a scope", () => {
  it.each(ROUTES)("is needed: %s %s needs %s", async (method, path, scope) => {
    const others = SCOPES.filter((other) => other !== scope).join(" ");
    const answer = await call(method, path, { auth: await token({ scope: others }) });
    expectProblem(answer, { status: 403, code: "insufficient_scope" });
    expect(answer.body.detail).toContain(scope);
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer realm="pollhook", error="insufficient_scope", scope="${scope}"`,
    );
  });

  it.each(ROUTES)("is enough alone: %s %s with %s", async (method, path, scope) => {
    const { status } = await call(method, path, { auth: await token({ scope }) });
    expect([200, 400, 404]).toContain(status);
  });

  it.each(["", "jobs", "jobs:writer", "xjobs:write", "jobs:*", "JOBS:WRITE", "jobs:read,jobs:write"])(
    "is matched as a whole word: %j may not register",
    async (scope) => {
      const objects = await objectCount();
      const answer = await call("POST", "/v1/jobs", { body: registration(), auth: await token({ scope }) });
      expectProblem(answer, { status: 403, code: "insufficient_scope" });
      expect(await objectCount()).toBe(objects);
    },
  );

  it("to read changes nothing about a job", async () => {
    const { body } = await register({ request_id: uniqueId() });
    const auth = await token({ scope: "jobs:read" });
    for (const [method, path] of [
      ["POST", `/v1/jobs/${body.id}/cancel`],
      ["POST", `/v1/jobs/${body.id}/redeliver`],
      ["DELETE", `/v1/jobs/${body.id}`],
    ] as const)
      expect((await call(method, path, { auth })).status).toBe(403);
    expect((await readJob(body.id)).body).toEqual(body);
  });
});
