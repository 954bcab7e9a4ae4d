import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, fire, register, stub, token, uniqueId } from "../support/api.ts";
import { bounded } from "../support/bounded.ts";
import { post, put } from "../support/destinations.ts";
import { expectProblem } from "../support/http.ts";
import { HOOK, leave, newJob, success } from "../support/life.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

interface FeedEvent {
  readonly cursor: string;
  readonly job_id: string;
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const page = async (query = "", auth?: string): Promise<{ events: FeedEvent[]; next_cursor: string }> => {
  const { status, body, text } = await call("GET", `/v1/events?${query}`, { ...(auth && { auth }) });
  if (status !== 200) throw new Error(`${status}: ${text}`);
  return body;
};
const idsOf = ({ events }: { events: FeedEvent[] }): string[] => events.map(({ job_id }) => job_id);

/** A job whose request is done, and whose event nobody is called with. */
async function finished(overrides: Record<string, unknown> = {}) {
  const job = await newJob({ callback_url: null, ...overrides });
  fetched.on(job.poll, success);
  await fire(job.id);
  return job;
}

const secret = async (): Promise<string> => (await call("GET", "/v1/signing-secret")).body.secret;
const tenant = () => env.TENANT.getByName("acme");
/** Forgets what the tenant's object has in memory. */
const restarted = () => evictDurableObject(tenant());

describe("the feed of events", () => {
  it("has each event as its callback would have had it, signed anew at each look", async () => {
    const job = await newJob({ metadata: { user: 7 } });
    fetched.on(job.poll, json('{"status":"success","output":["u"],"seed":12345678901234567890}'));
    fetched.on(HOOK, status(204));
    await fire(job.id);
    const { events, next_cursor } = await page();
    expect(events).toHaveLength(1);
    const [event] = events as [FeedEvent];
    const [sent] = fetched.to(HOOK);
    expect(Object.keys(event)).toEqual(["cursor", "job_id", "id", "headers", "body"]);
    expect(event).toMatchObject({ cursor: next_cursor, job_id: job.id, id: job.eventId });
    expect(event.body).toBe(sent?.body);
    expect(event.body).toContain('"seed":12345678901234567890');
    for (const name of ["content-type", "user-agent", "webhook-id", "pollhook-attempt"])
      expect(event.headers[name]).toBe(sent?.headers[name]);
    expect(Object.keys(event.headers).sort()).toEqual(
      Object.keys(sent?.headers ?? {})
        .filter((name) => name !== "content-length")
        .sort(),
    );
    const verifier = new Webhook(await secret());
    expect(verifier.verify(event.body, event.headers)).toMatchObject({ type: "job.succeeded" });
  });

  it("has the provider's format, failures, and jobs without a callback, but none that were canceled", async () => {
    const plain = await finished();
    const provider = await finished({ format: "provider" });
    const failed = await newJob({ callback_url: null });
    fetched.on(failed.poll, json({ status: "error", message: "no" }));
    await fire(failed.id);
    const canceled = await newJob();
    await call("POST", `/v1/jobs/${canceled.id}/cancel`);
    const waiting = await newJob();
    const { events } = await page();
    expect(idsOf({ events })).toEqual([plain.id, provider.id, failed.id]);
    expect(idsOf({ events })).not.toContain(waiting.id);
    expect(JSON.parse(events[1]?.body ?? "").status).toBe("success");
    expect(JSON.parse(events[2]?.body ?? "").type).toBe("job.failed");
    expect(events[0]?.headers["pollhook-attempt"]).toBe("1");
  });

  it("has an event whose answer came with the registration", async () => {
    const response = { status: "success", id: Number(uniqueId()), output: ["u"] };
    const body = { response, endpoint: "v3", key: "sk-caller-1" };
    const { body: job } = await call("POST", "/v1/jobs", { body });
    await expect.poll(async () => idsOf(await page())).toEqual([job.id]);
  });

  it("goes on behind a cursor, in the order in which events entered, whatever that of their registration", async () => {
    const [a, b, c] = [
      await newJob({ callback_url: null }),
      await newJob({ callback_url: null }),
      await newJob({ callback_url: null }),
    ];
    for (const job of [c, a, b]) {
      fetched.on(job.poll, success);
      await fire(job.id);
    }
    for (const meanwhile of [async () => {}, restarted]) {
      await meanwhile();
      const first = await page("limit=2");
      expect(idsOf(first)).toEqual([c.id, a.id]);
      const second = await page(`limit=2&after=${first.next_cursor}`);
      expect(idsOf(second)).toEqual([b.id]);
      const third = await page(`after=${second.next_cursor}`);
      expect(third.events).toEqual([]);
      expect(idsOf(await page(`after=${first.events[0]?.cursor}`))).toEqual([a.id, b.id]);
    }
  });

  it("has an event once, however often its job changes afterwards", async () => {
    const job = await newJob();
    fetched.on(job.poll, success).on(HOOK, status(500), status(204), status(204));
    await fire(job.id);
    const first = await page();
    expect(idsOf(first)).toEqual([job.id]);
    await fire(job.id);
    await call("POST", `/v1/jobs/${job.id}/redeliver`);
    await fire(job.id);
    expect(fetched.to(HOOK)).toHaveLength(3);
    expect((await page(`after=${first.next_cursor}`)).events).toEqual([]);
    expect((await page()).events.map(({ id }) => id)).toEqual([job.eventId]);
  });

  it("has a new event of a job that started anew, and no more the one before", async () => {
    const job = await newJob({ callback_url: null });
    fetched.on(job.poll, status(401), success);
    await fire(job.id);
    const first = await page();
    const { body: again } = await register({ request_id: job.requestId, callback_url: null });
    await fire(again.id);
    expect(idsOf(await page(`after=${first.next_cursor}`))).toEqual([job.id]);
    expect((await page()).events.map(({ id }) => id)).toEqual([again.event_id]);
  });

  it("from `latest` on has what comes, and a caller may wait for it", async () => {
    await finished();
    const { events, next_cursor } = await page("after=latest");
    expect(events).toEqual([]);
    const waiting = page(`after=${next_cursor}&wait=30`);
    const empty = page("after=latest&wait=1", await token({ sub: "globex" }));
    const job = await finished();
    expect(idsOf(await waiting)).toEqual([job.id]);
    expect((await empty).events).toEqual([]);
  });

  it("is waited for by 32 at a time, those of an owner apart from others", async () => {
    const waiting = Array.from({ length: 32 }, () => page("after=latest&wait=2"));
    // Each has its place by now.
    await scheduler.wait(500);
    const refused = await call("GET", "/v1/events?after=latest&wait=1");
    expectProblem(refused, { status: 503, code: "unavailable" });
    expect(refused.headers.get("retry-after")).toBe("10");
    expect((await page("after=latest")).events).toEqual([]);
    const began = Date.now();
    await page("after=latest&wait=1", await bounded());
    expect(Date.now() - began).toBeGreaterThan(900);
    await Promise.all(waiting);
    expect((await page("after=latest&wait=1")).events).toEqual([]);
  });

  it("calls those who wait for an owner's events, and those who wait for all", async () => {
    const auth = await bounded();
    const all = page("after=latest&wait=20");
    const own = page("after=latest&wait=20", auth);
    const other = page("after=latest&wait=2", await bounded({}, { own: "tablet" }));
    const request_id = uniqueId();
    const body = { request_id, key: "sk-caller-1", eta: 600 };
    const { body: job } = await call("POST", "/v1/jobs", { auth, body });
    fetched.on(`https://modelslab.com/api/v3/fetch/${request_id}`, success);
    await fire(job.id);
    expect([idsOf(await all), idsOf(await own), idsOf(await other)]).toEqual([[job.id], [job.id], []]);
  });

  it("lets nobody miss what enters between two looks, also after a restart", async () => {
    let cursor = (await page("after=latest")).next_cursor;
    const seen: string[] = [];
    const expected: string[] = [];
    for (let i = 0; i < 6; i++) {
      expected.push((await finished()).id);
      if (i % 2 === 0) await restarted();
      if (i % 3 !== 0) continue;
      const next = await page(`after=${cursor}&limit=1`);
      seen.push(...idsOf(next));
      cursor = next.next_cursor;
    }
    for (let rest = await page(`after=${cursor}&limit=1`); rest.events.length > 0; ) {
      seen.push(...idsOf(rest));
      rest = await page(`after=${rest.next_cursor}&limit=1`);
    }
    expect(seen).toEqual(expected);
  });

  it("goes on behind what it gave when its clock goes back", async () => {
    const ahead = await finished();
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      sql.exec("UPDATE jobs SET rest = json_set(rest, '$[11]', (rest ->> 11) + 3600000000)");
    });
    await restarted();
    const { next_cursor } = await page();
    const behind = await finished();
    expect(idsOf(await page(`after=${next_cursor}`))).toEqual([behind.id]);
    expect(idsOf(await page())).toEqual([ahead.id, behind.id]);
  });

  it("does not take the event of a job for that of an erased one of the same request", async () => {
    const before = await finished();
    await call("DELETE", `/v1/jobs/${before.id}`);
    const { body: again } = await register({ request_id: before.requestId, callback_url: null });
    fetched.on(before.poll, success);
    await fire(again.id);
    expect((await page()).events.map(({ id }) => id)).toEqual([again.event_id]);
    await restarted();
    expect((await page()).events.map(({ id }) => id)).toEqual([again.event_id]);
  });

  it("passes over an event that was erased", async () => {
    const [first, second] = [await finished(), await finished()];
    const { body } = await call("GET", `/v1/events?limit=1`);
    expect(idsOf(body)).toEqual([first.id]);
    await call("DELETE", `/v1/jobs/${first.id}`);
    expect(idsOf(await page())).toEqual([second.id]);
  });

  it("ends a page that has become large, and goes on behind it", async () => {
    const jobs = [];
    for (let i = 0; i < 15; i++) {
      const job = await newJob({ callback_url: null });
      fetched.on(job.poll, json({ status: "success", output: ["x".repeat(250_000)] }));
      await fire(job.id);
      jobs.push(job.id);
    }
    const first = await page("limit=100");
    // Twice the answer each, and what one round of reading adds.
    expect(first.events.length).toBe(12);
    const second = await page(`limit=100&after=${first.next_cursor}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(jobs);
  });

  it("passes over an event that cannot be read any more, and holds up nobody behind it", async () => {
    const lost = await newJob({ callback_url: null });
    fetched.on(lost.poll, json({ status: "success", output: ["x".repeat(300_000)] }));
    await fire(lost.id);
    await runInDurableObject(stub(lost.id), (_, { storage }) => {
      for (const [key] of storage.kv.list({ prefix: "answer/" })) storage.kv.delete(key);
    });
    const next = await finished();
    expect(idsOf(await page())).toEqual([next.id]);
    const alone = await call("GET", `/v1/jobs/${lost.id}/event`);
    expectProblem(alone, { status: 409, code: "nothing_to_deliver" });
  });

  it("writes every text as it is, wherever its pieces are cut", async () => {
    const output = ['é🎈"\\\u2028'.repeat(40_000)];
    const job = await newJob();
    fetched.on(job.poll, json({ status: "success", output })).on(HOOK, status(204));
    await fire(job.id);
    const { events } = await page();
    expect(events[0]?.body).toBe(fetched.to(HOOK)[0]?.body);
    expect(JSON.parse(events[0]?.body ?? "").data.output).toEqual(output);
  });

  it("gives an answer that is large a page of its own, and is short of none", async () => {
    const large = { status: "success", output: ["x".repeat(300_000)] };
    const jobs = [await newJob({ callback_url: null }), await newJob({ callback_url: null })];
    const small = await finished();
    for (const { id, poll } of jobs) {
      fetched.on(poll, json(large));
      await fire(id);
    }
    const last = await finished();
    const expected = [small.id, jobs[0]?.id, jobs[1]?.id, last.id];
    let after = "";
    for (const id of expected) {
      const next = await page(after);
      expect(idsOf(next)).toEqual([id]);
      after = `after=${next.next_cursor}`;
    }
    expect((await page(after)).events).toEqual([]);
  });

  it("signs with a destination's own secret, both while it is rotated, and what the job last knew of it once it is gone", async () => {
    const { body } = await put("app", { url: HOOK });
    const job = await newJob({ callback_url: null, destination: "app" });
    fetched.on(job.poll, success).on(HOOK, status(204));
    await fire(job.id);
    const verify = async (key: string) => {
      const { events } = await page();
      return new Webhook(key).verify(events[0]?.body ?? "", events[0]?.headers ?? {});
    };
    await expect(verify(body.secret)).resolves.toMatchObject({ type: "job.succeeded" });
    await expect(secret().then(verify)).rejects.toThrow();
    const { body: rotated } = await post("app", "rotate-secret");
    await expect(verify(body.secret)).resolves.toBeTruthy();
    await expect(verify(rotated.secret)).resolves.toBeTruthy();
    await call("DELETE", "/v1/destinations/app");
    await expect(verify(body.secret)).resolves.toBeTruthy();
    await expect(verify(rotated.secret)).rejects.toThrow();
  });

  it("signs with the secret that each job knew of a destination that is gone", async () => {
    const secrets: string[] = [];
    for (let i = 0; i < 2; i++) {
      secrets.push((await put("gone", { url: HOOK })).body.secret);
      const job = await newJob({ callback_url: null, destination: "gone" });
      fetched.on(job.poll, success).on(HOOK, status(204));
      await fire(job.id);
      await call("DELETE", "/v1/destinations/gone");
    }
    const { events } = await page();
    for (const [i, { body, headers }] of events.entries())
      expect(new Webhook(secrets[i] ?? "").verify(body, headers)).toBeTruthy();
    expect(events).toHaveLength(2);
  });

  it("signs with the tenant's secret where a destination cannot be opened", async () => {
    await put("sealed", { url: HOOK });
    const job = await newJob({ callback_url: null, destination: "sealed" });
    fetched.on(job.poll, success).on(HOOK, status(204));
    await fire(job.id);
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      sql.exec("UPDATE destinations SET sealed = 'k9.x.y'");
    });
    const { events } = await page();
    expect(new Webhook(await secret()).verify(events[0]?.body ?? "", events[0]?.headers ?? {})).toBeTruthy();
  });

  it("shows a bounded token its owner's events alone", async () => {
    const mine = await bounded();
    const other = await bounded({}, { own: "tablet" });
    const jobs: string[] = [];
    for (const auth of [mine, other, mine]) {
      const request_id = uniqueId();
      const body = { request_id, key: "sk-caller-1", eta: 600 };
      const { body: job } = await call("POST", "/v1/jobs", { auth, body });
      fetched.on(`https://modelslab.com/api/v3/fetch/${request_id}`, success);
      await fire(job.id);
      jobs.push(job.id);
    }
    for (const meanwhile of [async () => {}, restarted]) {
      await meanwhile();
      expect(idsOf(await page())).toEqual(jobs);
      const first = await page("limit=1", mine);
      expect(idsOf(first)).toEqual([jobs[0]]);
      expect(idsOf(await page(`after=${first.next_cursor}`, mine))).toEqual([jobs[2]]);
      expect(idsOf(await page("", other))).toEqual([jobs[1]]);
    }
  });

  it("has the event of one job, too, whatever its size", async () => {
    const job = await newJob({ callback_url: null });
    const path = `/v1/jobs/${job.id}/event`;
    expectProblem(await call("GET", path), { status: 409, code: "nothing_to_deliver" });
    fetched.on(job.poll, json({ status: "success", output: ["x".repeat(300_000)] }));
    await fire(job.id);
    const { events } = await page();
    const { cursor: _, headers, ...event } = events[0] as FeedEvent;
    const { body: alone } = await call("GET", path);
    expect({ ...alone, headers: null }).toEqual({ ...event, headers: null });
    expect(new Webhook(await secret()).verify(alone.body, alone.headers)).toBeTruthy();
    expect(Object.keys(alone.headers)).toEqual(Object.keys(headers));
    expectProblem(await call("GET", path, { auth: await bounded() }), { status: 403, code: "token_bound" });
    const auth = await token({ sub: "globex" });
    expectProblem(await call("GET", path, { auth }), { status: 404, code: "not_found" });
    expectProblem(await call("GET", "/v1/jobs/nothing/event"), { status: 404, code: "not_found" });
  });

  it("is one tenant's own, and of a tenant without jobs it is empty", async () => {
    await finished();
    const auth = await token({ sub: "globex" });
    const { events, next_cursor } = await page("", auth);
    expect(events).toEqual([]);
    expect((await page(`after=${next_cursor}`, auth)).events).toEqual([]);
    const { body } = await call("POST", "/v1/jobs", {
      auth,
      body: { response: { status: "success", id: 7, output: ["u"] }, endpoint: "v3", key: "sk-caller-1" },
    });
    await expect.poll(async () => idsOf(await page(`after=${next_cursor}`, auth))).toEqual([body.id]);
  });

  it("begins with the next event where the index is of a version before", async () => {
    await finished();
    await runInDurableObject(tenant(), (_, { storage: { sql } }) => {
      sql.exec("UPDATE jobs SET rest = json_remove(rest, '$[11]')");
    });
    await restarted();
    expect((await page()).events).toEqual([]);
    const job = await finished();
    expect(idsOf(await page())).toEqual([job.id]);
  });

  it.each([
    ["after=yesterday", "after"],
    ["after=", "after"],
    ["wait=61", "wait"],
    ["wait=-1", "wait"],
    ["limit=0", "limit"],
    ["limit=101", "limit"],
  ])("refuses ?%s", async (query, field) => {
    expectProblem(await call("GET", `/v1/events?${query}`), { status: 422, code: "invalid_value", field });
  });

  it("refuses what it does not know, and who may not read", async () => {
    expectProblem(await call("GET", "/v1/events?befor=1"), {
      status: 422,
      code: "unknown_field",
      field: "befor",
    });
    const auth = await token({ scope: "jobs:write" });
    expectProblem(await call("GET", "/v1/events", { auth }), { status: 403, code: "insufficient_scope" });
  });
});
