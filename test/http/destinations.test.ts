import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { call, token } from "../support/api.ts";
import { get, opened, post, put, tenantOf } from "../support/destinations.ts";
import { expectProblem } from "../support/http.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const SECRET = `whsec_${btoa("s".repeat(24))}`;
const WHSEC = /^whsec_[A-Za-z0-9+/]{43}=$/;
const list = (query = "", auth?: string) =>
  call("GET", `/v1/destinations${query}`, auth === undefined ? {} : { auth });
const globex = () => token({ sub: "globex" });

describe("PUT /v1/destinations/{name}", () => {
  it("makes one from a URL alone, and shows the secret that it made", async () => {
    const { status, body, headers } = await put("phone");
    expect(status).toBe(201);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body.secret).toMatch(WHSEC);
    expect(Date.now() - Date.parse(body.created_at)).toBeLessThan(60_000);
    expect(body).toEqual({
      name: "phone",
      url: "https://example.com/hook",
      host: "example.com",
      format: "standard",
      retry_schedule: null,
      header_names: [],
      max_in_flight: 10,
      max_per_second: null,
      status: "active",
      paused_at: null,
      flow: { state: "closed", failures: 0, opened_at: null, next_probe_at: null, in_flight: 0, parked: 0 },
      previous_until: null,
      created_at: body.created_at,
      updated_at: body.created_at,
      secret: body.secret,
    });
    const { secret: _, ...shown } = body;
    expect((await get("phone")).body).toEqual(shown);
  });

  it("takes all that can be said, the URL as WHATWG writes it", async () => {
    const all = {
      url: "https://Example.com:8443/a b#fragment",
      headers: { Authorization: "Bearer x", "x-a": "1" },
      format: "provider",
      retry_schedule: [0, 0.5, 60],
      secret: SECRET,
      max_in_flight: 3,
      max_per_second: 2.5,
    };
    const { status, body } = await put("all", all);
    const { headers: _, ...shown } = all;
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...shown,
      url: "https://example.com:8443/a%20b",
      host: "example.com:8443",
      header_names: ["authorization", "x-a"],
    });
    expect((await opened("all")).headers).toEqual({ authorization: "Bearer x", "x-a": "1" });
  });

  it("replaces what is there: what is left out gets its default, but for headers and the secret", async () => {
    const first = await put("a", {
      headers: { "x-a": "1" },
      format: "provider",
      retry_schedule: [],
      max_in_flight: 3,
      max_per_second: 1,
    });
    expect(first.body.retry_schedule).toEqual([]);
    await post("a", "pause");
    const { status, body } = await put("a", { url: "https://example.com/x" });
    expect(status).toBe(200);
    expect(body).not.toHaveProperty("secret");
    expect(body).toMatchObject({
      url: "https://example.com/x",
      host: "example.com",
      format: "standard",
      retry_schedule: null,
      max_in_flight: 10,
      max_per_second: null,
      header_names: ["x-a"],
      status: "paused",
      created_at: first.body.created_at,
    });
    expect(await opened("a")).toMatchObject({ headers: { "x-a": "1" }, secret: first.body.secret });
    expect((await get("a")).body).toEqual(body);
  });

  it("hands no header to another host that its caller does not name anew", async () => {
    const first = await put("a", { headers: { authorization: "Bearer x" } });
    const url = "https://other.example/hook";
    expect(await put("a", { url })).toMatchObject({
      status: 422,
      body: { code: "invalid_value", field: "headers" },
    });
    expect((await opened("a")).url).toBe("https://example.com/hook");
    // On the same host they stay, whatever else of the URL changes.
    expect((await put("a", { url: "https://example.com/other?x=1" })).body.header_names).toEqual([
      "authorization",
    ]);
    expect((await put("a", { url, headers: {} })).status).toBe(200);
    expect(await opened("a")).toEqual({ url, headers: {}, secret: first.body.secret, previous: [] });
  });

  it("takes the secret that it has already for no new one: an overlap goes on", async () => {
    await put("a");
    const { secret } = (await post("a", "rotate-secret", { overlap_seconds: 600 })).body;
    const { body } = await put("a", { secret });
    expect(body.previous_until).not.toBeNull();
    expect((await opened("a")).previous).toHaveLength(1);
  });

  it("takes null for absent", async () => {
    const first = await put("a", { headers: { "x-a": "1" } });
    const none = { format: null, retry_schedule: null, max_in_flight: null, max_per_second: null };
    const { status, body } = await put("a", { ...none, headers: null, secret: null });
    expect([status, body.header_names, body.max_in_flight]).toEqual([200, ["x-a"], 10]);
    expect((await opened("a")).secret).toBe(first.body.secret);
  });

  it("replaces headers as a whole, and removes them where none are given", async () => {
    await put("a", { headers: { "x-a": "1", "x-b": "2" } });
    expect((await put("a", { headers: { "x-b": "3" } })).body.header_names).toEqual(["x-b"]);
    expect((await opened("a")).headers).toEqual({ "x-b": "3" });
    expect((await put("a", { headers: {} })).body.header_names).toEqual([]);
    expect((await opened("a")).headers).toEqual({});
  });

  it("replaces the secret at once, an overlap included, and shows the one that was given", async () => {
    await put("a");
    await post("a", "rotate-secret");
    expect((await put("a")).body.previous_until).not.toBeNull();
    const { body } = await put("a", { secret: SECRET });
    expect([body.secret, body.previous_until]).toEqual([SECRET, null]);
    expect(await opened("a")).toMatchObject({ secret: SECRET, previous: [] });
  });
});

describe("GET /v1/destinations", () => {
  it("lists by name, in pages, each as it shows itself", async () => {
    for (const name of ["b", "a", "C", "-", "_", "d"]) await put(name);
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const { status, body } = await list(`?limit=4${cursor === null ? "" : `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      for (const destination of body.destinations) {
        expect(destination).toEqual((await get(destination.name)).body);
        names.push(destination.name);
      }
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(names).toEqual(["-", "C", "_", "a", "b", "d"]);
    expect((await list("?limit=6")).body.next_cursor).toBeNull();
  });

  it("shows 50 unless told otherwise, and 200 at most", async () => {
    for (let n = 0; n < 51; n++) await put(`d${n}`);
    expect((await list()).body.destinations).toHaveLength(50);
    expect((await list("?limit=200")).body.destinations).toHaveLength(51);
  });

  it("is empty where there are none, and writes nothing", async () => {
    expect((await list()).body).toEqual({ destinations: [], next_cursor: null });
    expect((await get("a")).status).toBe(404);
    const tables = await runInDurableObject(tenantOf(), (_, { storage }) => [
      ...storage.sql.exec("SELECT name FROM sqlite_master"),
    ]);
    expect(tables).toEqual([]);
  });

  it.each([
    ["limit=0", "invalid_value", "limit"],
    ["limit=201", "invalid_value", "limit"],
    ["limit=1.5", "invalid_value", "limit"],
    ["limit=", "invalid_value", "limit"],
    ["cursor=x", "invalid_value", "cursor"],
    ["cursor=", "invalid_value", "cursor"],
    ["cursor=IQ", "invalid_value", "cursor"],
    ["status=paused", "unknown_field", "status"],
  ])("refuses ?%s", async (query, code, field) => {
    expectProblem(await list(`?${query}`), { status: 422, code, field });
  });
});

describe("POST /v1/destinations/{name}/rotate-secret", () => {
  it("answers the new secret and how long the old one signs: a day, unless told otherwise", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const now = Date.now();
    const first = (await put("a")).body.secret;
    for (const [body, seconds] of [
      [undefined, 86_400],
      [{}, 86_400],
      [{ overlap_seconds: null }, 86_400],
      [{ overlap_seconds: 1 }, 1],
      [{ overlap_seconds: 604_800 }, 604_800],
    ] as const) {
      const answer = await post("a", "rotate-secret", body);
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.body)).toEqual(["secret", "previous_until"]);
      expect(answer.body.secret).toMatch(WHSEC);
      expect(answer.body.secret).not.toBe(first);
      expect(Date.parse(answer.body.previous_until)).toBe(now + seconds * 1000);
      expect((await get("a")).body.previous_until).toBe(answer.body.previous_until);
    }
    vi.setSystemTime(now + 604_800_000);
    expect((await get("a")).body.previous_until).toBeNull();
  });

  it("lets the old one go at once without an overlap", async () => {
    await put("a");
    const { body } = await post("a", "rotate-secret", { overlap_seconds: 0 });
    expect(body).toEqual({ secret: (await opened("a")).secret, previous_until: null });
    expect((await opened("a")).previous).toEqual([]);
  });

  it.each([-1, 604_801, 0.5, "60", true])("refuses an overlap of %j", async (overlap_seconds) => {
    const secret = (await put("a")).body.secret;
    const answer = await post("a", "rotate-secret", { overlap_seconds });
    expectProblem(answer, { status: 422, code: "invalid_value", field: "overlap_seconds" });
    expect((await opened("a")).secret).toBe(secret);
  });
});

describe("POST /v1/destinations/{name}/pause and /resume", () => {
  it("change the status; a second time changes nothing", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const made = (await put("a")).body;
    vi.setSystemTime(Date.now() + 1000);
    const paused = await post("a", "pause");
    expect(paused.status).toBe(200);
    expect(paused.body).toMatchObject({ status: "paused", paused_at: new Date().toISOString() });
    expect(paused.body.updated_at).toBe(paused.body.paused_at);
    vi.setSystemTime(Date.now() + 1000);
    expect((await post("a", "pause", {})).body).toEqual(paused.body);
    const resumed = await post("a", "resume");
    expect(resumed.body).toMatchObject({ status: "active", paused_at: null });
    vi.setSystemTime(Date.now() + 1000);
    expect((await post("a", "resume")).body).toEqual(resumed.body);
    const { secret: _, ...shown } = made;
    expect(resumed.body).toEqual({ ...shown, updated_at: resumed.body.updated_at });
  });

  it.each(["pause", "resume", "test"])("take no field: %s", async (action) => {
    await put("a");
    expectProblem(await post("a", action, { x: 1 }), { status: 422, code: "unknown_field", field: "x" });
    expectProblem(await post("a", action, "{"), { status: 400, code: "malformed_body" });
  });
});

describe("DELETE /v1/destinations/{name}", () => {
  it("is 204, and 404 from then on; the name is free again", async () => {
    const first = (await put("a")).body.secret;
    const gone = await call("DELETE", "/v1/destinations/a");
    expect([gone.status, gone.text]).toEqual([204, ""]);
    expectProblem(await call("DELETE", "/v1/destinations/a"), { status: 404, code: "not_found" });
    expectProblem(await get("a"), { status: 404, code: "not_found" });
    const again = await put("a");
    expect(again.status).toBe(201);
    expect(again.body.secret).not.toBe(first);
  });
});

const CALLS = [
  ["GET", ""],
  ["DELETE", ""],
  ["POST", "/rotate-secret"],
  ["POST", "/test"],
  ["POST", "/pause"],
  ["POST", "/resume"],
] as const;

describe("another tenant's destination", () => {
  it.each(CALLS)("is a 404 like one that never was: %s %s", async (method, suffix) => {
    await put("a");
    const before = [(await get("a")).body, await opened("a")];
    const auth = await globex();
    const theirs = await call(method, `/v1/destinations/a${suffix}`, { auth });
    const nobodys = await call(method, `/v1/destinations/b${suffix}`, { auth });
    expectProblem(theirs, { status: 404, code: "not_found" });
    expect([theirs.text, [...theirs.headers]]).toEqual([nobodys.text, [...nobodys.headers]]);
    expect([(await get("a")).body, await opened("a")]).toEqual(before);
  });

  it("is not listed, and does not stand in the way of one of the same name", async () => {
    await put("a");
    const auth = await globex();
    expect((await list("", auth)).body.destinations).toEqual([]);
    const body = { url: "https://globex.example/hook" };
    expect((await call("PUT", "/v1/destinations/a", { auth, body })).status).toBe(201);
    expect((await get("a")).body.host).toBe("example.com");
  });
});

describe("a name", () => {
  it.each(["a", "0", "-", "_", "A-Z_09", "n".repeat(64)])("may be %s", async (name) => {
    expect((await put(name)).body.name).toBe(name);
    expect((await get(name)).status).toBe(200);
  });

  it.each(["n".repeat(65), "a.b", "a%20b", "..%2f", "a%2fb", "a@b", "%C3%A9", "a%00", "a%0a", "a:b"])(
    "may not be %s, and none such is looked for",
    async (name) => {
      expectProblem(await put(name), { status: 422, code: "invalid_value", field: "name" });
      for (const [method, suffix] of CALLS)
        expectProblem(await call(method, `/v1/destinations/${name}${suffix}`), {
          status: 404,
          code: "not_found",
        });
    },
  );
});
