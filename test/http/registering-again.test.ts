import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  call,
  fire,
  PROVIDER,
  PROVIDER_KEY,
  readJob,
  register,
  stored,
  token,
  uniqueId,
} from "../support/api.ts";
import { expectProblem } from "../support/http.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

const HOOK = "https://example.com/hook";
const OTHER_HOOK = "https://example.com/other";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
});

describe("registering the same request again", () => {
  it("answers 200 with the same job when callback and format are the same", async () => {
    const first = await register({ format: "provider" });
    const again = await register({ request_id: first.body.request_id, format: "provider" });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("location")).toBe(`/v1/jobs/${first.body.id}`);
  });

  it.each([
    ["eta", 5],
    ["metadata", { other: true }],
    ["deadline_seconds", 60],
    ["key", "another-provider-key"],
  ])("neither compares nor changes %s", async (name, value) => {
    const first = await register({ metadata: { a: 1 } });
    const before = await stored(first.body.id);
    const again = await register({
      request_id: first.body.request_id,
      metadata: { a: 1 },
      [name]: value,
    });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(await stored(first.body.id)).toEqual(before);
  });

  it("takes another spelling of the callback for the same", async () => {
    const first = await register({ callback_url: HOOK });
    const again = await register({
      request_id: first.body.request_id,
      callback_url: "https://EXAMPLE.com:443/./hook#x",
    });
    expect(again.status).toBe(200);
  });

  it.each([
    ["callback_url", { callback_url: OTHER_HOOK }],
    ["format", { format: "provider" }],
    ["callback_url", { callback_url: OTHER_HOOK, format: "provider" }],
  ])("answers 409 on %s when %j differs, and changes nothing", async (field, overrides) => {
    const first = await register();
    const before = await stored(first.body.id);
    const again = await register({ request_id: first.body.request_id, ...overrides });
    expectProblem(again, { status: 409, code: "already_registered", field });
    expect(again.headers.get("location")).toBe(`/v1/jobs/${first.body.id}`);
    expect(await stored(first.body.id)).toEqual(before);
  });

  it("changes nothing when it names no callback", async () => {
    const first = await register({ format: "provider" });
    const again = await register({ request_id: first.body.request_id, callback_url: null });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
  });

  it("gives a job without callback the one that comes later", async () => {
    const first = await register({ callback_url: null });
    const again = await register({ request_id: first.body.request_id, format: "provider" });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ id: first.body.id, callback_url: HOOK, format: "provider" });
    expect(again.body.event_id).toBe(first.body.event_id);
    const third = await register({ request_id: first.body.request_id, callback_url: OTHER_HOOK });
    expectProblem(third, { status: 409, code: "already_registered", field: "callback_url" });
  });

  it("sends the event of a finished job to the callback that comes later", async () => {
    const { body } = await register({ callback_url: null });
    fetched.on(
      `${PROVIDER}/api/v3/fetch/${body.request_id}`,
      json({ status: "success", output: ["https://x/1.png"] }),
    );
    await fire(body.id);
    expect((await readJob(body.id)).body.status).toBe("finished");

    fetched.on(HOOK, status(204));
    const again = await register({ request_id: body.request_id });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ status: "delivering", callback_url: HOOK });
    // The real alarm sends it.
    await vi.waitFor(async () => expect((await readJob(body.id)).body.status).toBe("delivered"), {
      timeout: 4_000,
    });
    expect(fetched.to(HOOK)).toHaveLength(1);
  });

  it("starts anew, under the same id and with a new event, after a cancel", async () => {
    const first = await register();
    await call("POST", `/v1/jobs/${first.body.id}/cancel`);
    const again = await register({ request_id: first.body.request_id, callback_url: OTHER_HOOK });
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({ id: first.body.id, status: "waiting", callback_url: OTHER_HOOK });
    expect(again.body.event_id).not.toBe(first.body.event_id);
  });

  it("makes one job of the same registrations sent at once", async () => {
    const request_id = uniqueId();
    const answers = await Promise.all(Array.from({ length: 5 }, () => register({ request_id })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 202]);
    expect(new Set(answers.map((answer) => answer.body.event_id)).size).toBe(1);
  });
});

describe("a job's identity", () => {
  it("is the same for a request id sent as number and as string", async () => {
    const requestId = uniqueId();
    const first = await register({ request_id: requestId });
    const again = await register({ request_id: Number(requestId) });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(again.body.request_id).toBe(requestId);
  });

  it("is the same whichever way the request is named", async () => {
    const { body, status: code } = await register({ endpoint: "v6/video" });
    expect(code).toBe(202);
    const byUrl = await register({
      request_id: null,
      fetch_url: `${PROVIDER}/api/v6/video/fetch/${body.request_id}`,
    });
    const byResponse = await register({
      request_id: null,
      endpoint: "v6/video",
      response: { status: "processing", id: Number(body.request_id), eta: 10 },
    });
    expect([byUrl.status, byUrl.body.id]).toEqual([200, body.id]);
    expect([byResponse.status, byResponse.body.id]).toEqual([200, body.id]);
  });

  it("differs between endpoints, request ids and tenants", async () => {
    const requestId = uniqueId();
    const body = { request_id: requestId, callback_url: HOOK, key: PROVIDER_KEY, eta: 600 };
    const answers = [
      await call("POST", "/v1/jobs", { body }),
      await call("POST", "/v1/jobs", { body: { ...body, endpoint: "v6/video" } }),
      await call("POST", "/v1/jobs", { body: { ...body, request_id: uniqueId() } }),
      await call("POST", "/v1/jobs", { body, auth: await token({ sub: "globex" }) }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 202]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(4);
  });
});
