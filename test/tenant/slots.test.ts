import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { Slots } from "../../src/tenant/slots.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const LEAD = 500;

afterEach(reset);

/** Takes the next moment at each of these times, relative to one; after each, the memory is lost if `isForgetful`. */
const taken = (perSecond: number, times: readonly number[], isForgetful = false): Promise<number[]> =>
  runInDurableObject(env.TENANT.getByName("slots"), (_, { storage }) => {
    let slots = new Slots(storage.sql);
    return times.map((time) => {
      if (isForgetful) slots = new Slots(storage.sql);
      const at = slots.next("app", perSecond, NOW + time, LEAD);
      slots.take("app", perSecond, at);
      return at - NOW;
    });
  });

describe("the moments of a rate", () => {
  it("follow each other", async () => {
    expect(await taken(5, [0, 0, 100, 5_000])).toEqual([0, 200, 400, 5_000]);
  });

  it("do not pile up while nobody comes", async () => {
    expect(await taken(1, [0, 60_000, 60_000])).toEqual([0, 60_000, 61_000]);
  });

  it("of a slow rate are known after the memory was lost", async () => {
    expect(await taken(0.1, [0, 9_800], true)).toEqual([0, 10_000]);
  });

  it("of a fast rate cost no row", () =>
    runInDurableObject(env.TENANT.getByName("slots"), (_, { storage: { sql } }) => {
      const slots = new Slots(sql);
      for (let i = 0; i < 10; i++) slots.take("app", 5, slots.next("app", 5, NOW, LEAD));
      expect([...sql.exec("SELECT name FROM sqlite_master")]).toEqual([]);
    }));

  it("begin anew when the rate is raised", () =>
    runInDurableObject(env.TENANT.getByName("slots"), (_, { storage: { sql } }) => {
      const slots = new Slots(sql);
      slots.take("app", 0.01, NOW);
      expect(slots.next("app", 0.01, NOW, LEAD)).toBe(NOW + 100_000);
      expect(slots.next("app", 100, NOW, LEAD)).toBe(NOW);
    }));

  it("of one destination are not another's", () =>
    runInDurableObject(env.TENANT.getByName("slots"), (_, { storage: { sql } }) => {
      const slots = new Slots(sql);
      slots.take("app", 0.01, NOW);
      expect(slots.next("other", 0.01, NOW, LEAD)).toBe(NOW);
    }));
});
