import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  call,
  fire,
  PROVIDER,
  PROVIDER_KEY,
  register,
  registration,
  stored,
  token,
  uniqueId,
} from "../support/api.ts";
import { bounded, mint } from "../support/bounded.ts";
import { put } from "../support/destinations.ts";
import { expectProblem, idOf, objectCount } from "../support/http.ts";
import { HOOK, leave, success } from "../support/life.ts";
import { json, ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const BOUND = { status: 403, code: "token_bound" };
const registerWith = (auth: string, overrides: Record<string, unknown> = {}) =>
  call("POST", "/v1/jobs", { auth, body: registration(overrides) });

/** Refused, and nothing came of it. */
async function expectRefused(auth: string, overrides: Record<string, unknown>, field: string): Promise<void> {
  const objects = await objectCount();
  const answer = await registerWith(auth, overrides);
  expectProblem(answer, { ...BOUND, field });
  expect(answer.text).not.toContain("example.com");
  expect(await objectCount()).toBe(objects);
}

describe("a token that is bound to", () => {
  it("one request registers that and no other", async () => {
    const request_id = uniqueId();
    const auth = await bounded({ req: request_id });
    expect((await registerWith(auth, { request_id })).status).toBe(202);
    expect((await registerWith(auth, { request_id })).status).toBe(200);
    await expectRefused(auth, { request_id: uniqueId() }, "request_id");
    const response = { status: "processing", id: uniqueId() };
    await expectRefused(auth, { request_id: null, endpoint: "v3", response }, "request_id");
    const fetch_url = `${PROVIDER}/api/v3/fetch/${uniqueId()}`;
    await expectRefused(auth, { request_id: null, fetch_url }, "request_id");
  });

  it("endpoints registers at those, the default one not excepted", async () => {
    const auth = await bounded({ ep: ["v6/video", "v4/dreambooth"] });
    expect((await registerWith(auth, { endpoint: "v6/video" })).status).toBe(202);
    await expectRefused(auth, { endpoint: "v6/images" }, "endpoint");
    await expectRefused(auth, {}, "endpoint");
    // What the provider says wins over `endpoint`, and is what counts.
    const id = uniqueId();
    const response = { status: "processing", id, fetch_result: `${PROVIDER}/api/v3/fetch/${id}` };
    await expectRefused(auth, { request_id: null, endpoint: "v6/video", response }, "endpoint");
  });

  it("origins calls back these alone", async () => {
    const auth = await bounded({ org: ["https://example.com", "https://b.example:8443"] });
    expect((await registerWith(auth)).status).toBe(202);
    expect((await registerWith(auth, { callback_url: "https://b.example:8443/x" })).status).toBe(202);
    expect((await registerWith(auth, { callback_url: null })).body.callback_url).toBeNull();
    for (const callback_url of [
      "https://b.example/x",
      "https://example.com:8443/hook",
      "https://example.com.evil.example/",
      "https://evil.example/https://example.com",
    ])
      await expectRefused(auth, { callback_url }, "callback_url");
    await put("other");
    await expectRefused(auth, { callback_url: null, destination: "other" }, "destination");
  });

  it("a destination calls back that one, also where none is named", async () => {
    await put("app");
    await put("other");
    const auth = await bounded({ dst: "app" });
    for (const body of [{ destination: "app" }, {}])
      expect((await registerWith(auth, { callback_url: null, ...body })).body.destination).toBe("app");
    await expectRefused(auth, {}, "callback_url");
    await expectRefused(auth, { callback_url: null, destination: "other" }, "destination");
    // Whether there is such a destination is not told.
    await expectRefused(auth, { callback_url: null, destination: "none" }, "destination");
  });

  it("a deadline watches no longer, and so long where none is named", async () => {
    const auth = await bounded({ ddl: 600 });
    const seconds = ({ registered_at, deadline_at }: Record<string, string>) =>
      (Date.parse(deadline_at ?? "") - Date.parse(registered_at ?? "")) / 1000;
    expect(seconds((await registerWith(auth, { deadline_seconds: 600 })).body)).toBe(600);
    expect(seconds((await registerWith(auth)).body)).toBe(600);
    await expectRefused(auth, { deadline_seconds: 601 }, "deadline_seconds");
    expect(seconds((await registerWith(await bounded({ ddl: 7200 }))).body)).toBe(3600);
  });

  it("anything asks the provider how a request ended, whatever the caller says", async () => {
    const id = uniqueId();
    const response = { status: "success", id, output: ["https://evil.example/forged.png"] };
    const body = { request_id: null, endpoint: "v3", response };
    const { body: job, status } = await registerWith(await bounded(), body);
    expect([status, job.status, job.result]).toEqual([202, "waiting", null]);
    fetched.on(`${PROVIDER}/api/v3/fetch/${id}`, success);
    fetched.always(HOOK, json("{}"));
    await fire(job.id);
    expect(fetched.to(HOOK)[0]?.body).not.toContain("forged");
  });

  it("anything is held to it in each registration of a batch", async () => {
    const [good, bad] = [uniqueId(), uniqueId()];
    const jobs = [registration({ request_id: bad }), registration({ request_id: good })];
    const { body } = await call("POST", "/v1/jobs/batch", {
      auth: await bounded({ req: good }),
      body: { jobs },
    });
    expect(body.results.map(({ status }: { status: number }) => status)).toEqual([403, 202]);
    expect(body.results[0].problem).toMatchObject({ code: "token_bound", field: "request_id" });
    expect((await stored(await idOf(good)))?.owner).toBe("phone");
    expect(await stored(await idOf(bad))).toBeUndefined();
  });
});

describe("a job of another owner", () => {
  const CALLS = [
    ["GET", ""],
    ["GET", "?wait=60"],
    ["POST", "/cancel"],
    ["POST", "/redeliver"],
    ["DELETE", ""],
  ] as const;
  const jobOf = async (own?: string) =>
    (own === undefined ? await register() : await registerWith(await bounded({}, { own }))).body;

  it.each(CALLS)("is 403 without a word about it: %s %s", async (method, suffix) => {
    const auth = await bounded();
    const texts = [];
    for (const owner of ["tablet", undefined]) {
      const job = await jobOf(owner);
      const before = await stored(job.id);
      const answer = await call(method, `/v1/jobs/${job.id}${suffix}`, { auth });
      expectProblem(answer, BOUND);
      for (const word of [job.id, job.request_id, "tablet", "owner"]) expect(answer.text).not.toContain(word);
      expect(await stored(job.id)).toEqual(before);
      texts.push(answer.text);
    }
    expect(new Set(texts).size).toBe(1);
  });

  it.each(CALLS)("of another tenant is a 404, whoever owns it: %s %s", async (method, suffix) => {
    const job = await jobOf("phone");
    const auth = await bounded({}, { sub: "globex" });
    expectProblem(await call(method, `/v1/jobs/${job.id}${suffix}`, { auth }), {
      status: 404,
      code: "not_found",
    });
  });

  it.each([{}, { callback_url: "https://other.example/x" }, { callback_url: null }])(
    "is not registered once more, nor is it told whether the callback differs: %j",
    async (overrides) => {
      const job = await jobOf("tablet");
      const before = await stored(job.id);
      const answer = await registerWith(await bounded(), { request_id: job.request_id, ...overrides });
      expectProblem(answer, BOUND);
      expect(answer.headers.get("location")).toBeNull();
      expect(await stored(job.id)).toEqual(before);
    },
  );

  it("is not started anew either, once it was canceled", async () => {
    const job = await jobOf("tablet");
    await call("POST", `/v1/jobs/${job.id}/cancel`);
    expectProblem(await registerWith(await bounded(), { request_id: job.request_id }), BOUND);
    expect((await call("GET", `/v1/jobs/${job.id}`)).body.status).toBe("canceled");
  });

  it("stays its owner's when the tenant's server starts it anew", async () => {
    const job = await jobOf("phone");
    await call("POST", `/v1/jobs/${job.id}/cancel`);
    expect((await register({ request_id: job.request_id })).status).toBe(202);
    expect((await call("GET", `/v1/jobs/${job.id}`, { auth: await bounded() })).body.status).toBe("waiting");
  });

  it("is in no list, by whatever filter", async () => {
    const [mine, theirs, nobodys] = [await jobOf("phone"), await jobOf("tablet"), await jobOf()];
    const list = async (query: string, auth?: string) =>
      (await call("GET", `/v1/jobs?${query}`, { ...(auth && { auth }) })).body.jobs.map(
        ({ id }: { id: string }) => id,
      );
    await expect.poll(() => list("")).toHaveLength(3);
    const auth = await bounded();
    expect(await list("", auth)).toEqual([mine.id]);
    for (const { request_id } of [theirs, nobodys]) {
      expect(await list(`request_id=${request_id}`, auth)).toEqual([]);
      expect(await list(`endpoint=v3&request_id=${request_id}`, auth)).toEqual([]);
    }
    expect(await list(`endpoint=v3&request_id=${mine.request_id}`, auth)).toEqual([mine.id]);
    expectProblem(await call("GET", "/v1/jobs?owner=tablet", { auth }), {
      status: 422,
      code: "unknown_field",
      field: "owner",
    });
  });
});

describe("an owner's job", () => {
  it("is kept by a refreshed token with other bounds, which changes only what is within them", async () => {
    const { body: job } = await registerWith(await bounded({ req: "1", ep: ["v3"] }), { request_id: "1" });
    const other = await bounded({ req: "2" });
    expect((await call("GET", `/v1/jobs/${job.id}`, { auth: other })).status).toBe(200);
    for (const [method, suffix] of [
      ["POST", "/cancel"],
      ["POST", "/redeliver"],
      ["DELETE", ""],
    ] as const)
      expectProblem(await call(method, `/v1/jobs/${job.id}${suffix}`, { auth: other }), BOUND);
    const same = await bounded({ req: "1" }, { jti: "refreshed" });
    expect((await call("POST", `/v1/jobs/${job.id}/cancel`, { auth: same })).body.status).toBe("canceled");
    expect((await call("DELETE", `/v1/jobs/${job.id}`, { auth: same })).status).toBe(204);
  });

  it("is that of the token itself, where no owner was given", async () => {
    const body = { scope: "jobs:read jobs:write", request_id: uniqueId() };
    const [first, second] = [(await mint(body)).body.token, (await mint(body)).body.token];
    const { body: job } = await registerWith(first, { request_id: body.request_id });
    expect((await call("GET", `/v1/jobs/${job.id}`, { auth: first })).status).toBe(200);
    expectProblem(await call("GET", `/v1/jobs/${job.id}`, { auth: second }), BOUND);
  });

  it("shows what receivers answered to tokens without bounds alone", async () => {
    const auth = await bounded();
    const { body: job } = await registerWith(auth);
    fetched.on(`${PROVIDER}/api/v3/fetch/${job.request_id}`, success);
    fetched.always(HOOK, json("stack trace of the backend", { status: 500 }));
    await fire(job.id);
    const path = `/v1/jobs/${job.id}`;
    const answers = [
      await call("GET", path, { auth }),
      await call("GET", `${path}?wait=1`, { auth }),
      await registerWith(auth, { request_id: job.request_id }),
      await call("POST", `${path}/redeliver`, { auth }),
      await call("POST", `${path}/cancel`, { auth }),
    ];
    for (const { status, text, body } of answers) {
      expect([200, 202]).toContain(status);
      expect(text).not.toContain("stack trace");
      expect(body.timeline).toContainEqual(expect.objectContaining({ type: "attempt", http_status: 500 }));
    }
    expect((await call("GET", path)).text).toContain("stack trace");
  });

  it("is redelivered to where its token may call, or where it went before", async () => {
    await put("app");
    await put("other");
    const auth = await bounded({ dst: "app" });
    const { body: job } = await registerWith(auth, { callback_url: null });
    const redeliver = (body: object, bearer = auth) =>
      call("POST", `/v1/jobs/${job.id}/redeliver`, { auth: bearer, body });
    expectProblem(await redeliver({ callback_url: HOOK }), { ...BOUND, field: "callback_url" });
    expectProblem(await redeliver({ destination: "other" }), { ...BOUND, field: "destination" });
    for (const body of [{ destination: "app" }, {}])
      expectProblem(await redeliver(body), { status: 409, code: "nothing_to_deliver" });
    const byOrigin = await bounded({ org: ["https://a.example"] });
    expectProblem(await redeliver({ callback_url: HOOK }, byOrigin), { ...BOUND, field: "callback_url" });
    expectProblem(await redeliver({ destination: "app" }, byOrigin), { ...BOUND, field: "destination" });
  });
});

describe("a bounded token", () => {
  it.each([
    ["POST", "/v1/jobs/redeliver"],
    ["POST", "/v1/jobs/cancel"],
    ["GET", `/v1/operations/op_${"a".repeat(32)}`],
    ["GET", "/v1/stats"],
    ["GET", "/v1/signing-secret"],
    ["GET", "/v1/destinations"],
    ["GET", "/v1/destinations/app"],
    ["PUT", "/v1/destinations/app"],
    ["DELETE", "/v1/destinations/app"],
    ["POST", "/v1/destinations/app/rotate-secret"],
    ["POST", "/v1/destinations/app/test"],
    ["POST", "/v1/destinations/app/pause"],
    ["POST", "/v1/destinations/app/resume"],
  ])("finds closed what concerns the whole tenant: %s %s", async (method, path) => {
    for (const auth of [await bounded(), await token({ own: "phone" })])
      expectProblem(await call(method, path, { auth }), BOUND);
  });

  it("needs the scope first", async () => {
    const auth = await bounded({}, { scope: "jobs:read" });
    expectProblem(await registerWith(auth), { status: 403, code: "insufficient_scope" });
  });

  it("brings its own provider key as everybody does", async () => {
    const { text } = await registerWith(await bounded(), { key: PROVIDER_KEY });
    expect(text).not.toContain(PROVIDER_KEY);
  });
});
