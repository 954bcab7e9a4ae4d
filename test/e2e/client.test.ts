/**
 * The client in Node against the Worker in its own process: everything that it does is done over a real socket.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Destinations, type JobEvent, PollhookClient, verifyWebhook } from "../../src/client/index.ts";
import type { Delivery } from "../simulator/delivery-log.ts";
import { Setting } from "./setting.ts";

let setting: Setting;
let pollhook: PollhookClient;
let secret: string;

beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
  pollhook = new PollhookClient({ url: setting.worker.origin, token: () => setting.token });
  secret = ((await (await setting.call("GET", "/v1/signing-secret")).json()) as { secret: string }).secret;
}, 90_000);
afterAll(() => setting.tearDown());

let lastId = 500;

/** Queues a request with the provider. */
function queued(readyAfterMs = 0): string {
  const id = ++lastId;
  setting.provider.add({ endpoint: "v3", id, readyAfterMs });
  return String(id);
}

const hookOf = (name: string): string => `${setting.receiver.origin}/hook/${name}`;

async function delivered(name: string, count = 1): Promise<Delivery> {
  const deliveries = await setting.receiver.waitForCount(`/hook/${name}`, count, 30_000);
  return deliveries.at(-1) as Delivery;
}

describe("a job, from its registration on", () => {
  let id: string;
  const metadata = { user: 7, name: "ü 🎈" };

  it("is registered, once however often", async () => {
    const registration = {
      request_id: queued(500),
      callback_url: hookOf("life"),
      eta: 1,
      metadata,
      index: ["user"],
    };
    const job = await pollhook.register(registration);
    id = job.id;
    expect(job).toMatchObject({ status: "waiting", outcome: null, metadata });
    expect((await pollhook.register(registration)).id).toBe(id);
  });

  it("is waited for", async () => {
    expect(await pollhook.wait(id)).toMatchObject({
      id,
      outcome: "succeeded",
      result: { status: "success" },
    });
    expect(await pollhook.wait(id, { until: "over" })).toMatchObject({ status: "delivered", attempts: 1 });
  });

  it("is delivered with a signature that the client verifies, and no other", async () => {
    const delivery = await delivered("life");
    const event = await verifyWebhook(delivery, [secret]);
    expect(event).toMatchObject({ type: "job.succeeded", data: { job_id: id, metadata } });
    expect(event.id).toBe(delivery.headers["webhook-id"]);
    const changed = { ...delivery, body: delivery.body.replace("succeeded", "expired") };
    await expect(verifyWebhook(changed, secret)).rejects.toMatchObject({ code: "webhook_signature_refused" });
    const late = { now: delivery.at + 302_000 };
    await expect(verifyWebhook(delivery, secret, late)).rejects.toMatchObject({
      code: "webhook_timestamp_refused",
    });
  });

  it("is listed, by what was registered to be searched for", async () => {
    const ids: string[] = [];
    for await (const job of pollhook.list({ metadata: { user: 7 }, limit: 1 })) ids.push(job.id);
    expect(ids).toEqual([id]);
  });

  it("is delivered again to somewhere else: the same event", async () => {
    const { event_id } = await pollhook.redeliver(id, { callback_url: hookOf("again") });
    const event = await verifyWebhook(await delivered("again"), secret);
    expect([event.id, event.type]).toEqual([event_id, "job.succeeded"]);
  });

  it("is canceled while it waits, and then never again", async () => {
    const { id } = await pollhook.register({ request_id: queued(60_000), eta: 60 });
    expect(await pollhook.cancel(id)).toMatchObject({ status: "canceled", outcome: "canceled" });
    await expect(pollhook.cancel(id)).rejects.toMatchObject({ code: "already_over", status: 409 });
  });
});

it("registers from a generation answer, also as text, and takes one that is done for an outcome", async () => {
  const id = queued();
  const processing = { status: "processing", id: Number(id), eta: 1 };
  const job = await pollhook.registerResponse(processing, { endpoint: "v3" });
  expect(job).toMatchObject({ request_id: id, endpoint: "v3" });
  const done = `{"status":"success","id":${++lastId},"output":["https://x/1.png"],"seed":123456789012345678901}`;
  const finished = await pollhook.registerResponse(done, { endpoint: "v3", callback_url: hookOf("done") });
  expect(finished.outcome).toBe("succeeded");
  expect((await delivered("done")).body).toContain("123456789012345678901");
});

it.each([
  ["by the server's stream", "streamed", true],
  ["by looking at it where nothing streams", "looked-at", false],
])("tells what happens to a job until it is done, %s", async (_, hook, canStream) => {
  setting.receiver.program(`/hook/${hook}`, [{ kind: "gone" }]);
  const asked: string[] = [];
  const watching = new PollhookClient({
    url: setting.worker.origin,
    token: setting.token,
    canStream,
    fetch: (url, init) => {
      asked.push(new URL(url).pathname.split("/").at(-1) ?? "");
      return fetch(url, init);
    },
  });
  const { id } = await pollhook.register({ request_id: queued(2_500), eta: 1, callback_url: hookOf(hook) });
  const events: JobEvent[] = [];
  for await (const event of watching.events(id)) events.push(event);
  expect(new Set(asked)).toEqual(new Set([canStream ? "events" : id]));
  const types = events.map(({ type }) => type);
  expect(types.filter((type, index) => type !== "poll" || types[index + 1] !== "poll")).toEqual([
    "poll",
    "outcome",
    "attempt",
    "done",
  ]);
  expect(events.at(-1)?.data).toEqual({ status: "undelivered", outcome: "succeeded" });
  const rest: JobEvent[] = [];
  for await (const event of watching.events(id, { lastEventId: events[1]?.id ?? "" })) rest.push(event);
  expect(rest).toEqual(events.slice(2));
  // The other way of watching names the events alike.
  const other = new PollhookClient({
    url: setting.worker.origin,
    token: setting.token,
    canStream: !canStream,
  });
  const restOfOther: JobEvent[] = [];
  for await (const event of other.events(id, { lastEventId: events[1]?.id ?? "" })) restOfOther.push(event);
  expect(restOfOther).toEqual(rest);
});

it("mints a token that a phone may hold, and that is kept within its bounds", async () => {
  const request_id = queued();
  const { token, expires_at } = await pollhook.mintToken({
    scope: "jobs:read jobs:write",
    expires_in: 600,
    owner: "user-7",
    request_id,
    callback_origins: [setting.receiver.origin],
  });
  expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
  const phone = new PollhookClient({ url: setting.worker.origin, token });
  const { id } = await phone.register({ request_id, eta: 1, callback_url: hookOf("phone") });
  expect(await phone.wait(id)).toMatchObject({ outcome: "succeeded" });
  const { id: other } = await pollhook.register({ request_id: queued(60_000), eta: 600 });
  await expect(phone.job(other)).rejects.toMatchObject({ code: "token_bound", status: 403 });
  await expect(phone.register({ request_id: queued(), callback_url: hookOf("phone") })).rejects.toMatchObject(
    {
      code: "token_bound",
      field: "request_id",
    },
  );
});

it("follows the feed: the same event as the callback's, verified as it is, in order", async () => {
  const { next_cursor } = await pollhook.feed({ after: "latest" });
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await pollhook.register({ request_id: queued(), eta: 1, metadata: { place: i } });
    ids.push((await pollhook.wait(id, { until: "over" })).event_id);
  }
  const seen: string[] = [];
  for await (const event of pollhook.followFeed({ after: next_cursor, limit: 2 })) {
    expect(Object.keys(event)).toEqual(["cursor", "job_id", "id", "headers", "body"]);
    const verified = await verifyWebhook(event, secret);
    expect(verified).toMatchObject({ id: event.id, type: "job.succeeded", data: { job_id: event.job_id } });
    if (seen.push(event.id) === 3) break;
  }
  expect(seen).toEqual(ids);
  await expect(pollhook.feed({ after: "nonsense" })).rejects.toMatchObject({ status: 422, field: "after" });
});

it("goes through the pages of a list", async () => {
  const requests = Array.from({ length: 7 }, () => queued(60_000));
  const ids = await Promise.all(
    requests.map(
      async (request_id) => (await pollhook.register({ endpoint: "v6/video", request_id, eta: 60 })).id,
    ),
  );
  const listed: string[] = [];
  for await (const job of pollhook.list({ endpoint: "v6/video", limit: 3 })) listed.push(job.id);
  expect(listed.sort()).toEqual(ids.sort());
});

it("keeps destinations", async () => {
  // It knows the tenant's secret and not a destination's; here the client verifies.
  setting.receiver.setSecrets([]);
  const destinations = new Destinations(pollhook);
  const { secret } = await destinations.put("app", { url: hookOf("app") });
  expect(secret).toMatch(/^whsec_/);
  expect(await destinations.test("app")).toMatchObject({ delivered: true, http_status: 204 });
  expect(await verifyWebhook(await delivered("app"), secret ?? "")).toMatchObject({ type: "ping" });
  const rotated = await destinations.rotateSecret("app", { overlapSeconds: 60 });
  await destinations.test("app");
  const signedTwice = await delivered("app", 2);
  for (const either of [secret ?? "", rotated.secret])
    await expect(verifyWebhook(signedTwice, either)).resolves.toMatchObject({ data: { destination: "app" } });
  expect(await destinations.pause("app")).toMatchObject({ status: "paused" });
  expect(await destinations.resume("app")).toMatchObject({ status: "active" });
  const names: string[] = [];
  for await (const { name } of destinations.list()) names.push(name);
  expect(names).toEqual(["app"]);
  await destinations.delete("app");
  await expect(destinations.get("app")).rejects.toMatchObject({ code: "not_found", status: 404 });
});

it("rejects with the problem that the server found, and ends when it is told to", async () => {
  await expect(pollhook.register({ request_id: "a b" })).rejects.toMatchObject({
    name: "PollhookError",
    code: "invalid_value",
    status: 422,
    field: "request_id",
  });
  const stranger = new PollhookClient({ url: setting.worker.origin, token: "no-token" });
  await expect(stranger.job("job_1")).rejects.toMatchObject({ code: "token_invalid", status: 401 });
  const { id } = await pollhook.register({ request_id: queued(60_000), eta: 60 });
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 300);
  await expect(pollhook.wait(id, controller)).rejects.toBe(reason);
  await expect(pollhook.wait(id, { timeoutSeconds: 1 })).rejects.toMatchObject({ code: "wait_over" });
});

describe("a caller", () => {
  it("that sends 10 MB is told that it is too much, on a connection that holds", async () => {
    const metadata = { x: "a".repeat(10_000_000) };
    for (let i = 0; i < 4; i++)
      expect((await setting.call("POST", "/v1/jobs", { request_id: 1, metadata })).status).toBe(413);
  });
});
