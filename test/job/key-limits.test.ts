import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { limiterName } from "../../src/job/ids.ts";
import { isIn } from "../../src/job/record.ts";
import { Limiter } from "../../src/limiter/limiter.ts";
import type { Turn } from "../../src/limiter/pace.ts";
import { age, evict, fire, stored } from "../support/api.ts";
import { bodyOf, HOOK, leave, newJob, processing, reached, success } from "../support/life.ts";
import { ageLimiter, evictLimiter, limiterStorage, newKey } from "../support/limits.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await leave(fetched);
});

const limit = (seconds: number) => status(429, { "retry-after": String(seconds) });
const spyOnLimiter = () => ({
  take: vi.spyOn(Limiter.prototype, "take"),
  limited: vi.spyOn(Limiter.prototype, "limited"),
});

/** A key that is limited: one job of it has been answered 429 a moment ago. */
async function limitedKey(seconds = 30) {
  const key = newKey();
  const job = await newJob({ key });
  fetched.on(job.poll, limit(seconds));
  await fire(job.id);
  return { key, job };
}

const turnOf = async (id: string): Promise<Turn | undefined> => {
  const job = await stored(id);
  return job && isIn(job, "waiting") ? job.state.turn : undefined;
};
const pollsOf = async (id: string) => (await bodyOf(id)).polls;
const nextPollOf = async (id: string) => Date.parse((await bodyOf(id)).next_poll_at);
const entriesOf = async (id: string, type: string): Promise<unknown[]> =>
  (await bodyOf(id)).timeline.filter((entry: { type: string }) => entry.type === type);

describe("a job's 429", () => {
  it("holds back another job on its key, and none on another key", async () => {
    const started = Date.now();
    const { key, job } = await limitedKey(30);
    const [same, other] = [await newJob({ key }), await newJob({ key: newKey() })];
    fetched.on(other.poll, processing);
    await fire(same.id);
    await fire(other.id);
    expect(fetched.to(same.poll)).toHaveLength(0);
    expect(await pollsOf(same.id)).toBe(0);
    expect(await nextPollOf(same.id)).toBeGreaterThan(started + 30_000);
    expect(await entriesOf(same.id, "held")).toEqual([
      { at: expect.any(String), type: "held", reason: "rate_limited" },
    ]);
    expect(await pollsOf(other.id)).toBe(1);
    expect(await nextPollOf(job.id)).toBeGreaterThanOrEqual(started + 30_000);
  });

  it("holds back none on the same key at another origin", async () => {
    const { key } = await limitedKey();
    const fetchUrl = "https://stablediffusionapi.com/api/v3/fetch/";
    const elsewhere = await newJob({ key, request_id: "777001", fetch_url: `${fetchUrl}777001` });
    fetched.on(`${fetchUrl}777001`, processing);
    await fire(elsewhere.id);
    expect(await pollsOf(elsewhere.id)).toBe(1);
  });

  it("is noted as a poll; being sent away again is not noted beside it", async () => {
    const { job } = await limitedKey();
    await fire(job.id);
    expect(await pollsOf(job.id)).toBe(1);
    expect(await entriesOf(job.id, "held")).toEqual([]);
  });

  it("is over for its key when the limiter says so", async () => {
    const { key, job } = await limitedKey(1);
    await ageLimiter(key, 2 * 60_000);
    fetched.on(job.poll, processing, processing);
    await fire(job.id);
    expect(await pollsOf(job.id)).toBe(2);
    expect(await turnOf(job.id)).toBeUndefined();
    const { take } = spyOnLimiter();
    await fire(job.id);
    expect(take).not.toHaveBeenCalled();
  });

  it("makes the jobs of its key take turns, until all of them have ended", async () => {
    const key = newKey();
    const jobs = await Promise.all(Array.from({ length: 8 }, () => newJob({ key, eta: 1 })));
    let [second, count] = [0, 0];
    // Two in a second, by the clock.
    const gate: typeof success = (...args) => {
      const now = Math.floor(Date.now() / 1_000);
      count = now === second ? count + 1 : 1;
      second = now;
      return count > 2 ? limit(1)(...args) : success(...args);
    };
    for (const job of jobs) fetched.always(job.poll, gate);
    fetched.always(HOOK, status(200));
    await Promise.all(jobs.map(({ id }) => reached(id, "delivered", 25_000)));
  }, 30_000);
});

describe("a turn", () => {
  it("is kept when the job and the limiter lose their memory", async () => {
    const { key } = await limitedKey();
    const job = await newJob({ key });
    await fire(job.id);
    const turn = await turnOf(job.id);
    expect(turn?.position).toBeDefined();
    await evict(job.id);
    await evictLimiter(key);
    await fire(job.id);
    expect(await turnOf(job.id)).toEqual(turn);
    expect(await entriesOf(job.id, "held")).toHaveLength(1);
  });

  it("is used up by a poll; the job asks again before its next", async () => {
    const { key } = await limitedKey(1);
    const job = await newJob({ key });
    await fire(job.id);
    fetched.on(job.poll, processing);
    await ageLimiter(key, 20_000);
    await fire(job.id);
    expect(await pollsOf(job.id)).toBe(1);
    expect(await turnOf(job.id)).toEqual({ episode: expect.any(Number) });
    const { take } = spyOnLimiter();
    fetched.always(job.poll, processing);
    await fire(job.id);
    expect(take).toHaveBeenCalledOnce();
  });

  it("is not waited for at the deadline: the last poll is made without asking", async () => {
    const { key } = await limitedKey();
    const job = await newJob({ key, callback_url: null });
    await fire(job.id);
    await age(job.id, 3_600_000);
    const { take } = spyOnLimiter();
    fetched.on(job.poll, processing);
    await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "finished", outcome: "expired", polls: 1 });
    expect(take).not.toHaveBeenCalled();
  });
});

describe("a limiter that cannot be reached", () => {
  const unreachable = [
    ["throws", () => Promise.reject(new Error("overloaded"))],
    ["never answers", () => new Promise<never>(() => {})],
  ] as const;

  it.each(unreachable)("and %s holds up no poll", async (_, answer) => {
    const { key } = await limitedKey();
    const job = await newJob({ key });
    fetched.on(job.poll, processing);
    spyOnLimiter().take.mockImplementation(answer);
    await fire(job.id);
    expect(await pollsOf(job.id)).toBe(1);
  });

  it.each(unreachable)("and %s leaves a job with a 429 to wait as the provider asked", async (_, answer) => {
    spyOnLimiter().limited.mockImplementation(answer);
    const { job } = await limitedKey(20);
    const next = await nextPollOf(job.id);
    expect(next).toBeGreaterThan(Date.now() + 15_000);
    expect(next).toBeLessThan(Date.now() + 25_000);
    // The next time it asks, as its last answer was a 429.
    const { take } = spyOnLimiter();
    fetched.on(job.poll, processing);
    await fire(job.id);
    expect(take).toHaveBeenCalledOnce();
  });

  it("is no reason to give up a place that it has given", async () => {
    const { key } = await limitedKey();
    const job = await newJob({ key });
    await fire(job.id);
    const turn = await turnOf(job.id);
    fetched.on(job.poll, limit(5));
    const take = spyOnLimiter().take.mockRejectedValue(new Error("overloaded"));
    await fire(job.id);
    take.mockRestore();
    expect(await turnOf(job.id)).toEqual(turn);
  });
});

describe("the happy path", () => {
  it("asks no limiter, while other keys are limited", async () => {
    await limitedKey();
    const { take, limited } = spyOnLimiter();
    const before = (await listDurableObjectIds(env.LIMITER)).length;
    const job = await newJob({ key: newKey() });
    fetched.on(job.poll, processing, json({ status: "processing" }), success).on(HOOK, status(200));
    for (let i = 0; i < 3; i++) await fire(job.id);
    expect(await bodyOf(job.id)).toMatchObject({ status: "delivered", polls: 3 });
    expect([...take.mock.calls, ...limited.mock.calls]).toEqual([]);
    expect(await listDurableObjectIds(env.LIMITER)).toHaveLength(before);
  });
});

describe("the provider key", () => {
  it("is not in the limiter's name, nor in what is stored of the turn", async () => {
    const { key, job } = await limitedKey();
    const name = await limiterName("https://modelslab.com", key);
    expect(name).toMatch(/^lim_[a-z2-7]{32}$/);
    expect(name).not.toBe(await limiterName("https://stablediffusionapi.com", key));
    expect(JSON.stringify([await stored(job.id), await limiterStorage(key)])).not.toContain(key);
  });
});
