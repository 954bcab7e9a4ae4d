import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, fire, ORIGIN, PROVIDER, readJob, register, stored, token, uniqueId } from "../support/api.ts";
import { EMPTY, idOf, storageOf } from "../support/http.ts";
import { HOOK, leave, success } from "../support/life.ts";
import { expectRefusal, OWN_KEY, post } from "../support/provider-api.ts";
import { json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const pollOf = (id: string, endpoint = "v3"): string => `${PROVIDER}/api/${endpoint}/fetch/${id}`;

describe("a fetch call with a webhook", () => {
  it("registers the request and answers that it is being processed, on our host", async () => {
    const id = uniqueId();
    const answer = await post(`/api/v6/video/fetch/${id}`, { webhook: HOOK, track_id: "t-1" });
    const job = await idOf(id, "v6/video");
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      status: "processing",
      id: Number(id),
      eta: expect.toBeOneOf([3, 4, 5]),
      message: expect.stringContaining("eta"),
      fetch_result: `${ORIGIN}/api/v6/video/fetch/${id}`,
      output: [],
      job_id: job,
    });
    expect((await readJob(job)).body).toMatchObject({
      endpoint: "v6/video",
      request_id: id,
      callback_url: HOOK,
      format: "provider",
      metadata: { track_id: "t-1" },
    });
  });

  it("delivers the provider's own answer with the track_id as it was written", async () => {
    const id = uniqueId();
    const body = `{"key":"${await token()}","provider_key":"${OWN_KEY}","webhook":"${HOOK}","track_id":90071992547409931}`;
    const { body: answer } = await call("POST", `/api/v3/fetch/${id}`, { auth: null, body });
    fetched.on(pollOf(id), success).on(HOOK, status(200));
    await fire(answer.job_id);
    expect(fetched.to(pollOf(id))[0]?.body).toBe(`{"key":"${OWN_KEY}"}`);
    expect(fetched.to(HOOK)[0]?.body).toBe(
      '{"status":"success","output":["https://cdn.example/1.png"],"track_id":90071992547409931}',
    );
  });

  it("may ask for the standard event", async () => {
    const { body } = await post(`/api/v3/fetch/${uniqueId()}`, { webhook: HOOK, webhook_format: "standard" });
    expect((await readJob(body.job_id)).body).toMatchObject({ format: "standard" });
  });

  it("finds the job that there is, and answers what it knows", async () => {
    const id = uniqueId();
    const first = await post(`/api/v3/fetch/${id}`, { webhook: HOOK });
    const second = await post(`/api/v3/fetch/${id}`, { webhook: HOOK });
    expect(second.body.job_id).toBe(first.body.job_id);
    fetched.on(pollOf(id), success).on(HOOK, status(200));
    await fire(first.body.job_id);
    expect((await post(`/api/v3/fetch/${id}`, { webhook: HOOK })).body).toMatchObject({ status: "success" });
    expect(fetched.to(HOOK)).toHaveLength(1);
  });

  it.each([
    ["webhook", { webhook: "https://other.example/" }],
    ["webhook_format", { webhook: HOOK, webhook_format: "standard" }],
  ])("is refused when the job has another %s", async (name, change) => {
    const id = uniqueId();
    await post(`/api/v3/fetch/${id}`, { webhook: HOOK });
    expectRefusal(await post(`/api/v3/fetch/${id}`, change), 409, new RegExp(`another ${name}\\.`));
  });

  it("seals the key that came with it", async () => {
    const { body } = await post(`/api/v3/fetch/${uniqueId()}`, { webhook: HOOK });
    expect(JSON.stringify(await stored(body.job_id))).not.toContain(OWN_KEY);
    expect(await stored(body.job_id)).toMatchObject({
      state: { sealedKey: expect.stringMatching(/^k1\./) },
    });
  });
});

describe("a fetch call without a webhook", () => {
  it.each<[string, string, string, (id: string) => Record<string, unknown>]>([
    ["in the path", "v3", "/ID", () => ({})],
    ["in the body", "v4/dreambooth", "", (id) => ({ request_id: id })],
    ["in the body, a number", "v1/enterprise", "", (id) => ({ request_id: Number(id) })],
    ["in the path, where the provider wants it in the body", "v1/enterprise", "/ID", () => ({})],
    ["in both", "v1/enterprise/flux", "/ID", (id) => ({ id: Number(id) })],
  ])("asks the provider once where there is no job: id %s", async (_, endpoint, suffix, fields) => {
    const id = uniqueId();
    const inBody = endpoint === "v4/dreambooth" || endpoint === "v1/enterprise";
    const text = `{ "status":"success",\n"id":${id}, "output":["https:\\/\\/x\\/1.png"] }`;
    fetched.on(inBody ? `${PROVIDER}/api/${endpoint}/fetch` : pollOf(id, endpoint), json(text));
    const answer = await post(`/api/${endpoint}/fetch${suffix.replace("ID", id)}`, fields(id));
    expect([answer.status, answer.text]).toEqual([200, text]);
    expect(JSON.parse(fetched.sent[0]?.body ?? "")).toEqual({
      key: OWN_KEY,
      ...(inBody && { request_id: id }),
    });
    expect(await storageOf(await idOf(id, endpoint))).toEqual(EMPTY);
  });

  it("hands on the provider's status and what it says of its rate limit", async () => {
    const id = uniqueId();
    const body = { status: "error", message: "Rate limit exceeded", retry_after: 30 };
    fetched.on(
      pollOf(id),
      json(body, { status: 429, headers: { "retry-after": "30", "set-cookie": "a=b" } }),
    );
    const answer = await post(`/api/v3/fetch/${id}`);
    expect([answer.status, answer.body, answer.headers.get("retry-after")]).toEqual([429, body, "30"]);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  it("hands on a rate limit that is no JSON", async () => {
    const id = uniqueId();
    fetched.on(pollOf(id), json("<html>", { status: 429, headers: { "retry-after": "7" } }));
    const answer = await post(`/api/v3/fetch/${id}`);
    expectRefusal(answer, 429, /rate-limiting/);
    expect(answer.headers.get("retry-after")).toBe("7");
  });

  it("takes an echo of the provider's key out of the answer", async () => {
    const id = uniqueId();
    fetched.on(pollOf(id), json({ status: "error", message: `bad key ${OWN_KEY}` }));
    expect((await post(`/api/v3/fetch/${id}`)).body.message).toBe("bad key [redacted]");
  });

  it("leads to us with the fetch_result of the provider's answer", async () => {
    const id = uniqueId();
    fetched.on(
      pollOf(id),
      json({ status: "processing", fetch_result: `${PROVIDER}/api/v3/fetch/${id}`, eta: 3 }),
    );
    expect((await post(`/api/v3/fetch/${id}`)).body).toEqual({
      status: "processing",
      fetch_result: `${ORIGIN}/api/v3/fetch/${id}`,
      eta: 3,
    });
  });

  it.each([
    ["cannot be reached", networkError, 502, /could not be reached/],
    ["answers HTML", json("<html>", { headers: { "content-type": "text/html" } }), 502, /no JSON object/],
    ["redirects", status(302, { location: "https://example.com/" }), 502, /redirect/],
    ["answers too much", json({ status: "success", output: ["x".repeat(9_000_000)] }), 502, /too large/],
  ] as const)("is refused in the provider's shape when the provider %s", async (_, script, code, message) => {
    const id = uniqueId();
    fetched.on(pollOf(id), script);
    expectRefusal(await post(`/api/v3/fetch/${id}`), code, message);
  });

  it("answers from the job: seconds to the next poll while it waits, asking nobody", async () => {
    const { body } = await register({ eta: 60 });
    const answer = await post(`/api/v3/fetch/${body.request_id}`);
    expect(answer.body).toMatchObject({ status: "processing", job_id: body.id });
    const secondsToPoll = (Date.parse(body.next_poll_at) - Date.now()) / 1000;
    expect(secondsToPoll).toBeGreaterThan(5);
    expect(Math.abs(answer.body.eta - secondsToPoll)).toBeLessThan(2);
    expect(fetched.sent).toEqual([]);
  });

  it("answers the stored answer byte for byte, long after the provider has forgotten it", async () => {
    const { body } = await register();
    const text = `{"status":"success","id":9007199254740993,"output":["https:\\/\\/x\\/1.png"]}`;
    fetched.on(pollOf(body.request_id), json(text)).on(HOOK, status(200));
    await fire(body.id);
    expect((await post(`/api/v3/fetch/${body.request_id}`)).text).toBe(text);
    expect((await post(`/api/v3/fetch/${body.request_id}`, { provider_key: null })).text).toBe(text);
  });

  it("answers the provider's failure as it came, and ours in its shape", async () => {
    const failed = await register();
    const text = '{"status":"failed","id":"","message":"Failed, Try Again","output":""}';
    fetched.on(pollOf(failed.body.request_id), json(text)).on(HOOK, status(200), status(200));
    await fire(failed.body.id);
    expect((await post(`/api/v3/fetch/${failed.body.request_id}`)).text).toBe(text);

    const large = await register();
    fetched.on(pollOf(large.body.request_id), json(`{"a":"${"x".repeat(9_000_000)}"}`));
    await fire(large.body.id);
    expect((await post(`/api/v3/fetch/${large.body.request_id}`)).body).toEqual({
      status: "failed",
      id: Number(large.body.request_id),
      message: "The provider's answer is too large.",
      output: [],
    });
  });

  it("with a webhook is refused without a key to ask with, job or none, and judges the webhook first", async () => {
    const { body } = await register();
    const path = `/api/v3/fetch/${body.request_id}`;
    expectRefusal(await post(path, { webhook: HOOK, provider_key: null }), 422, /provider_key is needed/);
    expectRefusal(await post(path, { webhook: "http://x/", provider_key: null }), 422, /webhook must be/);
    expectRefusal(await post(path, { provider_key: "a b" }), 422, /provider_key must be/);
  });

  it("asks the provider when the job was canceled", async () => {
    const { body } = await register();
    await call("POST", `/v1/jobs/${body.id}/cancel`);
    fetched.on(pollOf(body.request_id), success);
    expect((await post(`/api/v3/fetch/${body.request_id}`)).body).toMatchObject({ status: "success" });
  });

  it("does not see another tenant's job", async () => {
    const { body } = await register();
    const auth = await token({ sub: "globex" });
    fetched.on(pollOf(body.request_id), json({ status: "failed", message: "Request not found" }));
    const answer = await post(`/api/v3/fetch/${body.request_id}`, {}, { auth });
    expect(answer.body).toEqual({ status: "failed", message: "Request not found" });
  });

  it("treats null and empty fields as the provider's samples mean them: absent", async () => {
    const id = uniqueId();
    fetched.on(pollOf(id), success);
    const blank = { webhook: null, track_id: null, webhook_format: "", request_id: "", id: null };
    expect((await post(`/api/v3/fetch/${id}`, blank)).status).toBe(200);
    expect(await storageOf(await idOf(id))).toEqual(EMPTY);
  });
});
