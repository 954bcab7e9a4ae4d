import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { rowOf } from "../../src/job/row.ts";
import type { Tenant } from "../../src/tenant/tenant.ts";
import { endedJob, HOUR, SUCCEEDED } from "../support/jobs.ts";

afterEach(reset);

const tenant = () => env.TENANT.getByName("acme");
const idOf = (n: number): string => `job_${String(n).padStart(32, "a")}`;
/** Events of the jobs with these numbers enter together. */
const enter = (from: number, to: number): Promise<void> =>
  runInDurableObject(tenant(), async (object) => {
    const jobs = Array.from({ length: to - from }, (_, i) =>
      endedJob(SUCCEEDED, { id: idOf(from + i), callbackUrl: null }, Date.now()),
    );
    await object.put(jobs.map((job) => rowOf(job, HOUR)));
  });
/** All that stands behind `after`, in pages. */
async function allBehind(after: number, limit = 100) {
  const entries = [];
  for (let from = after; ; ) {
    const page = await tenant().events(from, limit, 0);
    if (page.entries.length === 0) return { entries, next: page.next };
    entries.push(...page.entries);
    from = page.next;
  }
}
const numbersOf = (entries: readonly { id: string }[]): number[] =>
  entries.map(({ id }) => Number(/\d+$/.exec(id)?.[0]));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
/** How often the table is asked while this is done. */
const queries = (act: (object: Pick<Tenant, "events">) => Promise<unknown>): Promise<number> =>
  runInDurableObject(tenant(), async (object, { storage: { sql } }) => {
    const spy = vi.spyOn(sql, "exec");
    await act(object);
    const asked = spy.mock.calls.filter(([query]) => /FROM jobs/.test(query)).length;
    spy.mockRestore();
    return asked;
  });

describe("a feed longer than what is kept in memory", () => {
  it("is read to its end, in order, from wherever one begins", async () => {
    await enter(1, 601);
    await enter(601, 1_205);
    const { entries } = await allBehind(0);
    expect(numbersOf(entries)).toEqual(range(1, 1_205));
    for (const start of [100, 203, 204, 205, 1_100])
      expect(numbersOf((await allBehind(entries[start]?.seq ?? 0)).entries)).toEqual(range(start + 2, 1_205));
    await evictDurableObject(tenant());
    expect((await allBehind(0)).entries).toEqual(entries);
  });

  it("is caught up with in a thousand at a time, whatever the size of a page", async () => {
    await enter(1, 1_205);
    await evictDurableObject(tenant());
    const asked = await queries(async (object) => {
      let from = 0;
      for (let n = 0; n < 1_204; n += 7) {
        const page = await object.events(from, 7, 0);
        from = page.next;
      }
      expect((await object.events(from, 7, 0)).entries).toEqual([]);
    });
    // And once, at the start, for the greatest number of before.
    expect(asked).toBe(3);
  });

  it("is waited for by a thousand at most, of however many owners", async () => {
    const tooMany = await runInDurableObject(tenant(), async (object) => {
      const waiting = Array.from({ length: 1_000 }, (_, i) => object.events(null, 10, 500, `owner-${i}`));
      const last = await object.events(null, 10, 500, "owner-1001");
      expect((await Promise.all(waiting)).some(({ isFull }) => isFull)).toBe(false);
      return last;
    });
    expect(tooMany.isFull).toBe(true);
  });

  it("has no event twice whose row was written in a transaction that failed", async () => {
    const job = endedJob(SUCCEEDED, { id: idOf(1), callbackUrl: null }, Date.now());
    const bad = { ...rowOf(job, HOUR), metadata: undefined as never, registeredAt: 1 };
    await runInDurableObject(tenant(), async (object) => {
      await expect(object.put([rowOf(job, HOUR), bad])).rejects.toThrow();
      await object.put([rowOf(job, HOUR)]);
    });
    expect((await allBehind(0)).entries).toHaveLength(1);
  });

  it("costs those who follow closely no look into the table, nor those who wait, or begin again", async () => {
    await enter(1, 5);
    await evictDurableObject(tenant());
    const { next } = await allBehind(0);
    await enter(5, 8);
    expect(await queries((object) => object.events(next, 100, 0))).toBe(0);
    expect(await queries((object) => object.events(null, 100, 50))).toBe(0);
    expect(await queries((object) => object.events(0, 100, 0))).toBe(0);
  });
});
