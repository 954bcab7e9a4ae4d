/** The simulated provider in normal service, over real HTTP: routes, forms, keys, shapes, log and controls. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SEED_PAGES } from "../support/seed-pages.ts";
import { type Provider, type ProviderOptions, startProvider } from "./provider.ts";
import { ask, post } from "./test-client.ts";

const KEY = "sim-provider-key";
const NOT_FOUND =
  '{"status":"failed","id":"","message":"Request not found","output":"","tip":"Get 20x faster image generation using enterprise plan. Click here : https:\\/\\/modelslab.com\\/enterprise"}';

let provider: Provider;
const restart = async (options: ProviderOptions) => {
  await provider.close();
  provider = await startProvider(options);
};
const poll = (path: string, body: object | string = { key: KEY }, headers?: Record<string, string>) =>
  post(`${provider.origin}/api/${path}`, body, headers);

beforeEach(async () => {
  provider = await startProvider();
});
afterEach(() => provider.close());

describe("fetch", () => {
  it.each(SEED_PAGES)("answers $endpoint with the example of its page, byte for byte", async (page) => {
    provider.add({ endpoint: page.endpoint, id: page.requestId, answer: page.response });
    const { text, status } = await post(provider.origin + page.path, page.body(KEY));
    expect(status).toBe(200);
    expect(text).toBe(page.response);
    expect(JSON.parse(text)).toMatchObject({ status: "success", id: Number(page.requestId) });
  });

  it.each([
    ["v3", "v3/fetch/7", {}],
    ["v6/video", "v6/video/fetch/7", {}],
    ["v1/enterprise/text-to-video-ultra", "v1/enterprise/text-to-video-ultra/fetch/7", {}],
    ["v1/enterprise", "v1/enterprise/fetch", { request_id: "7" }],
    ["v4/dreambooth", "v4/dreambooth/fetch", { request_id: 7 }],
    ["v6/images", "v6/images/fetch", { request_id: "7" }],
    ["v6/images", "v6/images/fetch/7", {}],
    ["v6/images", "v6/images/fetch/7", { request_id: "8" }],
    ["v1/enterprise/faceswap", "v1/enterprise/faceswap/fetch", { id: "7" }],
  ])("finds a request of %s at %s with %j", async (endpoint, path, fields) => {
    provider.add({ endpoint, id: 7 });
    expect((await poll(path, { key: KEY, ...fields })).json).toMatchObject({ status: "success", id: 7 });
  });

  it.each([
    ["v3", "v3/fetch", { request_id: "7" }],
    ["v3", "v3/dreambooth/fetch/7", {}],
    ["v3", "v6/images/fetch/7", {}],
    ["v3", "v3/fetch/8", {}],
    ["v1/enterprise", "v1/enterprise/fetch/7", {}],
    ["v4/dreambooth", "v4/dreambooth/fetch/7", {}],
    ["v4/dreambooth", "v4/dreambooth/fetch", { id: "7" }],
    ["v4/dreambooth", "v4/dreambooth/fetch", {}],
    ["v1/enterprise/faceswap", "v1/enterprise/faceswap/fetch", { request_id: "7" }],
    ["v1/enterprise/faceswap", "v1/enterprise/faceswap/fetch/7", {}],
  ])("does not find a request of %s at %s with %j", async (endpoint, path, fields) => {
    provider.add({ endpoint, id: 7 });
    const { status, text } = await poll(path, { key: KEY, ...fields });
    expect(status).toBe(200);
    expect(text).toBe(NOT_FOUND);
  });

  it("says processing until the request is ready, then success", async () => {
    provider.add({ endpoint: "v3", id: 7, readyAfterMs: 300 });
    const early = await poll("v3/fetch/7");
    expect(early.text).toBe('{"status":"processing","messege":"Request processing","output":""}');
    expect(early.type).toBe("application/json");
    const [{ readyAt } = { readyAt: 0 }] = provider.requests();
    while (Date.now() < readyAt) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await poll("v3/fetch/7")).json).toMatchObject({ status: "success", id: 7 });
  });

  it("carries a given eta in the fuller processing answer", async () => {
    provider.add({ endpoint: "v6/video", id: 7, readyAfterMs: 60_000, eta: 13.067986918399999 });
    const { text, json } = await poll("v6/video/fetch/7");
    const fetchResult = `${provider.origin}/api/v6/video/fetch/7`;
    expect(json).toMatchObject({
      status: "processing",
      eta: 13.067986918399999,
      fetch_result: fetchResult,
      id: 7,
    });
    expect(text).toContain('"message":"Try to fetch request after seconds estimated"');
    expect(text).toContain(fetchResult.replaceAll("/", "\\/"));
  });

  it("says messege on the older endpoints", async () => {
    provider.add({ endpoint: "v3", id: 7, readyAfterMs: Number.POSITIVE_INFINITY, eta: 5 });
    const { json } = await poll("v3/fetch/7");
    expect(json).toMatchObject({ messege: "Try to fetch request after seconds estimated" });
    expect(json).not.toHaveProperty("message");
  });

  it("keeps its promise of future_links", async () => {
    provider.add({ endpoint: "v6/video", id: 7, readyAfterMs: 60_000, eta: 5 });
    const { future_links } = (await poll("v6/video/fetch/7")).json as { future_links: string[] };
    provider.add({ endpoint: "v6/video", id: 7 });
    expect((await poll("v6/video/fetch/7")).json).toMatchObject({ output: future_links });
  });

  it("adds proxy_links to interior alone, and escapes as PHP does", async () => {
    provider.add({ endpoint: "v6/interior", id: 7 });
    const { json, text } = await poll("v6/interior/fetch/7");
    expect(json).toMatchObject({
      proxy_links: [expect.stringContaining("https://cdn2.stablediffusionapi.com/")],
    });
    expect(text).toContain("https:\\/\\/cdn2.");
    provider.add({ endpoint: "v3", id: 7, answer: { status: "success", output: "é/☃/😀" } });
    const plain = await poll("v3/fetch/7");
    expect(plain.text).toBe('{"status":"success","output":"\\u00e9\\/\\u2603\\/\\ud83d\\ude00"}');
    expect(plain.json).not.toHaveProperty("proxy_links");
  });

  it("gives scripted words while processing", async () => {
    provider.add({ endpoint: "v3", id: 7, readyAfterMs: 60_000, processing: { status: "queued" } });
    expect((await poll("v3/fetch/7")).json).toEqual({ status: "queued" });
  });

  it("invents an unknown id at its first fetch, in the right form only", async () => {
    await restart({ invent: true });
    expect((await poll("v6/whatever/fetch/abc-1")).json).toMatchObject({ status: "processing" });
    expect((await poll("v1/enterprise/fetch/9")).text).toBe(NOT_FOUND);
    expect((await poll(`v3/fetch/${"x".repeat(129)}`)).text).toBe(NOT_FOUND);
    const [request, ...others] = provider.requests();
    expect(others).toEqual([]);
    expect(request).toMatchObject({ endpoint: "v6/whatever", id: "abc-1", polls: 1 });
    expect((request?.readyAt ?? 0) - (request?.addedAt ?? 0)).toBe(4000);
  });

  it("serves hundreds of polls at once, each with its own answer", async () => {
    const ids = Array.from({ length: 300 }, (_, index) => index + 1);
    for (const id of ids) provider.add({ endpoint: "v3", id });
    const replies = await Promise.all(ids.map((id) => poll(`v3/fetch/${id}`)));
    expect(replies.map(({ json }) => (json as { id: number }).id)).toEqual(ids);
    expect(provider.calls()).toHaveLength(300);
  });
});

describe("refusals", () => {
  it.each([
    ["a form", "key=sim-provider-key", { "content-type": "application/x-www-form-urlencoded" }],
    ["JSON called text", '{"key":"sim-provider-key"}', { "content-type": "text/plain" }],
    ["text called JSON", "key", { "content-type": "application/json" }],
    ["an array", "[]", { "content-type": "application/json" }],
  ])("calls %s an invalid request", async (_, body, headers) => {
    provider.add({ endpoint: "v3", id: 7 });
    const { text, json } = await poll("v3/fetch/7", body, headers);
    expect(json).toMatchObject({ status: "error", message: "Invalid API Request" });
    expect(text).toContain("Content-Type: application\\/json in header.");
  });

  it("takes JSON with a charset", async () => {
    provider.add({ endpoint: "v3", id: 7 });
    const reply = await poll(
      "v3/fetch/7",
      { key: KEY },
      { "content-type": "application/json; charset=utf-8" },
    );
    expect(reply.json).toMatchObject({ status: "success" });
  });

  it.each([{ key: "wrong" }, {}, { key: 7 }])("refuses the key of %j", async (body) => {
    provider.add({ endpoint: "v3", id: 7 });
    const { json } = await poll("v3/fetch/7", body);
    expect(json).toMatchObject({ status: "error", message: "Invalid Api Key", tip: expect.any(String) });
  });

  it("shows a request with a key of its own to that key only", async () => {
    await restart({ keys: ["a", "b"] });
    provider.add({ endpoint: "v3", id: 7, key: "own" });
    provider.add({ endpoint: "v3", id: 8 });
    expect((await poll("v3/fetch/7", { key: "own" })).json).toMatchObject({ status: "success" });
    expect((await poll("v3/fetch/7", { key: "a" })).text).toBe(NOT_FOUND);
    expect((await poll("v3/fetch/8", { key: "own" })).text).toBe(NOT_FOUND);
    expect((await poll("v3/fetch/8", { key: "b" })).json).toMatchObject({ status: "success" });
    expect((await poll("v3/fetch/8")).json).toMatchObject({ message: "Invalid Api Key" });
  });

  it("answers other methods with 405 and other paths with 404", async () => {
    expect((await ask(`${provider.origin}/api/v3/fetch/7`)).status).toBe(405);
    expect((await ask(`${provider.origin}/api/v6/images/text2img`, "PUT")).status).toBe(405);
    expect((await poll("v2/text2img")).status).toBe(404);
    expect((await post(`${provider.origin}/elsewhere`, {})).status).toBe(404);
  });
});

describe("generation", () => {
  it.each([
    ["v6/images/text2img", "v6/images/fetch/"],
    ["v7/video-fusion/text-to-video", "v7/video-fusion/fetch/"],
    ["v3/text2img", "v3/fetch/"],
    ["v4/dreambooth", "v3/dreambooth/fetch/"],
    ["v4/dreambooth/img2img", "v3/dreambooth/fetch/"],
    ["v5/controlnet", "v3/fetch/"],
    ["v1/enterprise/interior/make", "v1/enterprise/interior/fetch/"],
  ])("queues %s and names %s, which then answers", async (path, fetchPath) => {
    await restart({ generationMs: 60_000 });
    const { json, text } = await poll(path, { key: KEY, prompt: "a/b" });
    const { id, fetch_result } = json as { id: number; fetch_result: string };
    expect(json).toMatchObject({ status: "processing", eta: 60, output: [], meta: { prompt: "a/b" } });
    expect(json).toHaveProperty("future_links.0", expect.stringContaining("https://"));
    expect(fetch_result).toBe(`${provider.origin}/api/${fetchPath}${id}`);
    expect(text).toContain("\\/api\\/");
    expect(text).not.toContain(KEY);
    expect((await post(fetch_result, { key: KEY })).json).toMatchObject({ status: "processing" });
  });

  it("names an endpoint that takes the id in the body without the id", async () => {
    const { id, fetch_result } = (await poll("v1/enterprise/text2img")).json as {
      id: number;
      fetch_result: string;
    };
    expect(fetch_result).toBe(`${provider.origin}/api/v1/enterprise/fetch`);
    expect((await post(fetch_result, { key: KEY, request_id: id })).json).toMatchObject({
      status: "processing",
    });
  });

  it("serves a v4/dreambooth generation on both of its fetch endpoints, and to its key only", async () => {
    await restart({ keys: ["a", "b"], generationMs: 60_000 });
    const { id } = (await poll("v4/dreambooth", { key: "a" })).json as { id: number };
    expect((await poll("v4/dreambooth/fetch", { key: "a", request_id: id })).json).toMatchObject({
      status: "processing",
    });
    expect((await poll(`v3/dreambooth/fetch/${id}`, { key: "a" })).json).toMatchObject({
      status: "processing",
    });
    expect((await poll(`v3/dreambooth/fetch/${id}`, { key: "b" })).text).toBe(NOT_FOUND);
  });

  it("gives ids one after the other, also after a reset", async () => {
    const first = (await poll("v3/text2img")).json as { id: number };
    provider.reset();
    const second = (await poll("v3/text2img")).json as { id: number };
    expect(second.id).toBe(first.id + 1);
  });

  it("answers at once when nothing is queued", async () => {
    await restart({ generationMs: 0 });
    const { json } = await poll("v6/images/text2img");
    expect(json).toMatchObject({ status: "success", output: [expect.stringContaining("https://")] });
  });
});
