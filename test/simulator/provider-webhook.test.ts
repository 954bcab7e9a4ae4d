/** The simulated provider's generation calls that bring a webhook, and the ways in which one can be served late. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Provider, type ProviderOptions, startProvider } from "./provider.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { post, until } from "./test-client.ts";

const KEY = "sim-provider-key";
const QUEUED_MS = 200;
/** Long enough for a webhook that should not come to have come. */
const SILENCE_MS = 500;

let provider: Provider;
let receiver: Receiver;
const restart = async (options: ProviderOptions) => {
  await provider.close();
  provider = await startProvider(options);
};
const generate = async (fields: Record<string, unknown>, path = "v6/images/text2img") =>
  (await post(`${provider.origin}/api/${path}`, { key: KEY, ...fields })).json as Record<string, unknown>;

beforeEach(async () => {
  provider = await startProvider({ generationMs: QUEUED_MS });
  receiver = await startReceiver();
});
afterEach(async () => {
  await provider.close();
  await receiver.close();
});

describe("a webhook", () => {
  it("comes once, when the request is ready, with its output and the track_id as it was sent", async () => {
    const before = Date.now();
    const answer = await generate({ webhook: receiver.hookUrl(), track_id: "a/1" });
    const delivery = await receiver.waitFor(() => true);
    expect(delivery.at - before).toBeGreaterThanOrEqual(QUEUED_MS - 1);
    expect(delivery).toMatchObject({ method: "POST", path: "/hook" });
    expect(delivery.headers["content-type"]).toBe("application/json");
    expect(delivery.headers).not.toHaveProperty("webhook-signature");
    expect(JSON.parse(delivery.body)).toEqual({
      status: "success",
      id: answer.id,
      output: answer.future_links,
      track_id: "a/1",
    });
    expect((await post(String(answer.fetch_result), { key: KEY })).json).toMatchObject({ status: "success" });
    await sleep(SILENCE_MS);
    expect(receiver.deliveries()).toHaveLength(1);
  });

  it("has no track_id where none was sent", async () => {
    await generate({ webhook: receiver.hookUrl() });
    const { body } = await receiver.waitFor(() => true);
    expect(Object.keys(JSON.parse(body))).toEqual(["status", "id", "output"]);
  });

  it("comes also for a request that was ready at once", async () => {
    await restart({ generationMs: 0 });
    expect(await generate({ webhook: receiver.hookUrl() })).toMatchObject({ status: "success" });
    await receiver.waitFor(() => true);
  });

  it("is not repeated when it is refused", async () => {
    receiver.program("/hook", [{ kind: "fail", status: 500 }]);
    await generate({ webhook: receiver.hookUrl() });
    await receiver.waitFor(() => true);
    await sleep(SILENCE_MS);
    expect(receiver.deliveries()).toHaveLength(1);
  });

  it.each([null, "", 7, "no url", "ftp://127.0.0.1/hook", "http://127.0.0.1:1/hook"])(
    "that is %j leads nowhere, and does no harm",
    async (webhook) => {
      expect(await generate({ webhook })).toMatchObject({ status: "processing" });
      await sleep(QUEUED_MS + 50);
      expect(await generate({})).toMatchObject({ status: "processing" });
    },
  );

  it.each(["reset", "close"] as const)("is forgotten by %s", async (end) => {
    provider.serveGenerations({ queuedMs: SILENCE_MS });
    await generate({ webhook: receiver.hookUrl() });
    await provider[end]();
    await sleep(2 * SILENCE_MS);
    expect(receiver.deliveries()).toEqual([]);
  });
});

describe("a generation call", () => {
  it("announces the eta that it is told to", async () => {
    provider.serveGenerations({ etaSeconds: 60 });
    const answer = await generate({});
    expect(answer).toMatchObject({ eta: 60 });
    await sleep(QUEUED_MS + 50);
    expect((await post(String(answer.fetch_result), { key: KEY })).json).toMatchObject({ status: "success" });
  });

  it("is answered as late as it is told to, and queued at once; its webhook may come first", async () => {
    provider.serveGenerations({ answerMs: QUEUED_MS + SILENCE_MS });
    const answer = generate({ webhook: receiver.hookUrl() });
    await until(() => provider.requests().length === 1);
    expect(provider.calls()).toMatchObject([{ path: "/api/v6/images/text2img", status: null }]);
    const { body } = await receiver.waitFor(() => true);
    expect(provider.calls()).toMatchObject([{ status: null }]);
    expect(JSON.parse(body)).toMatchObject({ id: (await answer).id });
    await until(() => provider.calls()[0]?.status === 200);
  });

  it("is not answered to a caller who has gone, and its request stays queued", async () => {
    provider.serveGenerations({ answerMs: SILENCE_MS });
    const body = JSON.stringify({ key: KEY });
    const headers = { "content-type": "application/json" };
    const caller = new AbortController();
    const { signal } = caller;
    const call = fetch(`${provider.origin}/api/v3/text2img`, { method: "POST", headers, body, signal });
    const gone = expect(call).rejects.toThrow("abort");
    await until(() => provider.requests().length === 1);
    caller.abort();
    await gone;
    await sleep(SILENCE_MS + 100);
    expect(provider.calls()).toMatchObject([{ status: null }]);
    expect(provider.requests()).toHaveLength(1);
  });

  it("is served as at the start after a reset", async () => {
    provider.serveGenerations({ queuedMs: 0, etaSeconds: 9 });
    provider.reset();
    expect(await generate({})).toMatchObject({ status: "processing", eta: QUEUED_MS / 1000 });
  });
});
