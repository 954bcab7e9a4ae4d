import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { open, seal } from "../../src/crypto/vault.ts";
import { Job } from "../../src/job/job.ts";
import {
  age,
  call,
  change,
  config,
  fire,
  makeDue,
  PROVIDER_KEY,
  register,
  stored,
  stub,
} from "../support/api.ts";
import { inState } from "../support/jobs.ts";
import { bodyOf, HOOK, type Life, leave, newJob, processing, success } from "../support/life.ts";
import { json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

/** The key as it may lie about: as text, as hex, and as base64 at each of its three alignments. */
const TRACES = (() => {
  const hex = [...PROVIDER_KEY].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  const inner = [0, 1, 2].map((shift) => btoa("x".repeat(shift) + PROVIDER_KEY).slice(4, -4));
  return [PROVIDER_KEY, hex, hex.toUpperCase(), ...inner];
})();

/** Everything in the object's storage as text, bytes read as Latin-1. */
const dump = (id: string): Promise<string> =>
  runInDurableObject(stub(id), (_, { storage }) =>
    JSON.stringify([...storage.kv.list()], (_key, value) =>
      value instanceof Uint8Array ? String.fromCharCode(...value) : value,
    ),
  );

function expectNoTrace(text: string): void {
  for (const trace of TRACES) expect(text).not.toContain(trace);
}

const sealedIn = async (id: string): Promise<string> => {
  const { sealedKey } = inState((await stored(id)) ?? null, "waiting").state;
  if (sealedKey === null) throw new Error("no sealed key");
  return sealedKey;
};

const withSealedKey = (id: string, sealedKey: string | null): Promise<void> =>
  change(id, (job) => {
    const waiting = inState(job, "waiting");
    return { ...waiting, state: { ...waiting.state, sealedKey } };
  });

/** Runs the due job in an object that was started with other variables. */
async function fireWith(id: string, variables: Partial<Record<string, string>>): Promise<void> {
  await makeDue(id);
  await runInDurableObject(stub(id), (_, ctx) => new Job(ctx, { ...env, ...variables }).alarm());
}

const OLD = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const NEW = `k2:${btoa("b".repeat(32))}`;

describe("a provider key at rest", () => {
  it("is found in no spelling, and what is stored can be opened for this job alone", async () => {
    const { id } = await newJob();
    const sealed = await sealedIn(id);
    expectNoTrace(await dump(id));
    expect(sealed).toMatch(/^k1\./);
    expect(await open(sealed, id, config.masterKeys)).toBe(PROVIDER_KEY);
    expect(await open(sealed, `${id}x`, config.masterKeys)).toBeNull();
  });

  it("is not stored when it is the server's own, and only tenants who may use it do", async () => {
    const job = await newJob();
    await withSealedKey(job.id, null);
    fetched.on(job.poll, processing);
    await fireWith(job.id, { PROVIDER_KEY: "sk-server-key-1", PROVIDER_KEY_TENANTS: "acme" });
    expect(fetched.to(job.poll)[0]?.body).toBe('{"key":"sk-server-key-1"}');
    expect(await dump(job.id)).not.toContain("sk-server-key-1");
    await fireWith(job.id, { PROVIDER_KEY: "sk-server-key-1", PROVIDER_KEY_TENANTS: "other" });
    expect(fetched.sent).toHaveLength(1);
  });

  it.each<[string, string, (job: Life) => Promise<void>]>([
    ["succeeded", "succeeded", (job) => endWith(job, success)],
    ["failed", "failed", (job) => endWith(job, json({ status: "failed", message: "no" }))],
    ["expired", "expired", (job) => age(job.id, 3_600_000).then(() => endWith(job, networkError))],
    ["was canceled", "canceled", (job) => call("POST", `/v1/jobs/${job.id}/cancel`).then(() => {})],
    [
      "crashed five times",
      "failed",
      async (job) => {
        await change(job.id, (stored) => ({ ...stored, crashes: 4, guarded: true }));
        await fire(job.id);
      },
    ],
  ])("is gone, sealed too, once the job %s", async (_, outcome, end) => {
    const job = await newJob();
    const sealed = await sealedIn(job.id);
    fetched.always(HOOK, status(500));
    await end(job);
    expect((await bodyOf(job.id)).outcome).toBe(outcome);
    const after = await dump(job.id);
    expectNoTrace(after);
    expect(after).not.toContain("sealedKey");
    for (const part of sealed.split(".").slice(1)) expect(after).not.toContain(part);
  });

  async function endWith(job: Life, answer: Parameters<ScriptedFetch["on"]>[1]): Promise<void> {
    fetched.on(job.poll, answer);
    await fire(job.id);
  }
});

describe("a master key that is rotated", () => {
  it("still opens what it sealed while it is listed", async () => {
    const job = await newJob();
    fetched.on(job.poll, processing);
    await fireWith(job.id, { MASTER_KEYS: `${NEW},${OLD}` });
    expect(fetched.to(job.poll)[0]?.body).toBe(JSON.stringify({ key: PROVIDER_KEY }));
  });

  it("opens what any listed one sealed", async () => {
    const job = await newJob();
    const newest = { kid: "k2", bytes: new Uint8Array(32).fill("b".charCodeAt(0)) };
    await withSealedKey(job.id, await seal(PROVIDER_KEY, job.id, newest));
    fetched.on(job.poll, processing);
    await fireWith(job.id, { MASTER_KEYS: `${OLD},${NEW}` });
    expect(fetched.to(job.poll)[0]?.body).toBe(JSON.stringify({ key: PROVIDER_KEY }));
  });

  it("leaves the job waiting, the provider unasked, once it is no longer listed", async () => {
    const job = await newJob();
    await fireWith(job.id, { MASTER_KEYS: NEW });
    const body = await bodyOf(job.id);
    expect(body).toMatchObject({ status: "waiting", polls: 0 });
    expect(body.timeline.at(-1)).toMatchObject({ result: "transient", reason: "key_unreadable" });
    expect(fetched.sent).toEqual([]);
  });

  it("fails the job at its deadline when it never came back, and polls when it did", async () => {
    fetched.always(HOOK, status(200));
    // One after the other: they may share an object, whose run is under one list of keys.
    const atDeadline = async (job: Life, MASTER_KEYS: string) => {
      await fireWith(job.id, { MASTER_KEYS: NEW });
      await age(job.id, 3_600_000);
      await fireWith(job.id, { MASTER_KEYS });
      return bodyOf(job.id);
    };
    const [lost, found] = [await newJob(), await newJob()];
    expect(await atDeadline(lost, NEW)).toMatchObject({
      outcome: "failed",
      error: { reason: "key_unreadable" },
    });
    fetched.on(found.poll, success);
    expect(await atDeadline(found, `${NEW},${OLD}`)).toMatchObject({ outcome: "succeeded", polls: 1 });
  });
});

describe("a sealed key", () => {
  it("of another job is not opened, and not sent", async () => {
    const [own, other] = [await newJob(), await newJob()];
    await withSealedKey(own.id, await sealedIn(other.id));
    await fire(own.id);
    expect((await bodyOf(own.id)).timeline.at(-1)).toMatchObject({ reason: "key_unreadable" });
    expect(fetched.sent).toEqual([]);
  });

  it("is not sent to an origin that is no longer listed", async () => {
    const { id } = await newJob();
    await change(id, (job) => ({ ...job, origin: "https://evil.example" }));
    await fire(id);
    expect((await bodyOf(id)).timeline.at(-1)).toMatchObject({ reason: "origin_not_listed" });
    expect(fetched.sent).toEqual([]);
  });

  it("is not opened while the configuration is unusable, and the job waits", async () => {
    const { id } = await newJob();
    await fireWith(id, { MASTER_KEYS: "" });
    expect(await bodyOf(id)).toMatchObject({ status: "waiting", polls: 0 });
    expect(fetched.sent).toEqual([]);
  });
});

describe("the provider key in the course of a whole life", () => {
  it("goes to the provider and nowhere else: no log line, no event, no answer, no timeline", async () => {
    const spies = (["log", "error", "warn", "info", "debug"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    const echo = {
      status: "error",
      message: `no credits left for ${PROVIDER_KEY}`,
      request: { key: PROVIDER_KEY },
    };
    const job = await newJob({ metadata: { a: 1 } });
    fetched.on(
      job.poll,
      json({ status: "processing", meta: { key: PROVIDER_KEY } }),
      networkError,
      json(echo),
    );
    fetched.on(HOOK, () => new Response("no", { status: 500 }), networkError, status(200));
    const seen: string[] = [(await register({ request_id: job.requestId })).text];
    for (let i = 0; i < 5; i++) {
      await fire(job.id);
      seen.push(await dump(job.id), (await call("GET", `/v1/jobs/${job.id}`)).text);
    }
    expect(seen.at(-1)).toContain('"delivered"');
    seen.push(...fetched.to(HOOK).map((sent) => JSON.stringify(sent.headers) + sent.url + sent.body));
    seen.push(...spies.flatMap(({ mock }) => mock.calls.flat().map(String)));
    for (const spy of spies) spy.mockRestore();

    expect(fetched.to(job.poll).every(({ body }) => body.includes(PROVIDER_KEY))).toBe(true);
    expect(
      fetched.to(job.poll).some(({ url, headers }) => (url + JSON.stringify(headers)).includes(PROVIDER_KEY)),
    ).toBe(false);
    for (const text of seen) expectNoTrace(text);
    expect(fetched.to(HOOK)[0]?.body).toContain("[redacted]");
    const lines = seen.filter((text) => text.startsWith('{"event":'));
    expect(lines.length).toBeGreaterThanOrEqual(6);
    for (const line of lines) expect(line).not.toMatch(/example\.com|no credits/);
  });
});
