/**
 * The real process: `wrangler dev` with its storage on disk, ended with SIGKILL while polls and deliveries are
 * under way, started again. Nothing may be lost, and nothing may arrive in two versions. Here each job has an object of its
 * own; `test/chaos/crash.test.ts` has them share objects, too.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Job, Setting } from "./setting.ts";

const JOBS = 240;
const ALL_ARRIVED_LIMIT_MS = 60_000;

let setting: Setting;
afterEach(() => setting.tearDown());

const hookOf = (index: number): string => `/hook/crash-${index}`;

/** Queues request `index`: a third is answered slowly, and every callback takes its time over the first attempt. */
function queue(index: number): Record<string, unknown> {
  const { provider, receiver } = setting;
  const id = 1_000 + index;
  provider.add({
    endpoint: "v6/video",
    id,
    readyAfterMs: (index % 5) * 500,
    ...(index % 3 === 0 && { misbehaviours: [{ kind: "drip", everyMs: 10 }] }),
  });
  receiver.program(hookOf(index), [{ kind: "slow", ms: 700 }]);
  return {
    endpoint: "v6/video",
    request_id: id,
    eta: 2 + (index % 4),
    callback_url: receiver.origin + hookOf(index),
    metadata: { index },
  };
}

async function registerAll(): Promise<string[]> {
  const ids: string[] = [];
  const indexes = Array.from({ length: JOBS }, (_, index) => index);
  const next = async (): Promise<void> => {
    for (let index = indexes.shift(); index !== undefined; index = indexes.shift())
      ids[index] = await setting.register(queue(index));
  };
  await Promise.all(Array.from({ length: 16 }, next));
  return ids;
}

/** Every job of the tenant's list, page by page. */
async function listed(): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Response = await setting.call("GET", `/v1/jobs?limit=100${cursor && `&cursor=${cursor}`}`);
    const { jobs, next_cursor } = (await page.json()) as { jobs: Job[]; next_cursor: string | null };
    seen.push(...jobs.map(({ id, status }) => `${id} ${status}`));
    cursor = next_cursor;
  }
  return seen.sort();
}

const isAccepted = (index: number): boolean =>
  setting.receiver.deliveries(hookOf(index)).some(({ status, verified }) => status === 204 && verified);

describe("a crash of the whole runtime", () => {
  it("loses no event and sends no second version of one", async () => {
    setting = await Setting.create();
    await setting.start();
    const { receiver } = setting;
    const ids = await registerAll();
    expect(new Set(ids).size).toBe(JOBS);

    // The moment at which some are through, some are in the middle, and some have not begun.
    const delivered = () => receiver.deliveries().filter(({ status }) => status === 204).length;
    const inFlight = () => receiver.deliveries().filter(({ status }) => status === null).length;
    while (delivered() < JOBS / 10 || inFlight() < 5) await sleep(10);
    await setting.crash();
    const reached = new Set(receiver.deliveries().map(({ path }) => path)).size;
    expect(inFlight()).toBeGreaterThan(0);
    expect(reached).toBeLessThan(JOBS);

    await setting.start();
    const limit = Date.now() + ALL_ARRIVED_LIMIT_MS;
    const missing = () => ids.flatMap((_, index) => (isAccepted(index) ? [] : [index]));
    while (missing().length > 0 && Date.now() < limit) await sleep(100);
    expect(missing()).toEqual([]);

    for (const [index, id] of ids.entries()) {
      const seen = receiver.deliveries(hookOf(index));
      expect(new Set(seen.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
      expect(new Set(seen.map(({ bodySha256 }) => bodySha256)).size).toBe(1);
      const event = JSON.parse(seen[0]?.body ?? "") as object;
      expect(event).toMatchObject({ type: "job.succeeded", data: { job_id: id, metadata: { index } } });
    }
    expect(receiver.deliveries().every(({ verified }) => verified)).toBe(true);
    // Interrupted attempts went out again: what proves that the crash hit something.
    expect(receiver.deliveries().length).toBeGreaterThan(JOBS);

    const undelivered = async () => {
      const jobs = await Promise.all(ids.map((id) => setting.job(id)));
      return jobs.filter(({ status }) => status !== "delivered").map(({ id, status }) => `${id} ${status}`);
    };
    await expect.poll(undelivered, { timeout: 20_000, interval: 250 }).toEqual([]);

    // The index has caught up, too: each job once, as it says of itself.
    await expect
      .poll(listed, { timeout: 90_000, interval: 500 })
      .toEqual(ids.map((id) => `${id} delivered`).sort());
  }, 250_000);
});
