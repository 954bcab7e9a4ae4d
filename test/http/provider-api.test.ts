import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SCOPES } from "../../src/crypto/token.ts";
import { call, fetchWorker, ORIGIN, PROVIDER, token, uniqueId } from "../support/api.ts";
import { callWith, EMPTY, idOf, objectCount, storageOf } from "../support/http.ts";
import { HOOK, leave, success } from "../support/life.ts";
import { expectRefusal, OWN_KEY, post } from "../support/provider-api.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const FETCH = "/api/v3/fetch/12202888";
const GENERATE = "/api/v6/images/text2img";
const BOTH = [FETCH, GENERATE];
const soon = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

describe.each(BOTH)("the token of a call of %s", (path) => {
  it("is needed, as key", async () => {
    for (const key of [undefined, null, "", 7, {}, ["x"]])
      expectRefusal(await call("POST", path, { auth: null, body: { key } }), 401, /key is missing/);
    const inHeader = await call("POST", path, { body: { provider_key: OWN_KEY } });
    expectRefusal(inHeader, 401, /key is missing/);
  });

  it("is asked for when a provider's key came, which is neither repeated nor logged nor sent anywhere", async () => {
    const logged = vi.spyOn(console, "error");
    const realKey = "sk-real-provider-key-5b1c";
    const answer = await call("POST", path, { auth: null, body: { key: realKey } });
    expectRefusal(answer, 401, /must be a Pollhook token/);
    expect(answer.text + JSON.stringify(logged.mock.calls)).not.toContain(realKey);
    expect(answer.headers.get("www-authenticate")).toContain("invalid_token");
    logged.mockRestore();
  });

  it("is refused when it has expired or was signed with another key", async () => {
    expectRefusal(await post(path, {}, { auth: await token({ exp: soon(-5) }) }), 401, /expired/);
    const foreign = await token({}, { kid: "k1", bytes: new Uint8Array(32).fill(9) });
    expectRefusal(await post(path, {}, { auth: foreign }), 401, /signature/);
  });

  it("is never sent to the provider", async () => {
    const key = await token();
    fetched.always(PROVIDER + path, success);
    await post(path, {}, { auth: key });
    expect(fetched.sent).toHaveLength(1);
    expect(JSON.stringify(fetched.sent)).not.toContain(key);
  });
});

describe("the scopes of a fetch call", () => {
  const auth = (scope: string) => token({ scope });

  it("are jobs:write to register, jobs:read to ask a job, and both to ask the provider", async () => {
    const id = uniqueId();
    const path = `/api/v3/fetch/${id}`;
    const every = SCOPES.filter((scope) => !scope.startsWith("jobs:")).join(" ");
    for (const scope of [every, "jobs:read"])
      expectRefusal(await post(path, { webhook: HOOK }, { auth: await auth(scope) }), 403, /jobs:write/);
    for (const scope of [every, "jobs:write"])
      expectRefusal(await post(path, {}, { auth: await auth(scope) }), 403, /jobs:read/);
    expectRefusal(await post(path, {}, { auth: await auth("jobs:read") }), 403, /jobs:write/);

    expect((await post(path, { webhook: HOOK }, { auth: await auth("jobs:write") })).status).toBe(200);
    expect((await post(path, {}, { auth: await auth("jobs:read") })).body.status).toBe("processing");
    fetched.on(`${PROVIDER}/api/v3/fetch/1`, success);
    const both = await auth("jobs:read jobs:write");
    expect((await post("/api/v3/fetch/1", {}, { auth: both })).body.status).toBe("success");
  });
});

describe("a body", () => {
  it.each(BOTH)("is refused when it is none, no JSON, or no object: %s", async (path) => {
    const send = (body?: unknown) => call("POST", path, { auth: null, body });
    for (const body of [undefined, "", "[]", "null", '"x"', "7"])
      expectRefusal(await send(body), 400, /Send a JSON object/);
    expectRefusal(await send('{"key":'), 400, /not valid JSON/);
    expectRefusal(await send(new Uint8Array([0x7b, 0xff, 0x7d])), 400, /not valid UTF-8/);
    const plain = { "content-type": "text/plain" };
    expectRefusal(await call("POST", path, { auth: null, body: "{}", headers: plain }), 415, /Content-Type/);
  });

  it("of a fetch call is refused over 64 KiB", async () => {
    expectRefusal(await post(FETCH, { prompt: "x".repeat(65_536) }), 413, /65536 bytes/);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["webhook", { webhook: 7 }, /webhook must be a string/],
    ["webhook", { webhook: "http://example.com/" }, /webhook must be an https URL/],
    ["webhook", { webhook: "https://10.0.0.1/" }, /webhook must not be an address/],
    ["webhook", { webhook: `${ORIGIN}/hook` }, /webhook must not be Pollhook itself/],
    ["track_id", { webhook: HOOK, track_id: {} }, /track_id must be/],
    ["track_id", { webhook: HOOK, track_id: "x".repeat(4096) }, /track_id is too long/],
    ["webhook_format", { webhook: HOOK, webhook_format: "xml" }, /webhook_format must be/],
    ["provider_key", { provider_key: 7 }, /provider_key must be/],
    ["provider_key", { provider_key: "a b" }, /provider_key must be/],
    ["provider_key", { provider_key: null }, /provider_key is needed/],
  ])("is refused, and nothing done, for its %s: %j", async (_, fields, message) => {
    const objects = await objectCount();
    expectRefusal(await post(GENERATE, fields), 422, message);
    expect(await objectCount()).toBe(objects);
    const id = uniqueId();
    expectRefusal(await post(`/api/v3/fetch/${id}`, fields), 422, message);
    expect(await storageOf(await idOf(id))).toEqual(EMPTY);
    expect(fetched.sent).toEqual([]);
  });

  it.each<[string, string, Record<string, unknown>, RegExp]>([
    ["is missing", "/api/v4/dreambooth/fetch", {}, /request_id is missing/],
    ["is malformed", "/api/v4/dreambooth/fetch", { request_id: "a/b" }, /request_id must be/],
    ["has lost digits", "/api/v4/dreambooth/fetch", { request_id: 2 ** 53 }, /send it as a string/],
    ["is an object", "/api/v4/dreambooth/fetch", { request_id: {} }, /request_id must be/],
    ["differs from the path's", FETCH, { request_id: 1 }, /request_id and the path name different ids/],
    ["differs from the path's", FETCH, { id: 1 }, /id and the path name different ids/],
    [
      "differs between two names",
      "/api/v4/dreambooth/fetch",
      { request_id: 1, id: "2" },
      /id and request_id name different ids; send one of them/,
    ],
  ])("of a fetch call is refused when its id %s", async (_, path, fields, message) => {
    expectRefusal(await post(path, fields), 422, message);
  });
});

describe("any page", () => {
  it("may call: a preflight is answered for every origin, without cookies", async () => {
    for (const path of [...BOTH, "/api/x"]) {
      const answer = await fetchWorker(path, {
        method: "OPTIONS",
        headers: {
          origin: "https://app.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,idempotency-key",
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("access-control-allow-methods")).toBe("POST");
      expect(answer.headers.get("access-control-allow-headers")).toContain("idempotency-key");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  it("reads the answer", async () => {
    fetched.on(`${PROVIDER}${FETCH}`, success);
    expect((await post(FETCH)).headers.get("access-control-allow-origin")).toBe("*");
  });

  it("does not read the native API's answers", async () => {
    expect((await call("GET", "/healthz")).headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("a refusal", () => {
  it.each(["GET", "PUT", "DELETE", "PATCH"])("of %s names what is allowed", async (method) => {
    const answer = await call(method, FETCH);
    expectRefusal(answer, 405, /POST/);
    expect(answer.headers.get("allow")).toBe("POST, OPTIONS");
  });

  it.each(["/api", "/api/", "/api/x", "/api/v8/x", "/api/v6/images%2ftext2img", "/api/v3/fetch/a%20b"])(
    "of a path that is not the provider's: %s",
    async (path) => {
      expectRefusal(await post(path), 404, /no path of the provider's API/);
    },
  );

  it("of a server that is not configured tells nothing", async () => {
    const answer = await callWith({ MASTER_KEYS: "x" }, "POST", FETCH, { auth: null, body: { key: "x" } });
    expectRefusal(answer, 500, /log has the cause/);
  });

  it("of an object that is overloaded says to try again", async () => {
    const overloaded = () => Promise.reject(Object.assign(new Error("full"), { overloaded: true }));
    const JOB = { getByName: () => ({ read: overloaded }) } as never;
    const body = { key: await token(), provider_key: OWN_KEY };
    const answer = await callWith({ JOB }, "POST", FETCH, { auth: null, body });
    expectRefusal(answer, 503, /Try again/);
    expect(answer.headers.get("retry-after")).toBe("1");
  });
});
