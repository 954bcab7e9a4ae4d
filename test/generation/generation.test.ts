import { listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHint } from "../../src/crypto/hint.ts";
import type { Generation } from "../../src/generation/generation.ts";
import type { GenerationRecord } from "../../src/generation/record.ts";
import { generationName } from "../../src/job/ids.ts";
import { call, config, makeDue, PROVIDER, readJob, stored, stub, token, uniqueId } from "../support/api.ts";
import { idOf } from "../support/http.ts";
import { HOOK, held, leave, processing, reached, success } from "../support/life.ts";
import { expectRefusal, post } from "../support/provider-api.ts";
import { json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const PATH = "/api/v6/images/text2img";
const CALLED = PROVIDER + PATH;
const POLL = (id: string) => `${PROVIDER}/api/v6/images/fetch/${id}`;

const queued = (id: string) =>
  json({ status: "processing", id: Number(id), eta: 600, fetch_result: POLL(id) });

let counter = 0;
const newKey = (): string => `order-${++counter}`;
const generate = (idempotencyKey: string, body: Record<string, unknown> = {}, path = PATH, auth?: string) =>
  post(path, body, { headers: { "idempotency-key": idempotencyKey }, ...(auth && { auth }) });

const nameOf = (key: string, tenant = "acme") => generationName(tenant, key);
const object = async (key: string) => env.GENERATION.getByName(await nameOf(key));
const record = async (key: string): Promise<GenerationRecord | undefined> =>
  runInDurableObject(await object(key), (_, { storage }) => storage.kv.get<GenerationRecord>("generation"));
const change = async (key: string, edit: (record: GenerationRecord) => GenerationRecord) =>
  runInDurableObject(await object(key), (_, { storage: { kv } }) => {
    const stored = kv.get<GenerationRecord>("generation");
    if (stored) kv.put("generation", edit(stored));
  });
const rowsOf = (stub: DurableObjectStub<Generation>): Promise<{ rows: string[]; alarm: number | null }> =>
  runInDurableObject(stub, async (_, { storage }) => ({
    rows: [...storage.kv.list()].map(([name]) => name),
    alarm: await storage.getAlarm(),
  }));
const rows = async (key: string) => rowsOf(await object(key));
const DAY = 24 * 3_600_000;

describe("an Idempotency-Key", () => {
  it("gives a repetition the same answer, and the provider one call", async () => {
    const [key, id] = [newKey(), uniqueId()];
    fetched.on(CALLED, queued(id));
    const first = await generate(key, { prompt: "x", webhook: HOOK });
    const second = await generate(key, { prompt: "x", webhook: HOOK });
    expect(second.text).toBe(first.text);
    expect(second.body.job_id).toBe(await idOf(id, "v6/images"));
    expect(fetched.to(CALLED)).toHaveLength(1);
  });

  it("does so for an error and a status code too, and for an answer of several megabytes", async () => {
    for (const script of [
      json({ status: "error", message: "Model id not found" }, { status: 404 }),
      json({ status: "success", output: ["x".repeat(3_000_000)] }),
    ]) {
      const key = newKey();
      fetched.on(CALLED, script);
      const first = await generate(key);
      const second = await generate(key);
      expect([second.status, second.text]).toEqual([first.status, first.text]);
    }
    expect(fetched.to(CALLED)).toHaveLength(2);
  });

  it("knows a repetition under another token of the tenant, and in the middle of the call", async () => {
    const [key, id] = [newKey(), uniqueId()];
    const slow = held(queued(id));
    fetched.on(CALLED, slow.script);
    const first = generate(key);
    await slow.begun();
    const second = generate(key, {}, PATH, await token({ jti: "another" }));
    await scheduler.wait(20);
    slow.release();
    expect((await second).text).toBe((await first).text);
    expect(fetched.to(CALLED)).toHaveLength(1);
  });

  it.each([
    ["another body", { prompt: "y" }, PATH],
    ["another path", { prompt: "x" }, "/api/v6/images/img2img"],
    ["a webhook more", { prompt: "x", webhook: HOOK }, PATH],
  ])("is refused with %s", async (_, body, path) => {
    const key = newKey();
    fetched.on(CALLED, success);
    await generate(key, { prompt: "x" });
    expectRefusal(await generate(key, body, path), 409, /another call/);
    expect(fetched.sent).toHaveLength(1);
  });

  it("is one tenant's own", async () => {
    const key = newKey();
    fetched.on(CALLED, success, json({ status: "success", output: ["theirs"] }));
    await generate(key);
    const theirs = await generate(key, {}, PATH, await token({ sub: "globex" }));
    expect(theirs.body.output).toEqual(["theirs"]);
  });

  it("may be used again after a rate limit: nothing was begun", async () => {
    const key = newKey();
    const limited = json(
      { status: "error", message: "Rate limit exceeded", retry_after: 5 },
      { status: 429 },
    );
    fetched.on(CALLED, limited, success);
    expect((await generate(key)).status).toBe(429);
    expect(await rows(key)).toEqual({ rows: [], alarm: null });
    expect((await generate(key)).body.status).toBe("success");
  });

  it("is never repeated where the provider did not answer, and may have begun", async () => {
    const key = newKey();
    fetched.on(CALLED, networkError);
    expectRefusal(await generate(key), 502, /could not be reached.* look there before you repeat it/);
    expectRefusal(await generate(key), 502, /could not be reached/);
    expect(fetched.sent).toHaveLength(1);
  });

  it("is forgotten after 24 hours, with everything else of the call", async () => {
    const key = newKey();
    fetched.on(CALLED, success);
    await generate(key);
    expect((await rows(key)).rows).toEqual(["body/0", "generation"]);
    await change(key, (record) => ({ ...record, startedAt: record.startedAt - DAY + 60_000 }));
    await runDurableObjectAlarm(await object(key));
    expect((await rows(key)).rows).toHaveLength(2);
    await change(key, (record) => ({ ...record, startedAt: record.startedAt - 60_000 }));
    await runDurableObjectAlarm(await object(key));
    expect(await rows(key)).toEqual({ rows: [], alarm: null });
  });

  it.each(["a b", "a\tb", "x".repeat(256)])("is refused when it is %j", async (key) => {
    expectRefusal(await generate(key), 422, /Idempotency-Key/);
  });
});

describe("an object that dies with its call under way", () => {
  /** The call is forwarded, and its object dies before the answer comes. */
  async function dieInCall(key: string): Promise<void> {
    const slow = held(success);
    fetched.on(CALLED, slow.script);
    const lost = generate(key, { webhook: HOOK });
    await slow.begun();
    const dies = runInDurableObject(await object(key), (_, ctx) => ctx.abort("dies"));
    await expect(dies).rejects.toThrow("dies");
    expectRefusal(await lost, 502, /not known whether/);
  }

  it("leaves the intent, and a repetition is told to ask first, not forwarded", async () => {
    const key = newKey();
    await dieInCall(key);
    expect(await record(key)).toMatchObject({ outcome: null });
    for (let i = 0; i < 2; i++)
      expectRefusal(await generate(key, { webhook: HOOK }), 502, /not known whether.* before you repeat it/);
    expect(fetched.to(CALLED)).toHaveLength(1);
  });

  it("is still remembered when its alarm finds the call lost, and forgotten a day later", async () => {
    const key = newKey();
    await dieInCall(key);
    await change(key, (record) => ({ ...record, startedAt: record.startedAt - 3_600_000 }));
    await runDurableObjectAlarm(await object(key));
    expectRefusal(await generate(key, { webhook: HOOK }), 502, /not known/);
    await change(key, (record) => ({ ...record, startedAt: record.startedAt - DAY }));
    await runDurableObjectAlarm(await object(key));
    expect(await rows(key)).toEqual({ rows: [], alarm: null });
  });
});

describe("an answer whose job cannot be registered at once", () => {
  it("is answered, and registered by the alarm, its success of several megabytes delivered", async () => {
    const key = newKey();
    const output = ["x".repeat(3_000_000)];
    fetched.on(CALLED, json({ status: "success", id: 5, output })).on(HOOK, status(200));
    await runInDurableObject(await object(key), (instance) => {
      const down = { getByName: () => ({ register: () => Promise.reject(new Error("down")) }) };
      Object.defineProperty(instance, "env", { value: { ...env, JOB: down }, configurable: true });
    });
    const answer = await generate(key, { webhook: HOOK });
    expect(answer.status).toBe(200);
    const { pending } = (await record(key)) ?? {};
    expect(pending).toMatchObject({ tries: 1, hasFinalAnswer: true });
    expect((await rows(key)).alarm).toBe(pending?.nextTryAt);
    expect((await readJob(answer.body.job_id)).status).toBe(404);

    await runInDurableObject(await object(key), (instance) => {
      Object.defineProperty(instance, "env", { value: env, configurable: true });
    });
    await runDurableObjectAlarm(await object(key));
    await reached(answer.body.job_id, "delivered");
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "").output).toEqual(output);
    expect((await record(key))?.pending).toBeNull();
  });
});

describe("an object that dies while its job is being registered", () => {
  it("registers it by its alarm, which no run of it meanwhile has used up", async () => {
    const [key, id] = [newKey(), uniqueId()];
    fetched.on(CALLED, queued(id));
    let registering = false;
    const slow = () => {
      registering = true;
      return new Promise<never>(() => {});
    };
    await runInDurableObject(await object(key), (instance) => {
      const JOB = { getByName: () => ({ register: slow }) };
      Object.defineProperty(instance, "env", { value: { ...env, JOB }, configurable: true });
    });
    const lost = generate(key, { webhook: HOOK });
    await expect.poll(() => registering).toBe(true);
    await scheduler.wait(100);
    await runDurableObjectAlarm(await object(key));
    expect((await rows(key)).alarm).not.toBeNull();
    await runInDurableObject(await object(key), (_, ctx) => ctx.abort("dies")).catch(() => {});
    expectRefusal(await lost, 502, /not known/);

    await runDurableObjectAlarm(await object(key));
    expect((await record(key))?.pending).toBeNull();
    expect((await readJob(await idOf(id, "v6/images"))).body.status).toBe("waiting");
  });
});

describe("a call without an Idempotency-Key", () => {
  it("leaves nothing behind when nobody is to be called", async () => {
    const id = uniqueId();
    fetched.on(CALLED, queued(id));
    await post(PATH);
    for (const object of await listDurableObjectIds(env.GENERATION))
      expect(await rowsOf(env.GENERATION.get(object))).toEqual({ rows: [], alarm: null });
  });
});

describe("a hint", () => {
  const hint = async (key: string): Promise<number> => {
    const token = await makeHint(await nameOf(key), config.masterKeys[0]);
    return (
      await call("POST", `/hints/${token}`, { auth: null, body: { status: "success", output: ["forged"] } })
    ).status;
  };

  /** A call whose request is queued for ten minutes, with a webhook. */
  async function queuedJob(): Promise<{ key: string; id: string; job: string }> {
    const [key, id] = [newKey(), uniqueId()];
    fetched.on(CALLED, queued(id));
    const { body } = await generate(key, { webhook: HOOK });
    return { key, id, job: body.job_id };
  }

  it("makes the job poll now, and nothing of it is believed", async () => {
    const { key, id, job } = await queuedJob();
    fetched.on(POLL(id), success).on(HOOK, status(200));
    expect(await hint(key)).toBe(204);
    const body = await reached(job, "delivered");
    expect(body.timeline.map(({ type }: { type: string }) => type)).toEqual([
      "registered",
      "hint",
      "poll",
      "attempt",
    ]);
    expect(fetched.to(HOOK)[0]?.body).not.toContain("forged");
    expect(await hint(key)).toBe(204);
    expect(fetched.sent).toHaveLength(3);
  });

  it("that comes before the answer is kept until the job is registered", async () => {
    const [key, id] = [newKey(), uniqueId()];
    const slow = held(queued(id));
    fetched.on(CALLED, slow.script).on(POLL(id), success).on(HOOK, status(200));
    const answer = generate(key, { webhook: HOOK });
    await slow.begun();
    expect(await hint(key)).toBe(204);
    slow.release();
    await reached((await answer).body.job_id, "delivered");
  });

  it("repeated, polls the provider no more often than every five seconds", async () => {
    const { key, id, job } = await queuedJob();
    fetched.on(POLL(id), json({ status: "processing", eta: 600 }));
    await hint(key);
    await expect.poll(async () => (await readJob(job)).body.polls, { timeout: 5_000 }).toBe(1);
    await hint(key);
    const next = Date.parse((await readJob(job)).body.next_poll_at);
    expect(next - Date.now()).toBeGreaterThan(3_000);
    expect(next - Date.now()).toBeLessThanOrEqual(5_000);
    await hint(key);
    expect(Date.parse((await readJob(job)).body.next_poll_at)).toBe(next);
  });

  it("does not shorten a wait that a rate limit asked for", async () => {
    const { key, id, job } = await queuedJob();
    fetched.on(POLL(id), status(429, { "retry-after": "300" }));
    await makeDue(job);
    await runDurableObjectAlarm(stub(job));
    const before = await stored(job);
    await hint(key);
    expect(await stored(job)).toEqual(before);
  });

  it("for a job that is over, or was erased, changes nothing", async () => {
    const { key, job } = await queuedJob();
    await call("POST", `/v1/jobs/${job}/cancel`);
    const before = await stored(job);
    expect(await hint(key)).toBe(204);
    expect(await stored(job)).toEqual(before);
    await call("DELETE", `/v1/jobs/${job}`);
    expect(await hint(key)).toBe(204);
    expect(await stored(job)).toBeUndefined();
  });

  it("that is forged is answered the same, and reaches no object", async () => {
    const { key, job } = await queuedJob();
    const before = await stored(job);
    const real = await makeHint(await nameOf(key), config.masterKeys[0]);
    const other = await makeHint(await nameOf("other"), config.masterKeys[0]);
    const [kid, name] = real.split(".");
    for (const forged of [
      `${kid}.${name}.${other.split(".")[2]}`,
      `k9.${name}.x`,
      `${kid}.${name}`,
      `${real}.x`,
      "x",
      "%00",
      "..",
    ])
      expect((await call("POST", `/hints/${forged}`, { auth: null })).status).toBe(
        forged === ".." ? 404 : 204,
      );
    expect(await stored(job)).toEqual(before);
  });

  it("is answered when its object cannot be reached", async () => {
    const { key, id } = await queuedJob();
    fetched.on(POLL(id), processing);
    await runInDurableObject(await object(key), (_, ctx) => ctx.abort("gone")).catch(() => {});
    expect(await hint(key)).toBe(204);
  });
});
