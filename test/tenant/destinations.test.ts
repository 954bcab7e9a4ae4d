import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { rowOf } from "../../src/job/row.ts";
import type { PutResult, RotateResult } from "../../src/tenant/destination-keeper.ts";
import type { Tenant } from "../../src/tenant/tenant.ts";
import { inputOf, NEW_KEY, OLD_KEY, opened, tenantOf, under } from "../support/destinations.ts";
import { DAY, HOUR, MINUTE, waitingJob } from "../support/jobs.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const secretOf = (n: number): string => `whsec_${btoa(String(n).padStart(32, "s"))}`;
const kept = () =>
  runInDurableObject(tenantOf(), async (_, { storage }) => ({
    tables: [...storage.sql.exec("SELECT name FROM sqlite_master")].map(({ name }) => name),
    alarm: await storage.getAlarm(),
  }));
const alarmIn = async (): Promise<number> => ((await kept()).alarm ?? Number.NaN) - Date.now();
/** Runs the alarm as if rows were due to be looked at. */
const runDue = async (): Promise<void> => {
  await runInDurableObject(tenantOf(), (_, { storage }) => {
    storage.kv.delete("expire_at");
  });
  await runDurableObjectAlarm(tenantOf());
};

/**
 * Calls that begin in the same turn of the object. From outside they would come one after the other here: locally,
 * sealing and opening do not give others their turn.
 */
const atOnce = <T>(...calls: readonly ((tenant: Tenant) => Promise<T>)[]): Promise<T[]> =>
  runInDurableObject(tenantOf(), (tenant) => Promise.all(calls.map((call) => call(tenant))));

describe("a destination that never was", () => {
  it("is missing to every call, and leaves nothing in storage", async () => {
    const tenant = tenantOf();
    expect(await tenant.destination("a")).toEqual({ kind: "missing" });
    expect(await tenant.findDestination("a")).toBeNull();
    expect(await tenant.listDestinations(null, 50)).toEqual({ destinations: [], next: null });
    expect(await tenant.rotateSecret("a", 0)).toEqual({ kind: "missing" });
    expect(await tenant.pauseDestination("a", true)).toBeNull();
    expect(await tenant.removeDestination("a")).toBe(false);
    expect(await kept()).toEqual({ tables: [], alarm: null });
  });
});

describe("a destination", () => {
  it("is told to jobs as they need it, still sealed", async () => {
    const schedule = { retrySchedule: [1, 2.5], format: "provider" } as const;
    const made = await tenantOf().putDestination("a", inputOf({ host: "b.example:8443", ...schedule }));
    if (made.kind !== "created") throw new Error(made.kind);
    const { sealed } = made.destination;
    const copy = { sealed, host: "b.example:8443", retrySchedule: [1, 2.5] };
    expect(await tenantOf().destination("a")).toEqual({ kind: "found", read: { copy, format: "provider" } });
    expect(sealed).toMatch(/^k1\./);
  });

  it("is one of 1,000 at most, also where two come for the last place at once", async () => {
    const tenant = tenantOf();
    for (let n = 0; n < 999; n += 37)
      await Promise.all(
        Array.from({ length: Math.min(37, 999 - n) }, (_, i) =>
          tenant.putDestination(`d${n + i}`, inputOf()),
        ),
      );
    const last = await atOnce(
      ...["x", "y", "z"].map((name) => (object: Tenant) => object.putDestination(name, inputOf())),
    );
    expect(last.map(({ kind }) => kind).sort()).toEqual(["created", "limit", "limit"]);
    expect((await tenant.putDestination("d0", inputOf())).kind).toBe("replaced");
    expect(await tenant.removeDestination("d0")).toBe(true);
    expect((await tenant.putDestination("d0", inputOf())).kind).toBe("created");
    expect((await tenant.putDestination("one-more", inputOf())).kind).toBe("limit");
  });

  it("keeps of its earlier secrets the four newest that still sign", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const start = Date.now();
    await tenantOf().putDestination("a", inputOf({ secret: secretOf(0) }));
    const secrets = [secretOf(0)];
    for (let n = 0; n < 5; n++) {
      const rotated = await tenantOf().rotateSecret("a", HOUR + n * MINUTE);
      if (rotated.kind !== "done") throw new Error(rotated.kind);
      expect(rotated.destination.previousUntil).toBe(start + HOUR + n * MINUTE);
      secrets.push(rotated.secret);
    }
    expect(new Set(secrets).size).toBe(6);
    expect((await opened("a")).secret).toBe(secrets[5]);
    expect((await opened("a")).previous.map(({ secret }) => secret)).toEqual(secrets.slice(1, 5).reverse());
    vi.setSystemTime(start + HOUR + 3 * MINUTE);
    await tenantOf().rotateSecret("a", HOUR);
    expect((await opened("a")).previous.map(({ secret }) => secret)).toEqual([secrets[5], secrets[4]]);
  });

  it("changes nothing when a rotation to a secret of one's own is repeated", async () => {
    await tenantOf().putDestination("a", inputOf());
    const first = (await opened("a")).secret;
    const mine = `whsec_${btoa("m".repeat(32))}`;
    for (const _ of [1, 2]) {
      await tenantOf().rotateSecret("a", HOUR, mine);
      const { secret, previous } = await opened("a");
      expect([secret, ...previous.map((before) => before.secret)]).toEqual([mine, first]);
    }
  });

  it("lets no earlier secret sign for longer than the last overlap", async () => {
    await tenantOf().putDestination("a", inputOf());
    await tenantOf().rotateSecret("a", DAY);
    const rotated = await tenantOf().rotateSecret("a", HOUR);
    const until = rotated.kind === "done" ? rotated.destination.previousUntil : null;
    expect((await opened("a")).previous.map((before) => before.until)).toEqual([until, until]);
    await tenantOf().rotateSecret("a", 0);
    expect((await opened("a")).previous).toEqual([]);
    expect((await tenantOf().findDestination("a"))?.previousUntil).toBeNull();
  });
});

describe("changes at the same moment", () => {
  it("lose neither a PUT nor a rotation, whichever comes first", async () => {
    const tenant = tenantOf();
    for (let n = 0; n < 20; n++) {
      const [name, url] = [`d${n}`, `https://example.com/${n}`];
      await tenant.putDestination(name, inputOf({ secret: secretOf(n), headers: { "x-a": "1" } }));
      const change = (object: Tenant): Promise<PutResult | RotateResult> =>
        object.putDestination(name, inputOf({ url, headers: { "x-b": "2" } }));
      const rotate = (object: Tenant): Promise<PutResult | RotateResult> => object.rotateSecret(name, HOUR);
      const [first, second] = await atOnce(...(n % 2 ? [change, rotate] : [rotate, change]));
      const rotated = [first, second].find((result) => result?.kind === "done");
      const content = await opened(name);
      expect(content).toMatchObject({
        url,
        headers: { "x-b": "2" },
        secret: (rotated as { secret: string }).secret,
      });
      expect(content.previous.map(({ secret }) => secret)).toEqual([secretOf(n)]);
    }
  });

  it("lose no rotation of several", async () => {
    await tenantOf().putDestination("a", inputOf({ secret: secretOf(1) }));
    const rotate = (object: Tenant) => object.rotateSecret("a", HOUR);
    const all = await atOnce(rotate, rotate, rotate, rotate);
    const secrets = all.map((rotated) => (rotated.kind === "done" ? rotated.secret : ""));
    const { secret, previous } = await opened("a");
    expect([secret, ...previous.map((before) => before.secret)].sort()).toEqual(
      [...secrets, secretOf(1)].sort(),
    );
  });

  it("make one destination of two first PUTs, and tell one of them its secret", async () => {
    const both = await atOnce(
      (object) => object.putDestination("a", inputOf({ maxInFlight: 1 })),
      (object) => object.putDestination("a", inputOf({ maxInFlight: 2 })),
    );
    expect(both.map(({ kind }) => kind).sort()).toEqual(["created", "replaced"]);
    const told = both.flatMap((result) =>
      !("secret" in result) || result.secret === null ? [] : result.secret,
    );
    expect(told).toEqual([(await opened("a")).secret]);
  });

  it("leave a pause as it is, and a removal too unless a PUT came behind it", async () => {
    await tenantOf().putDestination("a", inputOf());
    await atOnce<unknown>(
      (object) => object.putDestination("a", inputOf()),
      (object) => object.pauseDestination("a", true),
    );
    expect((await tenantOf().findDestination("a"))?.pausedAt).not.toBeNull();
    const [rotated] = await atOnce<unknown>(
      (object) => object.rotateSecret("a", 0),
      (object) => object.removeDestination("a"),
    );
    expect(rotated).toEqual({ kind: "missing" });
    expect(await tenantOf().findDestination("a")).toBeNull();
  });
});

describe("a change while the master key is followed", () => {
  it("is not undone by the destination's being sealed anew", async () => {
    await tenantOf().putDestination("a", inputOf({ secret: secretOf(1) }));
    const url = "https://example.com/new";
    await under(`${NEW_KEY},${OLD_KEY}`, (tenant) =>
      Promise.all([tenant.alarm(), tenant.putDestination("a", inputOf({ url })), tenant.destination("a")]),
    );
    await under(`${OLD_KEY},${NEW_KEY}`, (tenant) => tenant.destination("a"));
    expect(await opened("a")).toMatchObject({ url, secret: secretOf(1) });
  });
});

describe("the object of a tenant that has destinations and no jobs", () => {
  it("wakes once a day, is not deleted, and is when the last destination is gone", async () => {
    await tenantOf().putDestination("a", inputOf());
    await runDue();
    expect((await tenantOf().findDestination("a"))?.name).toBe("a");
    expect(Math.abs((await alarmIn()) - DAY)).toBeLessThan(MINUTE);
    await tenantOf().putDestination("b", inputOf());
    expect(Math.abs((await alarmIn()) - DAY)).toBeLessThan(MINUTE);
    for (const name of ["a", "b"]) await tenantOf().removeDestination(name);
    await runDue();
    expect(await kept()).toEqual({ tables: [], alarm: null });
  });

  it("gets its alarm back from any PUT, should it have been lost", async () => {
    await tenantOf().putDestination("a", inputOf());
    await runInDurableObject(tenantOf(), (_, { storage }) => storage.deleteAlarm());
    await tenantOf().putDestination("a", inputOf());
    expect(await alarmIn()).toBeLessThanOrEqual(DAY);
  });

  it("wakes every hour once it has a job, and once a day when that is over", async () => {
    await tenantOf().putDestination("a", inputOf());
    await runDue();
    const job = waitingJob({ deadlineAt: Date.now() + DAY });
    await tenantOf().put([rowOf(job, HOUR)]);
    expect(Math.abs((await alarmIn()) - HOUR)).toBeLessThan(MINUTE);
    await runDue();
    expect(Math.abs((await alarmIn()) - HOUR)).toBeLessThan(MINUTE);
    await tenantOf().remove([{ registeredAt: job.registeredAt, id: job.id }]);
    await runDue();
    expect(Math.abs((await alarmIn()) - DAY)).toBeLessThan(MINUTE);
  });
});
