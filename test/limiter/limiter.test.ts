import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { NOTHING } from "../support/life.ts";
import {
  ageLimiter,
  evictLimiter,
  limiterOf,
  limiterStorage,
  newKey,
  runLimiterAlarm,
} from "../support/limits.ts";

const HOUR = 3_600_000;
const { rows: NO_ROWS, alarm: NO_ALARM } = NOTHING;

/** Calls of one limiter, and the names of the rows that it has written since it was first called. */
async function metered(key: string) {
  const limiter = await limiterOf(key);
  const writes: string[] = [];
  await runInDurableObject(limiter, (_, { storage }) => {
    for (const [target, name] of [
      [storage.kv, "put"],
      [storage, "setAlarm"],
    ] as const) {
      const original = (target as never as Record<string, (...args: unknown[]) => unknown>)[name]?.bind(
        target,
      );
      Object.assign(target, {
        [name]: (...args: unknown[]) => {
          writes.push(name);
          return original?.(...args);
        },
      });
    }
  });
  return { limiter, writes };
}

it("says of a key that nobody was limited on that it is free, and writes nothing", async () => {
  const key = newKey();
  const limiter = await limiterOf(key);
  expect(await limiter.take(null)).toEqual({ kind: "free" });
  expect(await limiter.take({ episode: 1, position: 7 })).toEqual({ kind: "free" });
  expect(await limiterStorage(key)).toEqual({ rows: NO_ROWS, alarm: NO_ALARM });
});

it("tells the wait that the provider asked for, whatever the caller's clock says", async () => {
  const limiter = await limiterOf(newKey());
  const told = await limiter.limited(30, 100, null);
  expect(told).toMatchObject({ kind: "wait", waitMs: 30_000 });
  const next = await limiter.take(null);
  expect(next.kind === "wait" && next.waitMs).toBeGreaterThan(29_000);
});

it("writes its alarm and a few rows for a burst of 429s and of jobs that ask, then a row for every 64 places", async () => {
  const { limiter, writes } = await metered(newKey());
  await limiter.limited(5, 100, null);
  expect(writes).toEqual(["put", "setAlarm"]);
  for (let i = 1; i < 320; i++) await (i < 32 ? limiter.limited(5, 100, null) : limiter.take(null));
  // Twice as far ahead each time, up to 64: at 1, 6, 12, 25, 51, 103, then …
  expect(writes.filter((name) => name === "put").length).toBeLessThanOrEqual(10);
  expect(writes.filter((name) => name === "setAlarm")).toHaveLength(1);
});

it("writes nothing when a job asks again", async () => {
  const { limiter, writes } = await metered(newKey());
  const told = await limiter.limited(5, 100, null);
  const before = writes.length;
  for (let i = 0; i < 100; i++) await limiter.take(told.kind === "wait" ? told.turn : null);
  expect(writes).toHaveLength(before);
});

it("loses neither the wait nor a place with its memory", async () => {
  const key = newKey();
  const limiter = await limiterOf(key);
  await limiter.limited(60, 100, null);
  const places = new Set<number | undefined>();
  for (let i = 0; i < 10; i++) {
    const told = await limiter.take(null);
    if (told.kind === "wait") places.add(told.turn.position);
  }
  await evictLimiter(key);
  for (let i = 0; i < 10; i++) {
    const told = await (await limiterOf(key)).take(null);
    expect(told.kind === "wait" && told.waitMs).toBeGreaterThan(59_000);
    if (told.kind === "wait") places.add(told.turn.position);
  }
  expect(places.size).toBe(20);
});

it("has nobody wait for places that it had stored ahead, but nobody took", async () => {
  const key = newKey();
  await (await limiterOf(key)).limited(1, 100, null);
  // A lone job was limited, and the object evicted: what it has written still speaks of the places ahead.
  await ageLimiter(key, 10_000);
  expect(await (await limiterOf(key)).take(null)).toMatchObject({ kind: "go" });
});

it("does not lose a longer wait that came later", async () => {
  const key = newKey();
  await (await limiterOf(key)).limited(1, 100, null);
  await (await limiterOf(key)).limited(60, 100, null);
  await evictLimiter(key);
  const told = await (await limiterOf(key)).take(null);
  expect(told.kind === "wait" && told.waitMs).toBeGreaterThan(59_000);
});

it("is free again a minute after the wait is over, and remembers for an hour", async () => {
  const key = newKey();
  await (await limiterOf(key)).limited(1, 100, null);
  await ageLimiter(key, 10 * 60_000);
  expect(await (await limiterOf(key)).take(null)).toEqual({ kind: "free" });
  expect((await limiterStorage(key)).rows).toHaveLength(1);
  await runLimiterAlarm(key);
  const { rows, alarm } = await limiterStorage(key);
  expect(rows).toHaveLength(1);
  expect(alarm).toBeGreaterThan(Date.now() + HOUR - 11 * 60_000);
});

it("leaves nothing behind after that hour", async () => {
  const key = newKey();
  await (await limiterOf(key)).limited(1, 100, null);
  await ageLimiter(key, HOUR + 5_000);
  await runLimiterAlarm(key);
  expect(await limiterStorage(key)).toEqual({ rows: NO_ROWS, alarm: NO_ALARM });
  expect(await (await limiterOf(key)).take(null)).toEqual({ kind: "free" });
});

it("keeps nothing of the key, nor of the jobs", async () => {
  const key = newKey();
  await (await limiterOf(key)).limited(1, 100, null);
  const text = JSON.stringify((await limiterStorage(key)).rows);
  expect(text).not.toContain(key);
  expect(text).not.toContain("job_");
});
