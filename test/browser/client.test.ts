/**
 * The client in Chromium, as a page of another origin imports it, against the Worker in its own process: CORS with its
 * preflights, a streamed body, WebCrypto and aborts are the browser's own.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Setting } from "../e2e/setting.ts";
import type { Delivery } from "../simulator/delivery-log.ts";
import type { Listening } from "../simulator/wire.ts";
import { type BuiltClient, buildClient, openClient } from "./client-page.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
let built: BuiltClient;
let allowed: Listening;
let setting: Setting;
let secret: string;
let view: View;

beforeAll(async () => {
  built = await buildClient();
  allowed = await built.serve();
  setting = await Setting.create({ vars: () => ({ ALLOWED_ORIGINS: allowed.origin }) });
  await setting.start();
  secret = ((await (await setting.call("GET", "/v1/signing-secret")).json()) as { secret: string }).secret;
  view = await openClient(browser, allowed.origin, { url: setting.worker.origin, token: setting.token });
}, 120_000);
afterEach(() => expect(view.complaints()).toEqual([]));
afterAll(async () => {
  await setting?.tearDown();
  await allowed?.close();
  await built?.remove();
});

let lastId = 700;

/** Queues a request with the provider. */
function queued(readyAfterMs = 0): string {
  const id = ++lastId;
  setting.provider.add({ endpoint: "v3", id, readyAfterMs });
  return String(id);
}

const hookOf = (name: string): string => `${setting.receiver.origin}/hook/${name}`;

async function delivered(name: string): Promise<Delivery> {
  const [delivery] = await setting.receiver.waitForCount(`/hook/${name}`, 1, 30_000);
  return delivery as Delivery;
}

/** The console shows every refusal, whoever handles it. */
const refused = (status: number): Promise<void> => view.complained(new RegExp(`a status of ${status} `));

describe("a job, from its registration on", () => {
  let id: string;
  const metadata = { user: 7, name: "ü 🎈" };

  it("is registered, once however often", async () => {
    const registration = {
      request_id: queued(500),
      callback_url: hookOf("page"),
      eta: 1,
      metadata,
      index: ["user"],
    };
    const [first, second] = await view.page.evaluate(
      async (registration) => [
        await window.pollhook.register(registration),
        await window.pollhook.register(registration),
      ],
      registration,
    );
    expect(first).toMatchObject({ status: "waiting", outcome: null, metadata });
    id = first?.id ?? "";
    expect(second?.id).toBe(id);
  });

  it("is waited for", async () => {
    const job = await view.page.evaluate((id) => window.pollhook.wait(id, { until: "over" }), id);
    expect(job).toMatchObject({ id, outcome: "succeeded", status: "delivered", attempts: 1 });
  });

  it("is delivered with a signature that the client verifies, and no other", async () => {
    const { headers, body } = await delivered("page");
    const { event, code } = await view.page.evaluate(
      async ({ headers, body, secret }) => {
        const verify = (body: string) =>
          window.client.verifyWebhook(new Request("/hook", { method: "POST", headers, body }), secret);
        const forged = verify(body.replace("succeeded", "expired"));
        return { event: await verify(body), code: await forged.catch(({ code }) => String(code)) };
      },
      { headers, body, secret },
    );
    expect(event).toMatchObject({ type: "job.succeeded", data: { job_id: id, metadata } });
    expect(event.id).toBe(headers["webhook-id"]);
    expect(code).toBe("webhook_signature_refused");
  });

  it("is delivered again to somewhere else: the same event", async () => {
    const to = { callback_url: hookOf("page-again") };
    const job = await view.page.evaluate(([id, to]) => window.pollhook.redeliver(id, to), [id, to] as const);
    expect((await delivered("page-again")).headers["webhook-id"]).toBe(job.event_id);
  });

  it("is canceled while it waits, and then never again", async () => {
    const [canceled, again] = await view.page.evaluate(async (request_id) => {
      const { id } = await window.pollhook.register({ request_id, eta: 60 });
      const canceled = await window.pollhook.cancel(id);
      const code = await window.pollhook.cancel(id).catch((error) => String(error.code));
      return [canceled, code];
    }, queued(60_000));
    expect(canceled).toMatchObject({ status: "canceled", outcome: "canceled" });
    expect(again).toBe("already_over");
    await refused(409);
  });
});

it("registers from a generation answer", async () => {
  const request_id = queued();
  const answer = JSON.stringify({ status: "processing", id: Number(request_id), eta: 1 });
  const job = await view.page.evaluate(
    (answer) => window.pollhook.registerResponse(answer, { endpoint: "v3" }),
    answer,
  );
  expect(job).toMatchObject({ request_id, endpoint: "v3" });
});

it("goes through the pages of a list", async () => {
  const requests = [queued(60_000), queued(60_000), queued(60_000)];
  const { ids, listed } = await view.page.evaluate(async (requests) => {
    const ids: string[] = [];
    for (const request_id of requests) {
      const registration = { request_id, eta: 60, metadata: { page: "list" }, index: ["page"] };
      ids.push((await window.pollhook.register(registration)).id);
    }
    const listed: string[] = [];
    for await (const { id } of window.pollhook.list({ metadata: { page: "list" }, limit: 2 }))
      listed.push(id);
    return { ids, listed };
  }, requests);
  expect(listed.toSorted()).toEqual(ids.toSorted());
});

describe("events", () => {
  /** The last part of the path of each request that the page has made. */
  const asked = new Set<string>();
  beforeAll(() => {
    view.page.on("request", (request) => asked.add(request.url().split("/").at(-1) ?? ""));
  });
  beforeEach(() => asked.clear());
  afterEach(() => expect(asked).toEqual(new Set(["jobs", "events"])));

  it("come as they happen, while the stream is open", async () => {
    const first = await view.page.evaluate(async (request_id) => {
      const { id } = await window.pollhook.register({ request_id, eta: 1 });
      for await (const { type } of window.pollhook.events(id)) return type;
      return null;
    }, queued(600_000));
    expect(first).toBe("poll");
  });

  it("are told to the end, and from where a listener was", async () => {
    setting.receiver.program("/hook/page-events", [{ kind: "gone" }]);
    const registration = { request_id: queued(1_500), eta: 1, callback_url: hookOf("page-events") };
    const { all, rest } = await view.page.evaluate(async (registration) => {
      const { id } = await window.pollhook.register(registration);
      const all = [];
      for await (const event of window.pollhook.events(id)) all.push(event);
      const rest = [];
      const lastEventId = all[0]?.id ?? "";
      for await (const event of window.pollhook.events(id, { lastEventId })) rest.push(event);
      return { all, rest };
    }, registration);
    const types = all.map(({ type }) => type).filter((type, at, types) => type !== types[at + 1]);
    expect(types).toEqual(["poll", "outcome", "attempt", "done"]);
    expect(all.at(-1)?.data).toEqual({ status: "undelivered", outcome: "succeeded" });
    expect(rest).toEqual(all.slice(1));
  });
});

it("mints a token that is kept within its bounds", async () => {
  const minted = { request_id: queued(), other: queued(60_000), url: setting.worker.origin };
  const { job, problem } = await view.page.evaluate(async ({ request_id, other, url }) => {
    const bounds = { scope: "jobs:read jobs:write", expires_in: 600, owner: "user-7", request_id };
    const { token } = await window.pollhook.mintToken(bounds);
    const phone = new window.client.PollhookClient({ url, token });
    const { id } = await phone.register({ request_id, eta: 1 });
    const problem = await phone
      .register({ request_id: other, eta: 60 })
      .catch(({ code, status, field }) => ({ code, status, field }));
    return { job: await phone.wait(id), problem };
  }, minted);
  expect(job).toMatchObject({ request_id: minted.request_id, outcome: "succeeded" });
  expect(problem).toEqual({ code: "token_bound", status: 403, field: "request_id" });
  await refused(403);
});

it("rejects with the problem that the server found", async () => {
  const problem = await view.page.evaluate(() =>
    window.pollhook.register({ request_id: "a b" }).catch((error) => ({
      isTyped: error instanceof window.client.PollhookError,
      code: error.code,
      status: error.status,
      field: error.field,
    })),
  );
  expect(problem).toEqual({ isTyped: true, code: "invalid_value", status: 422, field: "request_id" });
  await refused(422);
});

it("ends a call when its signal says so, with that signal's reason", async () => {
  const isReason = await view.page.evaluate(async (request_id) => {
    const { id } = await window.pollhook.register({ request_id, eta: 60 });
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 300);
    return window.pollhook.wait(id, controller).then(
      () => false,
      (error) => error === reason,
    );
  }, queued(60_000));
  expect(isReason).toBe(true);
});

it("gets nothing for a page of an origin that is not allowed", async () => {
  const stranger = await built.serve();
  onTestFinished(() => stranger.close());
  const options = { url: setting.worker.origin, token: setting.token };
  const elsewhere = await openClient(browser, stranger.origin, options);
  const request_id = queued();
  const outcomes = await elsewhere.page.evaluate(
    async ({ request_id, url, token }) => {
      // Not to wait between its tries.
      const client = new window.client.PollhookClient({ url, token, sleep: async () => {} });
      const codeOf = (error: { code?: unknown; name: string }) => error.code ?? error.name;
      return [
        await client.register({ request_id }).catch(codeOf),
        await client.job("job_1").catch(codeOf),
        await fetch(`${url}/healthz`).catch(codeOf),
      ];
    },
    { request_id, ...options },
  );
  expect(outcomes).toEqual(["network", "network", "TypeError"]);
  const listed = await setting.call("GET", `/v1/jobs?request_id=${request_id}`);
  expect(await listed.json()).toMatchObject({ jobs: [] });
  await elsewhere.complained(/blocked by CORS policy/);
  expect(elsewhere.complaints().filter((text) => !/CORS policy|net::ERR_FAILED/.test(text))).toEqual([]);
});
