/**
 * Peers that do as they please, against plain workerd: the short form of what `npm run chaos -- --only peers` does. All of
 * the catalogue, but for most of what only a time limit ends.
 */
import { randomInt } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { BAD_ANSWERS } from "./peers/catalogue/index.ts";
import { type PeersResult, runPeers } from "./peers/run.ts";

/** What each class of slowness is shown by. */
const SLOW = ["silence", "a body that comes byte by byte", "half of its length, and silence"];

describe("the catalogue of bad answers", () => {
  it("names each of them once, 80 of a provider and 60 of a receiver at least", () => {
    expect(new Set(BAD_ANSWERS.map(({ group, name }) => `${group} ${name}`)).size).toBe(BAD_ANSWERS.length);
    expect(BAD_ANSWERS.filter(({ provider }) => provider).length).toBeGreaterThanOrEqual(80);
    expect(BAD_ANSWERS.filter(({ receiver }) => receiver).length).toBeGreaterThanOrEqual(60);
  });
});

describe("a node among bad peers", () => {
  let result: PeersResult;
  beforeAll(async () => {
    result = await runPeers(
      {
        jobShards: "8",
        slow: ({ name }) => SLOW.includes(name),
        stubborn: () => false,
        mayWait: false,
        atOneTime: 128,
        generations: 60,
        roundTrips: 60,
        healthy: 40,
      },
      randomInt(2 ** 31),
    );
  }, 240_000);

  it("brings every job to the end that its peers' answers lead to, in bounded memory, and tells no key", () => {
    expect(result.failures).toEqual([]);
  });

  it("met what it should have met", () => {
    expect(result.followed.length).toBeGreaterThan(500);
    expect(result.bombs).toBeGreaterThan(25);
    expect(result.healthy.jobs).toBe(40);
    expect(result.generations.calls).toBe(60);
    expect(result.generations.callbacks).toBeGreaterThan(5);
    expect(result.roundTrips.compared).toBe(60);
    expect(result.neighbours.reused).toBeGreaterThan(0);
  });
});
