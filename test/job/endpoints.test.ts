import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { USER_AGENT } from "../../src/net/outbound.ts";
import { type Answer, call, fire, PROVIDER, PROVIDER_KEY, registration, token } from "../support/api.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { CAPTURED, SEED_PAGES, type SeedPage } from "../support/seed-pages.ts";

const HOOK = "https://example.com/hook";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
});

let tenants = 0;
/** A tenant of its own: two pages show the same request, and the same request is the same job. */
async function newTenant(): Promise<{ readonly tenant: string; readonly auth: string }> {
  const tenant = `tenant-${++tenants}`;
  return { tenant, auth: await token({ sub: tenant }) };
}

/** Watches one request to its end: the poll is answered with the page's own example. */
async function watch(page: SeedPage, url: string, naming: Record<string, unknown>): Promise<Answer> {
  const { tenant, auth } = await newTenant();
  const body = registration({ request_id: null, ...naming, callback_url: HOOK });
  const registered = await call("POST", "/v1/jobs", { auth, body });
  expect(registered.status).toBe(202);
  fetched.on(url, json(page.response)).on(HOOK, status(204));
  await fire(registered.body.id, tenant);
  expect(fetched.unexpected).toEqual([]);
  expect(fetched.sent.map((sent) => sent.url)).toEqual([url, HOOK]);
  return call("GET", `/v1/jobs/${registered.body.id}`, { auth });
}

function expectAsked(page: SeedPage, url: string): void {
  expect(fetched.to(url)).toEqual([
    {
      method: "POST",
      url,
      headers: { "content-type": "application/json", accept: "application/json", "user-agent": USER_AGENT },
      body: page.body(PROVIDER_KEY),
      bytes: new TextEncoder().encode(page.body(PROVIDER_KEY)),
    },
  ]);
}

function expectDelivered(page: SeedPage, job: Answer): void {
  const post = fetched.to(HOOK)[0];
  const event = JSON.parse(post?.body ?? "");
  expect(event.type).toBe("job.succeeded");
  expect(event.data).toMatchObject({
    job_id: job.body.id,
    endpoint: page.endpoint,
    request_id: page.requestId,
    output: page.output,
    proxy_links: page.proxyLinks,
    error: null,
  });
  expect(event.data.provider).toEqual(JSON.parse(page.response));
  expect(post?.body).toContain(`"provider":${page.response},`);
  expect(job.body).toMatchObject({ status: "delivered", outcome: "succeeded", polls: 1 });
  expect(job.body.result).toEqual(JSON.parse(page.response));
  expect(job.text).toContain(`"result":${page.response},`);
}

describe.each(SEED_PAGES)("the page «$title» ($endpoint)", (page) => {
  it("is followed to the byte when the request is named by endpoint and id", async () => {
    const url = `${PROVIDER}${page.path}`;
    const job = await watch(page, url, { endpoint: page.endpoint, request_id: page.requestId });
    expectAsked(page, url);
    expectDelivered(page, job);
  });

  it("is followed to the byte on the page's own host when its URL is given", async () => {
    const url = `${page.origin}${page.path}`;
    const idInPath = page.path.endsWith(page.requestId);
    const job = await watch(page, url, {
      fetch_url: url,
      ...(!idInPath && { request_id: Number(page.requestId) }),
    });
    expectAsked(page, url);
    expectDelivered(page, job);
  });
});

describe("a captured generation answer", () => {
  it.each([
    ["video", CAPTURED.video, `${PROVIDER}/api/v6/video/fetch/65919758`],
    ["legacy", CAPTURED.legacy, "https://stablediffusionapi.com/api/v3/fetch/65704373"],
    ["dreambooth", CAPTURED.dreambooth, "https://stablediffusionapi.com/api/v3/dreambooth/fetch/29763508"],
    ["controlnet", CAPTURED.controlnet, "https://stablediffusionapi.com/api/v3/fetch/29763509"],
  ])("is polled where its fetch_result says: %s", async (_, response, url) => {
    const { tenant, auth } = await newTenant();
    const body = `{"callback_url":"${HOOK}","key":"${PROVIDER_KEY}","response":${response}}`;
    const registered = await call("POST", "/v1/jobs", { auth, body });
    expect(registered).toMatchObject({ status: 202, body: { eta: JSON.parse(response).eta } });
    fetched.on(url, json(CAPTURED.stillProcessing), json({ status: "success", output: ["done.mp4"] }));
    fetched.on(HOOK, status(204));
    await fire(registered.body.id, tenant);
    expect(fetched.to(HOOK)).toEqual([]);
    await fire(registered.body.id, tenant);
    expect(fetched.unexpected).toEqual([]);
    expect(fetched.to(url).map((sent) => sent.body)).toEqual(Array(2).fill(`{"key":"${PROVIDER_KEY}"}`));
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "").data.output).toEqual(["done.mp4"]);
  });
});

describe("an endpoint that no page names", () => {
  it("is accepted and asked with the id in the path", async () => {
    const { tenant, auth } = await newTenant();
    const body = registration({ endpoint: "v9/holograms", request_id: "abc_1-2" });
    const registered = await call("POST", "/v1/jobs", { auth, body });
    expect(registered.status).toBe(202);
    const url = `${PROVIDER}/api/v9/holograms/fetch/abc_1-2`;
    fetched.on(url, json({ status: "success", output: "x" })).on(HOOK, status(200));
    await fire(registered.body.id, tenant);
    expect(fetched.to(url)[0]?.body).toBe(`{"key":"${PROVIDER_KEY}"}`);
    expect(fetched.unexpected).toEqual([]);
  });
});

describe("what the event delivers", () => {
  it("never takes future_links for output", async () => {
    const { tenant, auth } = await newTenant();
    const body = registration({ request_id: "777", endpoint: "v6/video" });
    const registered = await call("POST", "/v1/jobs", { auth, body });
    const url = `${PROVIDER}/api/v6/video/fetch/777`;
    const early = { status: "success", output: [], future_links: ["https://x/early.mp4"] };
    fetched.on(url, json(early), json({ ...early, output: ["https://x/done.mp4"] })).on(HOOK, status(200));
    await fire(registered.body.id, tenant);
    expect(fetched.to(HOOK)).toEqual([]);
    await fire(registered.body.id, tenant);
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "").data.output).toEqual(["https://x/done.mp4"]);
  });

  it("shows proxy_links as null where the provider answered null", async () => {
    const { tenant, auth } = await newTenant();
    const body = registration({ request_id: "263", endpoint: "v6/deepfake" });
    const registered = await call("POST", "/v1/jobs", { auth, body });
    fetched.on(`${PROVIDER}/api/v6/deepfake/fetch/263`, json(CAPTURED.deepfakeSuccess)).on(HOOK, status(200));
    await fire(registered.body.id, tenant);
    const { data } = JSON.parse(fetched.to(HOOK)[0]?.body ?? "");
    expect(data).toMatchObject({ proxy_links: null, provider: JSON.parse(CAPTURED.deepfakeSuccess) });
  });
});
