import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, fire, PROVIDER, PROVIDER_KEY, readJob, register, stored, uniqueId } from "../support/api.ts";
import { callWith, expectProblem, idOf, storageOf } from "../support/http.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { CAPTURED, REFUSALS, SEED_PAGES } from "../support/seed-pages.ts";

const HOOK = "https://example.com/hook";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
});

/** A job that is due at once is run by its own alarm. */
const delivered = (id: string) =>
  vi.waitFor(
    async () => {
      const job = await readJob(id);
      expect(job.body.status).toBe("delivered");
      return job;
    },
    { timeout: 10_000 },
  );

const event = () => JSON.parse(fetched.to(HOOK)[0]?.body ?? "null");

/** A body whose `response` stands in it to the byte. */
const withResponse = (response: string, fields: Record<string, unknown> = {}): string =>
  `${JSON.stringify({ callback_url: HOOK, ...fields }).slice(0, -1)},"response":${response}}`;

describe("a registration with a finished response", () => {
  it.each(SEED_PAGES)("is delivered without a poll and without a key: $title", async (page) => {
    const requestId = uniqueId();
    const response = page.response.replace(page.requestId, requestId);
    const body = withResponse(response, { endpoint: page.endpoint });
    const noKey = { PROVIDER_KEY: undefined };
    fetched.on(HOOK, status(204));
    const registered = await callWith(noKey, "POST", "/v1/jobs", { body: JSON.parse(body) });
    expect(registered).toMatchObject({ status: 202, body: { status: "delivering", outcome: "succeeded" } });
    const job = await delivered(registered.body.id);
    expect(job.body.polls).toBe(0);
    expect(fetched.sent.map(({ url }) => url)).toEqual([HOOK]);
    expect(event()).toMatchObject({
      type: "job.succeeded",
      data: { request_id: requestId, output: page.output, proxy_links: page.proxyLinks, polls: 0 },
    });
    expect(event().data.provider).toEqual(JSON.parse(response));
  });

  it("is delivered to the byte and read to the byte, big numbers and escapes included", async () => {
    const response = String.raw`{"status":"success", "id":90071992547409931, "output":["https:\/\/x\/1.png"],"t":1.50}`;
    const body = withResponse(response, { endpoint: "v3", key: PROVIDER_KEY });
    fetched.on(HOOK, status(204));
    const registered = await call("POST", "/v1/jobs", { body });
    expect(registered.body.request_id).toBe("90071992547409931");
    const job = await delivered(registered.body.id);
    const sent = fetched.to(HOOK)[0]?.body ?? "";
    expect(sent).toContain(`"provider":${response},`);
    expect(sent).toContain(String.raw`"output":["https:\/\/x\/1.png"],`);
    expect(job.text).toContain(`"result":${response},`);
  });

  it("keeps no key, and no echo of it", async () => {
    const response = `{"status":"success","id":${uniqueId()},"output":["x"],"meta":{"key":"${PROVIDER_KEY}"}}`;
    const body = withResponse(response, { endpoint: "v3", key: PROVIDER_KEY, callback_url: null });
    const { body: job } = await call("POST", "/v1/jobs", { body });
    const record = await stored(job.id);
    const answer = new TextDecoder().decode(record?.answer?.bytes ?? undefined);
    expect(answer).toContain('"key":"[redacted]"');
    expect(JSON.stringify(record)).not.toContain(PROVIDER_KEY);
  });

  it("needs a key after all when it has no output yet", async () => {
    const response = { status: "success", id: uniqueId(), output: [] };
    const body = { endpoint: "v3", callback_url: HOOK, response };
    const refused = await callWith({ PROVIDER_KEY: undefined }, "POST", "/v1/jobs", { body });
    expectProblem(refused, { status: 422, code: "invalid_value", field: "key" });
  });
});

describe("a registration with a refused response", () => {
  it.each(["rateLimit", "notFound", "tryAgain"] as const)(
    "is 422 generation_failed and leaves nothing behind: %s",
    async (refusal) => {
      const response = REFUSALS[refusal];
      const requestId = uniqueId();
      const body = withResponse(response, { endpoint: "v3", request_id: requestId, key: PROVIDER_KEY });
      const refused = await call("POST", "/v1/jobs", { body });
      expectProblem(refused, { status: 422, code: "generation_failed", field: "response" });
      expect(await storageOf(await idOf(requestId))).toEqual({ rows: 0, alarm: null });
    },
  );
});

describe("a registration with a processing response", () => {
  it("waits for the response's eta, unless it names its own", async () => {
    const response = JSON.parse(CAPTURED.controlnet);
    const own = await register({ request_id: null, response, eta: 500 });
    expect(own.body.eta).toBe(500);
    const id = Number(uniqueId());
    const taken = await register({
      request_id: null,
      eta: null,
      response: { ...response, id, fetch_result: `${PROVIDER}/api/v3/fetch/${id}` },
    });
    expect(taken.body.eta).toBe(146.5279869184);
  });

  it("is asked about by an id with all its digits", async () => {
    const fetch_result = `${PROVIDER}/api/v3/fetch/9007199254740993`;
    const response = `{"status":"processing","id":9007199254740993,"eta":600,"fetch_result":"${fetch_result}"}`;
    const { body } = await call("POST", "/v1/jobs", { body: withResponse(response, { key: PROVIDER_KEY }) });
    fetched.on(fetch_result, json({ status: "success", output: ["x"] })).on(HOOK, status(200));
    await fire(body.id);
    expect(fetched.unexpected).toEqual([]);
    expect(event().data.request_id).toBe("9007199254740993");
  });
});

describe("the same request named in three ways", () => {
  it("is one job", async () => {
    const id = uniqueId();
    const fetch_url = `https://stablediffusionapi.com/api/v6/video/fetch/${id}`;
    const response = { status: "processing", id, fetch_result: fetch_url };
    const first = await register({ endpoint: "v6/video", request_id: Number(id) });
    const second = await register({ request_id: null, fetch_url });
    const third = await register({ request_id: null, response });
    expect([first.status, second.status, third.status]).toEqual([202, 200, 200]);
    expect(new Set([first, second, third].map(({ body }) => body.id)).size).toBe(1);
  });
});

describe("a registration that names its request badly", () => {
  it.each([
    ["not at all", {}, "request_id"],
    ["by an endpoint alone", { endpoint: "v3" }, "request_id"],
    ["by a URL without an id", { fetch_url: `${PROVIDER}/api/v4/dreambooth/fetch` }, "request_id"],
    ["by a URL elsewhere", { fetch_url: "https://evil.example/api/v3/fetch/1" }, "fetch_url"],
    [
      "by a response alone that has no fetch_result",
      { response: { status: "processing", id: 1 } },
      "endpoint",
    ],
    ["by a response without a status", { response: { id: 1 }, endpoint: "v3" }, "response.status"],
    [
      "by a response with a strange id",
      { response: { status: "x", id: "a/b" }, endpoint: "v3" },
      "response.id",
    ],
    [
      "by a fetch_result elsewhere",
      { response: { status: "processing", id: 1, fetch_result: "https://evil.example/api/v3/fetch/1" } },
      "response.fetch_result",
    ],
    ["by two ids", { request_id: "1", fetch_url: `${PROVIDER}/api/v3/fetch/2` }, "request_id"],
    ["by two endpoints", { endpoint: "v3", fetch_url: `${PROVIDER}/api/v6/3d/fetch/2` }, "endpoint"],
  ])("is refused with the field at fault: %s", async (_, naming, field) => {
    const refused = await register({ request_id: null, ...naming });
    expectProblem(refused, { status: 422, code: "invalid_value", field });
    expect(fetched.sent).toEqual([]);
  });
});
