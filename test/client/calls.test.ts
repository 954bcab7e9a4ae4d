import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Destinations, PollhookError } from "../../src/client/index.ts";
import { hang, json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { aJob, at, clientOf, collect, problem, rejection } from "./client-of.ts";

const JOBS = at("/v1/jobs");
const JOB = at("/v1/jobs/job_1");

let server: ScriptedFetch;
beforeEach(() => {
  server = new ScriptedFetch();
});
afterEach(() => {
  server.restore();
  expect(server.unexpected).toEqual([]);
});

const unavailable = problem(503, "unavailable", { headers: { "retry-after": "1" } });

describe("a call", () => {
  it("carries the token and JSON, and goes to the URL without its last slash", async () => {
    server.on(JOBS, json(aJob(), { status: 202 }));
    const { client } = clientOf({ url: "https://pollhook.example//" });
    expect(await client.register({ request_id: "12202888", metadata: { user: 7 } })).toEqual(aJob());
    expect(server.sent[0]).toMatchObject({
      method: "POST",
      body: '{"request_id":"12202888","metadata":{"user":7}}',
    });
    expect(server.sent[0]?.headers).toMatchObject({
      authorization: "Bearer t-1",
      "content-type": "application/json",
    });
  });

  it("escapes what stands in a path and in a query", async () => {
    server.on(at("/v1/jobs/a%2Fb%3Fc"), json(aJob()));
    server.on(
      at("/v1/jobs?host=a%3A1%26b&limit=2&metadata.user%20id=7"),
      json({ jobs: [], next_cursor: null }),
    );
    const { client } = clientOf();
    await client.job("a/b?c");
    await collect(client.list({ host: "a:1&b", metadata: { "user id": 7 }, limit: 2 }));
  });

  it.each(["", ".", ".."])("does not take %j for an id: it would be another route", async (id) => {
    const { client } = clientOf();
    const destinations = new Destinations(client);
    for (const call of [
      client.job(id),
      client.cancel(id),
      client.redeliver(id),
      client.wait(id),
      destinations.delete(id),
    ])
      expect(await rejection(call)).toMatchObject({ code: "invalid_value", status: null });
  });

  it("rejects with the problem's code, status, field and detail", async () => {
    server.on(JOBS, problem(422, "target_refused", { field: "callback_url" }));
    const error = await rejection(clientOf().client.register({ request_id: 1 }));
    expect(error).toBeInstanceOf(PollhookError);
    expect(error).toMatchObject({
      name: "PollhookError",
      code: "target_refused",
      status: 422,
      field: "callback_url",
      detail: "target_refused.",
      retryAfterSeconds: null,
      tries: 1,
      message: "target_refused: target_refused.",
    });
  });

  it.each([
    ["a page of HTML", () => new Response("<html>", { status: 404 })],
    ["JSON that is no problem", () => Response.json({ error: "no" }, { status: 400 })],
    ["JSON that is no object", () => Response.json(null, { status: 400 })],
    ["a 200 that is no JSON", () => new Response("<html>")],
  ])("rejects %s with unexpected_answer", async (_, answer) => {
    server.on(JOB, answer);
    expect(await rejection(clientOf().client.job("job_1"))).toMatchObject({ code: "unexpected_answer" });
  });
});

describe("a 200 that is no Pollhook's", () => {
  const called = () => {
    const { client } = clientOf();
    const destinations = new Destinations(client);
    return {
      register: client.register({ request_id: 1 }),
      registerResponse: client.registerResponse({ id: 1 }, {}),
      job: client.job("job_1"),
      wait: client.wait("job_1"),
      cancel: client.cancel("job_1"),
      redeliver: client.redeliver("job_1"),
      events: client.events("job_1").next(),
      list: client.list().next(),
      pages: client.pages().next(),
      feed: client.feed(),
      followFeed: client.followFeed().next(),
      mintToken: client.mintToken({ scope: "jobs:read", expires_in: 60 }),
      "destinations.list": destinations.list().next(),
      "destinations.get": destinations.get("app"),
      "destinations.put": destinations.put("app", { url: "https://app.example" }),
      "destinations.test": destinations.test("app"),
      "destinations.rotateSecret": destinations.rotateSecret("app"),
      "destinations.pause": destinations.pause("app"),
      "destinations.resume": destinations.resume("app"),
      "destinations.delete": destinations.delete("app"),
    };
  };

  it.each(["", "null", "[]", "{}", "7", '{"jobs":{},"events":"","id":1}'])(
    "is not taken for an answer, whatever is asked: %j",
    async (text) => {
      const answer = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(text));
      const calls = Object.entries(called()).map(([name, promise]) => [name, rejection(promise)] as const);
      for (const [name, rejected] of calls)
        expect(await rejected, name).toMatchObject({ code: "unexpected_answer", status: 200, tries: 1 });
      answer.mockRestore();
    },
  );

  it("does not make a page its own next one", async () => {
    server.always(JOBS, json({ jobs: [aJob()] }));
    expect(await rejection(collect(clientOf().client.list()))).toMatchObject({ code: "unexpected_answer" });
  });
});

describe("retries", () => {
  it("are made of a call that is safe to repeat after network errors, 429 and 5xx, with growing gaps", async () => {
    server.on(JOB, networkError, problem(429, "rate_limited"), status(502), json(aJob()));
    const { client, pauses } = clientOf();
    expect(await client.job("job_1")).toEqual(aJob());
    for (const [index, most] of [500, 1000, 2000].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(most / 2);
      expect(pauses[index]).toBeLessThanOrEqual(most);
    }
  });

  it("end after four tries with the last error", async () => {
    server.always(JOB, networkError);
    const { client, pauses } = clientOf();
    expect(await rejection(client.job("job_1"))).toMatchObject({ code: "network", status: null, tries: 4 });
    expect([server.sent.length, pauses.length]).toEqual([4, 3]);
  });

  it("are made of a registration, which is the same job however often it arrives", async () => {
    server.on(JOBS, networkError, unavailable, json(aJob()));
    expect(await clientOf().client.register({ request_id: 1 })).toEqual(aJob());
    expect(new Set(server.sent.map(({ body }) => body)).size).toBe(1);
  });

  it.each([400, 401, 403, 404, 409, 413, 422, 501])("are not made of a %i", async (code) => {
    server.on(JOB, problem(code, "some_code"));
    expect(await rejection(clientOf().client.job("job_1"))).toMatchObject({ status: code, tries: 1 });
  });

  it("keep away for as long as Retry-After says, up to a minute", async () => {
    server.on(JOB, problem(429, "rate_limited", { headers: { "retry-after": "60" } }), json(aJob()));
    const { client, pauses } = clientOf();
    await client.job("job_1");
    expect(pauses[0]).toBeGreaterThanOrEqual(60_000);
    expect(pauses[0]).toBeLessThanOrEqual(61_000);
    server.on(JOB, problem(429, "rate_limited", { headers: { "retry-after": "61" } }));
    expect(await rejection(client.job("job_1"))).toMatchObject({ tries: 1, retryAfterSeconds: 61 });
  });

  it.each([
    ["a network error", networkError],
    ["a 503", unavailable],
  ])("are not made of a redelivery after %s: the event may have gone out", async (_, answer) => {
    server.on(`${JOB}/redeliver`, answer);
    expect(await rejection(clientOf().client.redeliver("job_1"))).toMatchObject({ tries: 1 });
  });

  it("are made of a redelivery after a 429, which began nothing", async () => {
    server.on(`${JOB}/redeliver`, problem(429, "rate_limited"), json(aJob(), { status: 202 }));
    await clientOf().client.redeliver("job_1", { destination: "app" });
    expect(server.sent.map(({ body }) => body)).toEqual(['{"destination":"app"}', '{"destination":"app"}']);
  });

  it("count a try that takes too long as one that failed", async () => {
    server.on(JOB, hang, json(aJob()));
    expect(await clientOf({ timeoutMs: 10 }).client.job("job_1")).toEqual(aJob());
    server.on(`${JOB}/redeliver`, hang);
    const { client } = clientOf({ timeoutMs: 10 });
    expect(await rejection(client.redeliver("job_1"))).toMatchObject({ code: "timeout", tries: 1 });
  });

  it("count one whose body stalls, or that a fetch does not end by its signal, as one that failed", async () => {
    const stalled = () =>
      new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([123])) }));
    const deaf = () => new Promise<Response>(() => {});
    server.on(JOB, stalled, deaf, json(aJob()));
    expect(await clientOf({ timeoutMs: 10 }).client.job("job_1")).toEqual(aJob());
    server.on(`${JOB}/redeliver`, stalled);
    const { client } = clientOf({ timeoutMs: 10 });
    expect(await rejection(client.redeliver("job_1"))).toMatchObject({ code: "timeout", tries: 1 });
  });

  it("count an answer that breaks off as one that did not come", async () => {
    const broken = () =>
      new Response(new ReadableStream({ start: (controller) => controller.error(new Error("reset")) }));
    server.on(JOB, broken, json(aJob()));
    expect(await clientOf().client.job("job_1")).toEqual(aJob());
  });
});

describe("an abort", () => {
  const reason = new Error("enough");

  it("sends nothing when it came first", async () => {
    const { client } = clientOf();
    expect(await rejection(client.job("job_1", { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(server.sent).toEqual([]);
  });

  it("is one by its name where a signal gives no reason", async () => {
    const { signal } = new AbortController();
    Object.defineProperties(signal, { aborted: { value: true }, reason: { value: undefined } });
    expect(await rejection(clientOf().client.job("job_1", { signal }))).toMatchObject({ name: "AbortError" });
  });

  it("ends a call that is under way with the signal's reason", async () => {
    const controller = new AbortController();
    server.on(JOB, (sent, signal) => {
      setTimeout(() => controller.abort(reason));
      return hang(sent, signal);
    });
    expect(await rejection(clientOf().client.job("job_1", controller))).toBe(reason);
  });

  it("ends the wait before another try", async () => {
    const controller = new AbortController();
    server.on(JOB, (sent, signal) => {
      setTimeout(() => controller.abort(reason), 5);
      return networkError(sent, signal);
    });
    const { client } = clientOf({ sleep: (await import("../../src/client/abort.ts")).sleep });
    expect(await rejection(client.job("job_1", controller))).toBe(reason);
    expect(server.sent).toHaveLength(1);
  });
});

describe("a token function", () => {
  const fresh = () => {
    let count = 0;
    return { token: async () => `t-${++count}`, count: () => count };
  };

  it("is called once for many calls", async () => {
    server.always(JOB, json(aJob()));
    const { token, count } = fresh();
    const { client } = clientOf({ token });
    await Promise.all([client.job("job_1"), client.job("job_1")]);
    await client.job("job_1");
    expect(count()).toBe(1);
  });

  it("is called again after a 401, once, also for calls that are refused together", async () => {
    const { token, count } = fresh();
    server.always(JOB, (sent) =>
      sent.headers.authorization === "Bearer t-1" ? problem(401, "token_expired")() : Response.json(aJob()),
    );
    const { client } = clientOf({ token });
    await Promise.all([client.job("job_1"), client.job("job_1"), client.job("job_1")]);
    expect(count()).toBe(2);
  });

  it("is believed when a second token is refused, too", async () => {
    server.always(JOB, problem(401, "token_invalid"));
    const { token, count } = fresh();
    expect(await rejection(clientOf({ token }).client.job("job_1"))).toMatchObject({ code: "token_invalid" });
    expect([count(), server.sent.length]).toEqual([2, 2]);
  });

  it("that fails is an error of the same kind, and is called anew the next time", async () => {
    server.on(JOB, json(aJob()));
    let isDown = true;
    const token = () => (isDown ? Promise.reject(new Error("down")) : "t-9");
    const { client } = clientOf({ token });
    expect(await rejection(client.job("job_1"))).toMatchObject({ code: "token_unavailable" });
    isDown = false;
    expect(await client.job("job_1")).toEqual(aJob());
  });

  it("that never answers is one that fails, and is called anew the next time", async () => {
    server.on(JOB, json(aJob()));
    let isStuck = true;
    const token = () => (isStuck ? new Promise<string>(() => {}) : "t-9");
    const { client } = clientOf({ token, timeoutMs: 10 });
    expect(await rejection(client.job("job_1"))).toMatchObject({ code: "token_unavailable", tries: 1 });
    isStuck = false;
    expect(await client.job("job_1")).toEqual(aJob());
  });

  it("does not exist where a token was given: a 401 is the last word", async () => {
    server.on(JOB, problem(401, "token_expired"));
    expect(await rejection(clientOf().client.job("job_1"))).toMatchObject({ code: "token_expired" });
  });
});

it("registers what is text as it is", async () => {
  server.on(at("/v1/jobs"), json(aJob()));
  const text = '{"request_id": 1, "metadata": {"n": 12345678901234567890}}';
  await clientOf().client.register(text);
  expect(server.sent[0]?.body).toBe(text);
});

describe("registerResponse", () => {
  it("sends the provider's answer as it came when it is text, with every digit", async () => {
    server.on(JOBS, json(aJob()));
    await clientOf().client.registerResponse('{"id": 123456789012345678901}', "https://app.example/hook");
    expect(server.sent[0]?.body).toBe(
      '{"response":{"id": 123456789012345678901},"callback_url":"https://app.example/hook"}',
    );
  });

  it("takes an object, and whatever else a registration may say", async () => {
    server.on(JOBS, json(aJob()), json(aJob()));
    const { client } = clientOf();
    await client.registerResponse({ status: "processing", id: 1 }, { endpoint: "v3", destination: "app" });
    await client.registerResponse({ id: 1 }, {});
    expect(server.sent.map(({ body }) => body)).toEqual([
      '{"response":{"status":"processing","id":1},"endpoint":"v3","destination":"app"}',
      '{"response":{"id":1}}',
    ]);
  });

  it.each(["", "[]", "null", '{"id":1},"key":"k"', "{"])("refuses the text %j", async (text) => {
    const registered = clientOf().client.registerResponse(text, {});
    expect(await rejection(registered)).toMatchObject({ code: "invalid_value", field: "response" });
  });
});

describe("cancel", () => {
  it("takes a job that the lost first try has canceled for done", async () => {
    const canceled = aJob({ status: "canceled", outcome: "canceled" });
    server.on(`${JOB}/cancel`, networkError, problem(409, "already_over")).on(JOB, json(canceled));
    expect(await clientOf().client.cancel("job_1")).toEqual(canceled);
  });

  it("does not when the job has ended in another way, or nothing was lost", async () => {
    server.on(`${JOB}/cancel`, networkError, problem(409, "already_over"), problem(409, "already_over"));
    server.on(JOB, json(aJob({ status: "finished", outcome: "succeeded" })));
    const { client } = clientOf();
    expect(await rejection(client.cancel("job_1"))).toMatchObject({ code: "already_over", tries: 2 });
    expect(await rejection(client.cancel("job_1"))).toMatchObject({ code: "already_over", tries: 1 });
  });
});

describe("list", () => {
  const page = (ids: string[], next: string | null) =>
    json({ jobs: ids.map((id) => aJob({ id })), next_cursor: next });

  it("goes through the pages to the last, an empty one included", async () => {
    const of = (query: string) => `${JOBS}?status=undelivered${query}`;
    server.on(of(""), page(["a", "b"], "c 1"));
    server.on(of("&cursor=c%201"), page([], "c2"));
    server.on(of("&cursor=c2"), page(["c"], null));
    const jobs = await collect(clientOf().client.list({ status: "undelivered" }));
    expect(jobs.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("fetches no page that nobody asks for", async () => {
    server.on(JOBS, page(["a", "b"], "c1"));
    for await (const { id } of clientOf().client.list()) if (id === "b") break;
    expect(server.sent).toHaveLength(1);
  });
});

it("mints a token", async () => {
  const minted = { token: "t", expires_at: "2026-11-20T12:10:00.000Z" };
  server.on(at("/v1/tokens"), json(minted, { status: 201 }));
  const request = {
    scope: "jobs:write",
    expires_in: 600,
    request_id: "1",
    callback_origins: ["https://a.example"],
  };
  expect(await clientOf().client.mintToken(request)).toEqual(minted);
  expect(JSON.parse(server.sent[0]?.body ?? "")).toEqual(request);
});

describe("destinations", () => {
  const APP = at("/v1/destinations/app");

  it("are put again after a lost answer only with a secret of the caller's own", async () => {
    server.on(APP, networkError, networkError, json({ name: "app" }));
    const destinations = new Destinations(clientOf().client);
    const url = "https://app.example/hook";
    expect(await rejection(destinations.put("app", { url }))).toMatchObject({ code: "network", tries: 1 });
    expect(await destinations.put("app", { url, secret: "whsec_…" })).toEqual({ name: "app" });
  });

  it("are deleted, also when the answer to the first try was lost", async () => {
    server.on(APP, status(204), networkError, problem(404, "not_found"), problem(404, "not_found"));
    const destinations = new Destinations(clientOf().client);
    expect(await destinations.delete("app")).toBeUndefined();
    await destinations.delete("app");
    expect(await rejection(destinations.delete("app"))).toMatchObject({ code: "not_found" });
  });
});
