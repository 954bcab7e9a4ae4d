import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { open } from "../../src/crypto/vault.ts";
import {
  alarmOf,
  call,
  config,
  fire,
  PROVIDER,
  PROVIDER_KEY,
  readJob,
  register,
  stored,
  token,
  uniqueId,
} from "../support/api.ts";
import { callWith, expectProblem, forget, idOf, objectCount } from "../support/http.ts";
import { json, ScriptedFetch } from "../support/scripted-fetch.ts";

const SERVER_KEY = "sk-server-77aa01c3";
const HOOK = "https://example.com/hook";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
});

describe("a registration that is accepted", () => {
  it("answers 202 with the whole job, absent values null", async () => {
    const requestId = uniqueId();
    const earliest = Date.now();
    const { status, headers, body, text } = await register({
      request_id: requestId,
      endpoint: "v6/video",
      metadata: { user: 7 },
      eta: 20,
      deadline_seconds: 120,
    });
    const latest = Date.now();

    expect(status).toBe(202);
    const { registered_at, deadline_at, next_poll_at, event_id } = body;
    expect(Object.entries(body)).toEqual(
      Object.entries({
        id: await idOf(requestId, "v6/video"),
        status: "waiting",
        outcome: null,
        endpoint: "v6/video",
        request_id: requestId,
        callback_url: HOOK,
        destination: null,
        format: "standard",
        metadata: { user: 7 },
        eta: 20,
        registered_at,
        deadline_at,
        finished_at: null,
        delivered_at: null,
        expires_at: null,
        next_poll_at,
        next_attempt_at: null,
        parked: null,
        polls: 0,
        attempts: 0,
        error: null,
        delivery_error: null,
        event_id,
        result: null,
        timeline: [{ at: registered_at, type: "registered" }],
      }),
    );
    expect(Date.parse(registered_at)).toBeGreaterThanOrEqual(earliest);
    expect(Date.parse(registered_at)).toBeLessThanOrEqual(latest);
    expect(new Date(registered_at).toISOString()).toBe(registered_at);
    expect(Date.parse(deadline_at) - Date.parse(registered_at)).toBe(120_000);
    expect(Date.parse(next_poll_at) - Date.parse(registered_at)).toBeGreaterThan(2_000);
    expect(Date.parse(next_poll_at) - Date.parse(registered_at)).toBeLessThan(20_000);
    expect(event_id).toMatch(/^msg_[a-z2-7]{32}$/);
    expect(text).not.toContain(PROVIDER_KEY);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("says where the job is and when to look again", async () => {
    const { headers, body } = await register({ eta: 45 });
    expect(headers.get("location")).toBe(`/v1/jobs/${body.id}`);
    const read = await call("GET", headers.get("location") ?? "");
    expect(read.body).toEqual(body);
    const secondsToPoll = (Date.parse(body.next_poll_at) - Date.now()) / 1000;
    expect(secondsToPoll).toBeGreaterThan(5);
    expect(headers.get("retry-after")).toMatch(/^\d+$/);
    expect(Math.abs(Number(headers.get("retry-after")) - secondsToPoll)).toBeLessThan(2);
  });

  it("has the job and its wake-up on disk before it answers", async () => {
    const { body } = await register();
    expect(await stored(body.id)).toMatchObject({ id: body.id, tenant: "acme", host: "pollhook.example" });
    expect(await alarmOf(body.id)).toBe(Date.parse(body.next_poll_at));
  });

  it("keeps the caller's key sealed", async () => {
    const { body } = await register();
    const job = await stored(body.id);
    expect(JSON.stringify(job)).not.toContain(PROVIDER_KEY);
    const sealed = job?.state.status === "waiting" ? job.state.sealedKey : null;
    expect(await open(sealed ?? "", body.id, config.masterKeys)).toBe(PROVIDER_KEY);
  });

  it("takes null for absent in every field", async () => {
    const requestId = uniqueId();
    const { status, body } = await register({
      request_id: requestId,
      endpoint: null,
      fetch_url: null,
      response: null,
      callback_url: null,
      eta: null,
      deadline_seconds: null,
      format: null,
      metadata: null,
    });
    await forget(body.id);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      id: await idOf(requestId),
      endpoint: "v3",
      callback_url: null,
      eta: null,
      format: "standard",
      metadata: {},
    });
    expect(Date.parse(body.deadline_at) - Date.parse(body.registered_at)).toBe(3_600_000);
    expect(Date.parse(body.next_poll_at) - Date.parse(body.registered_at)).toBeLessThan(4_500);
  });

  it("delivers an answer that came along without asking the provider", async () => {
    const response = { status: "success", id: Number(uniqueId()), output: ["https://x/1.png"] };
    const { status, body, headers } = await call("POST", "/v1/jobs", {
      body: { endpoint: "v3", response, callback_url: null },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: "finished", outcome: "succeeded", polls: 0, result: response });
    expect(headers.get("retry-after")).toBe("1");
    expect(fetched.sent).toEqual([]);
  });

  it.each([
    ["https://EXAMPLE.com", "https://example.com/"],
    ["https://example.com/a/../b?x=1#secret-part", "https://example.com/b?x=1"],
    ["HTTPS://example.com:443/hook", HOOK],
    ["https://bücher.example.com/ä", "https://xn--bcher-kva.example.com/%C3%A4"],
  ])("answers the callback %s as %s", async (callback_url, written) => {
    expect((await register({ callback_url })).body.callback_url).toBe(written);
  });
});

describe("the least registration", () => {
  const least = () => ({ request_id: uniqueId(), callback_url: HOOK });

  it("uses the server's provider key and default endpoint", async () => {
    const body = least();
    const registered = await callWith(
      { PROVIDER_KEY: SERVER_KEY, DEFAULT_ENDPOINT: "v4/dreambooth" },
      "POST",
      "/v1/jobs",
      { body },
    );
    expect(registered.status).toBe(202);
    expect(registered.body).toMatchObject({
      endpoint: "v4/dreambooth",
      id: await idOf(body.request_id, "v4/dreambooth"),
    });
    const job = await stored(registered.body.id);
    expect(job?.state).toMatchObject({ status: "waiting", sealedKey: null });
    expect(JSON.stringify(job)).not.toContain(SERVER_KEY);
    await forget(registered.body.id);
  });

  it("is refused on key, and changes nothing, where the server has none", async () => {
    const before = await objectCount();
    const answer = await callWith({ PROVIDER_KEY: undefined }, "POST", "/v1/jobs", { body: least() });
    expectProblem(answer, { status: 422, code: "invalid_value", field: "key" });
    expect(await objectCount()).toBe(before);
  });

  it("is refused on key for a tenant that may not use the server's", async () => {
    const overrides = { PROVIDER_KEY: SERVER_KEY, PROVIDER_KEY_TENANTS: "globex, initech" };
    const asTenant = async (sub: string) =>
      callWith(overrides, "POST", "/v1/jobs", { body: least(), auth: await token({ sub }) });
    const refused = await asTenant("acme");
    expectProblem(refused, { status: 422, code: "invalid_value", field: "key" });
    expect(refused.text).not.toContain(SERVER_KEY);
    const accepted = await asTenant("initech");
    expect(accepted.status).toBe(202);
    await forget(accepted.body.id);
  });

  it("is not needed by a tenant who brings a key", async () => {
    const overrides = { PROVIDER_KEY: SERVER_KEY, PROVIDER_KEY_TENANTS: "globex" };
    const answer = await callWith(overrides, "POST", "/v1/jobs", {
      body: { ...least(), key: PROVIDER_KEY, eta: 600 },
    });
    expect(answer.status).toBe(202);
    fetched.on(`${PROVIDER}/api/v3/fetch/${answer.body.request_id}`, json({ status: "processing" }));
    await fire(answer.body.id);
    expect(fetched.sent.map(({ body }) => body)).toEqual([JSON.stringify({ key: PROVIDER_KEY })]);
    expect((await readJob(answer.body.id)).body.polls).toBe(1);
  });
});
