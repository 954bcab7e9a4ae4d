/**
 * Flow control over real sockets: a destination that hangs beside a healthy one, and a provider key that is limited.
 * Short forms of what `npm run bench:flow` measures; one Worker serves both at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aim, answered, flowOf, registerAll } from "../bench/flow/caller.ts";
import { measureLimitedKey } from "../bench/flow/limited-key.ts";
import { type Delivery, type Receiver, startReceiver } from "../simulator/receiver.ts";
import { type Job, Setting } from "./setting.ts";

/** For each of the two destinations. */
const JOBS = 40;
/** README, "Destinations": at most so many deliveries to one host at one time, and failures in a row that stop it. */
const IN_FLIGHT = 10;
const FAILURES_TO_OPEN = 10;
/** An attempt is given up after 15 s; the rest is room for a busy machine. */
const OPEN_LIMIT_MS = 45_000;
const DELIVERED_LIMIT_MS = 45_000;
const LOOK_EVERY_MS = 100;

interface ParkedJob extends Job {
  readonly parked: string | null;
}

let setting: Setting;
let hanging: Receiver;

beforeAll(async () => {
  setting = await Setting.create();
  hanging = await startReceiver();
  hanging.serve({ kind: "hang" });
  await setting.start();
}, 90_000);
afterAll(async () => {
  await setting.tearDown();
  await hanging.close();
});

const jobs = (ids: readonly string[]): Promise<ParkedJob[]> =>
  Promise.all(ids.map(async (id) => (await setting.job(id)) as ParkedJob));

/** The events of jobs among the deliveries, by job; a destination's test event is not of a job. */
function byJob(deliveries: readonly Delivery[]): Map<string, Delivery[]> {
  const found = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const { data } = JSON.parse(delivery.body) as { data?: { job_id?: string } };
    if (data?.job_id === undefined) continue;
    found.set(data.job_id, [...(found.get(data.job_id) ?? []), delivery]);
  }
  return found;
}

async function until(isSo: () => boolean, limitMs: number): Promise<void> {
  for (const limit = Date.now() + limitMs; !isSo() && Date.now() < limit; ) await sleep(LOOK_EVERY_MS);
}

describe.concurrent("flow control", { timeout: 150_000 }, () => {
  it("keeps a destination that hangs from holding up another, and loses none of its events", async ({
    expect,
  }) => {
    const targets = [
      await aim(setting, setting.receiver, "healthy", "destination"),
      await aim(setting, hanging, "sick", "destination"),
    ];
    const ids = await registerAll(setting, JOBS * 2, (index) => {
      const id = 4_000_000 + index;
      setting.provider.add({ endpoint: "v3", id });
      return { endpoint: "v3", request_id: id, eta: 1, ...targets[index % 2] };
    });
    const healthyIds = ids.filter((_, index) => index % 2 === 0);
    const sickIds = ids.filter((_, index) => index % 2 === 1);

    // The healthy one's are all through while the first attempts at the other still hang.
    const healthy = () => byJob(setting.receiver.deliveries("/hook/healthy"));
    await until(() => healthy().size === JOBS, DELIVERED_LIMIT_MS);
    expect([...healthy().keys()].sort()).toEqual([...healthyIds].sort());
    expect([...healthy().values()].flat().map(({ status, verified }) => `${status} ${verified}`)).toEqual(
      healthyIds.map(() => "204 true"),
    );
    expect((await flowOf(setting, "healthy"))?.state).toBe("closed");
    // Looked at before any is given up: from then on one may be seen to end after the next has come.
    expect(hanging.inFlight().max).toBeLessThanOrEqual(IN_FLIGHT);

    await expect
      .poll(() => flowOf(setting, "sick"), { timeout: OPEN_LIMIT_MS, interval: LOOK_EVERY_MS })
      .toMatchObject({
        state: "open",
        opened_at: expect.any(String),
        next_probe_at: expect.any(String),
      });
    const flow = await flowOf(setting, "sick");
    expect(flow?.failures).toBeGreaterThanOrEqual(FAILURES_TO_OPEN);
    expect(flow?.parked).toBeGreaterThan(0);
    // Those that failed, and those that took their place before the last of the failures was known.
    expect(hanging.deliveries().length).toBeLessThanOrEqual(2 * IN_FLIGHT);
    const waiting = await jobs(sickIds);
    expect(waiting.map(({ status, outcome }) => `${status} ${outcome}`)).toEqual(
      sickIds.map(() => "delivering succeeded"),
    );
    // All but those that are still hanging, and those whose next attempt is not due.
    const parked = waiting.filter((job) => job.parked !== null);
    expect(parked.length).toBeGreaterThanOrEqual(JOBS - 2 * IN_FLIGHT);
    for (const job of parked) {
      expect(["breaker_open", "max_in_flight"]).toContain(job.parked);
      expect(job.timeline.filter(({ type }) => type === "parked").at(-1)?.reason).toBeDefined();
    }

    // It recovers, a test says so, and everything that waited goes out.
    hanging.serve({ kind: "normal" });
    await answered(setting, "POST", "/v1/destinations/sick/test");
    const accepted = () => byJob(hanging.deliveries().filter(({ status }) => status === 204));
    await until(() => accepted().size === JOBS, DELIVERED_LIMIT_MS);
    expect([...accepted().keys()].sort()).toEqual([...sickIds].sort());
    expect((await flowOf(setting, "sick"))?.state).toBe("closed");
    for (const seen of byJob(hanging.deliveries()).values()) {
      expect(new Set(seen.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
      expect(new Set(seen.map(({ bodySha256 }) => bodySha256)).size).toBe(1);
      expect(seen.every(({ verified }) => verified)).toBe(true);
      expect(seen.filter(({ status }) => status === 204)).toHaveLength(1);
    }
    const undelivered = async () =>
      (await jobs(sickIds)).flatMap(({ id, status }) => (status === "delivered" ? [] : [`${id} ${status}`]));
    await expect.poll(undelivered, { timeout: 20_000, interval: 250 }).toEqual([]);
  });

  it("has the jobs of a limited provider key slow down together, and all of them end", async ({ expect }) => {
    const count = 100;
    const measured = await measureLimitedKey(setting, {
      jobs: count,
      perSecond: 5,
      retryAfterSeconds: 1,
      etasOverMs: 2_000,
      readyOverMs: 5_000,
      limitMs: 200_000,
      naming: "destination",
    });
    expect(measured).toMatchObject({ ended: count, succeeded: count });
    // The limit was met, and then kept: of so few polls, a handful is more than the 5 % of the long form.
    expect(measured.refused).toBeGreaterThan(0);
    expect(measured.late.polls).toBeGreaterThan(0);
    expect(measured.late.share).toBeLessThan(0.2);
  }, 240_000);
});

describe("the setting", () => {
  it("has seen nothing that it cannot verify", () => {
    expect(setting.receiver.deliveries().every(({ verified }) => verified)).toBe(true);
  });
});
