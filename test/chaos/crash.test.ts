/**
 * The crash part of `npm run chaos` in short: jobs of the quick kinds, a few kills, one rotation of the master key, on a
 * node whose jobs share objects and on one where each has its own. Without a full disk and without another clock.
 */
import { describe, expect, it } from "vitest";
import { mainRun } from "./crash/main-run.ts";
import { newSeed } from "./crash/random.ts";

const LIMIT_MS = 400_000;

describe("a node that is killed at random moments", () => {
  it.concurrent.each([
    ["share eight objects a tenant", 8, 200],
    ["have an object each", 0, 100],
  ])(
    "loses no event and no alarm, sends none in two versions, and leaves nothing behind, where jobs %s",
    async (name, shards, jobs) => {
      const seed = newSeed();
      const kills = { kills: 3, killsAtEnd: 1, killMostMs: 2_500 };
      const tally = await mainRun({ name, shards, jobs, seed, ...kills, isQuick: true });
      expect(tally.failures).toEqual([]);
      expect(tally).toMatchObject({ jobs, kills: 4, lost: 0, different: 0, alarmsMissing: 0, left: 0 });
      expect(tally.expected).toBeGreaterThan(jobs / 2);
      expect(tally.undelivered).toBeGreaterThan(0);
      // What proves that the kills hit something: calls without an answer, and jobs on disk to look at.
      expect(tally.unanswered).toBeGreaterThan(0);
      expect(tally.jobsSeen).toBeGreaterThan(jobs);
    },
    LIMIT_MS,
  );
});
