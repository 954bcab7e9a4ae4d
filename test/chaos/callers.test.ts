/**
 * Hostile callers, in small: some thousands of fuzzed requests and broken bytes, and whatever is answered, delivered or
 * logged meanwhile holds. `npm run chaos` sends two hundred thousand.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "./callers/document.ts";
import { callersBody } from "./callers/section.ts";
import { runStorm, type Storm } from "./callers/storm.ts";

const REQUESTS = 6_000;
/** Of a quiet machine it takes some seconds. */
const LIMIT_MS = 300_000;

let storm: Storm;
beforeAll(async () => {
  const seed = Date.now() % 2 ** 31;
  storm = await runStorm({ seed, requests: REQUESTS, callLanes: 24, rawLanes: 8, isWhole: false });
}, LIMIT_MS);

describe("hostile callers", () => {
  it("get no 5xx, wait for nothing and learn nothing that is not theirs", () => {
    expect(storm.ledger.failures).toEqual([]);
    expect(storm.ledger.faults).toBe(0);
    expect(storm.ledger.requests).toBeGreaterThanOrEqual(REQUESTS);
  });

  it("reach every operation, with what is done and with what is refused", () => {
    for (const [{ id, statuses }, counts] of storm.ledger.coverage.byOperation) {
      const seen = counts.map(([status]) => status);
      const isDone = (status: string) => /^2/.test(status);
      expect.soft(seen.some(isDone), `${id} done: ${seen}`).toBe(true);
      if (statuses.includes("401")) expect.soft(seen, id).toEqual(expect.arrayContaining(["401", "403"]));
    }
    expect(OPERATIONS.length).toBeGreaterThan(30);
  });

  it("reach jobs that are polled and delivered, and the logs tell of them", () => {
    expect(storm.deliveries).toBeGreaterThan(10);
    expect(storm.providerCalls).toBeGreaterThan(10);
    expect(storm.logLines).toBeGreaterThan(100);
    expect(storm.ledger.described).toBeGreaterThan(100);
  });

  it("are reported in counts", () => {
    expect(callersBody(storm)).toContain("| no answer in time | 0 |");
  });
});
