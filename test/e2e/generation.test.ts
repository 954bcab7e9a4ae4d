/**
 * Generation calls through the running Worker, with only the host changed: what the provider sees, what the caller
 * gets, and what comes of it when the provider hints, a caller hangs up or repeats itself, or the runtime dies.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../simulator/test-client.ts";
import { type Job, Setting } from "./setting.ts";

const PROVIDER_KEY = "sim-provider-key";
const TEXT2IMG = "v6/images/text2img";
/** Beyond any limit here: what comes meanwhile was not waited for. */
const FAR_ETA_SECONDS = 600;
const DELIVERY_LIMIT_MS = 30_000;

interface Generated {
  readonly id: number;
  readonly status: string;
  readonly fetch_result: string;
  readonly job_id: string;
  readonly future_links: readonly string[];
}

let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create({ vars: (origin) => ({ PUBLIC_URL: origin }) });
  await setting.start();
}, 90_000);
afterAll(() => setting.tearDown());

let counter = 0;
let hook = "";
let webhook = "";
beforeEach(() => {
  setting.provider.reset();
  hook = `/hook/generation-${++counter}`;
  webhook = setting.receiver.origin + hook;
});

type More = Parameters<Setting["callAsProvider"]>[2];
const generate = (fields: Record<string, unknown>, more: More = {}) =>
  setting.callAsProvider(TEXT2IMG, { prompt: "a lighthouse", ...fields }, more);
const keyed = (key: string) => ({ headers: { "idempotency-key": key } });

const answerTo = async (...call: Parameters<typeof generate>): Promise<Generated> => {
  const response = await generate(...call);
  expect(response.status).toBe(200);
  return (await response.json()) as Generated;
};

/** Without the polls, which are the jobs' own. */
const generations = () => setting.provider.calls().filter(({ path }) => !path.includes("/fetch"));
const forwarded = (): Record<string, unknown> => JSON.parse(generations()[0]?.body ?? "null");

async function delivered(): Promise<Record<string, unknown>> {
  const [delivery] = await setting.receiver.waitForCount(hook, 1, DELIVERY_LIMIT_MS);
  expect(delivery).toMatchObject({ verified: true, status: 204 });
  return JSON.parse(delivery?.body ?? "");
}

/** The job, once its delivery is noted down. */
async function deliveredJob(id: string): Promise<Job> {
  await expect.poll(async () => (await setting.job(id)).status, { timeout: 10_000 }).toBe("delivered");
  return setting.job(id);
}
const types = ({ timeline }: Job) => timeline.map(({ type }) => type);

describe("a generation call with a webhook", () => {
  it("reaches the provider with its key and a hint URL, and is otherwise what the caller wrote", async () => {
    const written = `"prompt" : "ein Leuchtturm \\u706f塔",\n "seed":12345678901234567890, "track_id" : "order 7"`;
    const body = `{ "key": "${setting.token}",${written}, "webhook":"${webhook}", "webhook_format": "provider" }`;
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${setting.worker.origin}/api/${TEXT2IMG}`, {
      method: "POST",
      headers,
      body,
    });
    expect(response.status).toBe(200);
    const [call] = generations();
    expect(forwarded()).toEqual({
      ...JSON.parse(`{${written}}`),
      key: PROVIDER_KEY,
      webhook: expect.stringMatching(`^${setting.worker.origin}/hints/[\\w.=-]{60,}$`),
    });
    for (const member of written.split(/,\s*(?=")/)) expect(call?.body).toContain(member);
    expect(JSON.stringify(setting.provider.calls())).not.toContain(setting.token);
    expect(JSON.stringify(setting.provider.calls())).not.toContain(webhook);
    await delivered();
    for (const secret of [setting.token, webhook, "Leuchtturm"])
      expect(setting.worker.output()).not.toContain(secret);
  });

  it("is answered with where to fetch it from us and its job, and delivered in the provider's format", async () => {
    const track_id = 7;
    const answer = await answerTo({ webhook, track_id });
    expect(answer).toMatchObject({
      status: "processing",
      id: expect.any(Number),
      fetch_result: `${setting.worker.origin}/api/v6/images/fetch/${answer.id}`,
      job_id: expect.stringMatching(/^job_/),
    });
    const event = await delivered();
    expect(event).toEqual({ status: "success", id: answer.id, output: answer.future_links, track_id });
    expect(await deliveredJob(answer.job_id)).toMatchObject({ outcome: "succeeded" });

    setting.provider.reset();
    const { track_id: _, ...stored } = event;
    const path = answer.fetch_result.slice(`${setting.worker.origin}/api/`.length);
    expect(await (await setting.callAsProvider(path, {})).json()).toEqual(stored);
    expect(setting.provider.calls()).toEqual([]);
  });

  it("that is done at once is delivered at once, and nothing is polled", async () => {
    setting.provider.serveGenerations({ queuedMs: 0 });
    const { job_id, id } = await answerTo({ webhook });
    expect(await delivered()).toMatchObject({ status: "success", id });
    expect((await deliveredJob(job_id)).polls).toBe(0);
    expect(setting.provider.calls()).toHaveLength(1);
  });
});

describe("a generation call without a webhook", () => {
  it("leads back to us all the same, has no job, and asks for no hint", async () => {
    setting.provider.serveGenerations({ queuedMs: 60_000 });
    const answer = await answerTo({});
    expect(answer.fetch_result).toBe(`${setting.worker.origin}/api/v6/images/fetch/${answer.id}`);
    expect(answer).not.toHaveProperty("job_id");
    expect(forwarded()).toEqual({ key: PROVIDER_KEY, prompt: "a lighthouse" });
  });
});

describe("a hint of the provider", () => {
  it("brings the delivery as soon as the request is ready, long before its eta", async () => {
    setting.provider.serveGenerations({ queuedMs: 1_000, etaSeconds: FAR_ETA_SECONDS });
    const { id, job_id } = await answerTo({ webhook });
    expect(await delivered()).toMatchObject({ status: "success", id });
    const job = await deliveredJob(job_id);
    expect(types(job)).toEqual(["registered", "hint", "poll", "attempt"]);
  });

  it("may come before the answer to the call", async () => {
    setting.provider.serveGenerations({ queuedMs: 300, answerMs: 1_500, etaSeconds: FAR_ETA_SECONDS });
    const { id, job_id } = await answerTo({ webhook });
    expect(await delivered()).toMatchObject({ status: "success", id });
    expect((await deliveredJob(job_id)).polls).toBe(1);
  });

  it("is not believed, and makes no storm of polls", async () => {
    setting.provider.serveGenerations({ queuedMs: 60_000, etaSeconds: FAR_ETA_SECONDS });
    const { job_id } = await answerTo({ webhook });
    const hint = String(forwarded().webhook);
    const lie = { method: "POST", body: '{"status":"success","output":["https://example.com/forged.png"]}' };
    const forge = async (url: string) => (await fetch(url, lie)).status;
    expect(await Promise.all(Array.from({ length: 20 }, () => forge(hint)))).toEqual(Array(20).fill(204));
    const polls = async () => (await setting.job(job_id)).polls;
    await expect.poll(polls, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await forge(`${hint.slice(0, -4)}AAAA`)).toBe(204);
    expect(await forge(`${setting.worker.origin}/hints/x`)).toBe(204);
    const job = await setting.job(job_id);
    expect(job).toMatchObject({ status: "waiting", outcome: null });
    expect(job.polls).toBeLessThan(5);
    expect(setting.receiver.deliveries(hook)).toEqual([]);
    // Else its polls are seen by the tests that follow.
    await setting.call("POST", `/v1/jobs/${job_id}/cancel`);
  });
});

describe("a caller who hangs up half-way", () => {
  /** Leaves once the provider has the call, well before it answers. */
  async function hangUp(fields: Record<string, unknown>, more: More = {}): Promise<void> {
    const caller = new AbortController();
    const gone = expect(generate(fields, { ...more, signal: caller.signal })).rejects.toThrow("abort");
    await until(() => generations().length === 1);
    caller.abort();
    await gone;
    expect(generations()).toMatchObject([{ status: null }]);
  }

  it("loses nothing: the job is registered and delivered", async () => {
    setting.provider.serveGenerations({ answerMs: 2_000, etaSeconds: 1 });
    await hangUp({ webhook, track_id: "gone" });
    const event = await delivered();
    expect(event).toMatchObject({ status: "success", track_id: "gone" });
    expect(generations()).toMatchObject([{ status: 200 }]);
    const fetched = await setting.callAsProvider(`v6/images/fetch/${event.id}`, {});
    expect(await fetched.json()).toMatchObject({ status: "success", id: event.id });
  });

  it("gets the answer after all when it comes back with the same Idempotency-Key", async () => {
    setting.provider.serveGenerations({ answerMs: 2_000 });
    await hangUp({ webhook }, keyed("hung-up"));
    const underWay = await answerTo({ webhook }, keyed("hung-up"));
    expect(await answerTo({ webhook }, keyed("hung-up"))).toEqual(underWay);
    expect(generations()).toHaveLength(1);
    expect(await delivered()).toMatchObject({ id: underWay.id });
  });
});

describe("an Idempotency-Key", () => {
  it("gives the same answer to the same call, and the provider one generation", async () => {
    setting.provider.serveGenerations({ answerMs: 300 });
    const call = async () => (await generate({ webhook }, keyed("same"))).text();
    const atOnce = await Promise.all([call(), call(), call()]);
    expect(new Set([...atOnce, await call()]).size).toBe(1);
    expect(generations()).toHaveLength(1);
    expect(await delivered()).toMatchObject({ id: JSON.parse(atOnce[0] ?? "").id });
    expect(setting.receiver.deliveries(hook)).toHaveLength(1);
  });

  it.each([
    ["body", TEXT2IMG, { prompt: "a lighthouse at night" }],
    ["path", "v6/images/img2img", { prompt: "a lighthouse" }],
  ])("is refused for a call with another %s", async (what, path, fields) => {
    const key = keyed(`another-${what}`);
    await answerTo({}, key);
    const other = await setting.callAsProvider(path, fields, key);
    expect(other.status).toBe(409);
    expect(await other.json()).toEqual({
      status: "error",
      message: expect.stringContaining("Idempotency-Key"),
    });
    expect(generations()).toHaveLength(1);
  });

  it("is each tenant's own, and without one every call is a generation", async () => {
    const first = await answerTo({}, keyed("shared"));
    const other = await answerTo({ key: await setting.tokenFor("other") }, keyed("shared"));
    expect(other.id).not.toBe(first.id);
    expect((await answerTo({})).id).not.toBe((await answerTo({})).id);
    expect(generations()).toHaveLength(4);
  });
});

describe("a crash between forwarding and the answer", () => {
  it("is answered with what is not known, and the call is never made again", async () => {
    setting.provider.serveGenerations({ answerMs: 60_000 });
    const lost = generate({ webhook }, keyed("crashed")).then(
      ({ status }) => status,
      () => "no answer",
    );
    await until(() => generations().length === 1);
    await setting.crash();
    expect(await lost).not.toBe(200);

    setting.provider.serveGenerations({ answerMs: 0 });
    await setting.start();
    for (let i = 0; i < 2; i++) {
      const again = await generate({ webhook }, keyed("crashed"));
      expect(again.status).toBe(502);
      expect(await again.json()).toEqual({ status: "error", message: expect.stringContaining("not known") });
    }
    expect(generations()).toHaveLength(1);
  }, 90_000);
});
