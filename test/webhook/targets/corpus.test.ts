import { describe, expect, it } from "vitest";
import { judgeTarget } from "../../../src/webhook/target.ts";
import { ACCEPTED } from "./accepted.ts";
import { agreement } from "./oracle.ts";
import { REFUSED } from "./refused.ts";
import { counts, misjudged, POLICY } from "./verdicts.ts";

/** `npm run chaos -- --only targets` does 500,000. */
const ORACLE_CASES = 6_000;

describe("the corpus of callback URLs", () => {
  it("has at least 400 that are refused and 100 that are accepted, no two with the same text", () => {
    expect(REFUSED.length).toBeGreaterThanOrEqual(400);
    expect(ACCEPTED.length).toBeGreaterThanOrEqual(100);
    const urls = [...REFUSED, ...ACCEPTED].map(({ url }) => url);
    expect(new Set(urls).size).toBe(urls.length);
    for (const [group, count] of counts([...REFUSED, ...ACCEPTED]))
      expect.soft(count, group).toBeGreaterThan(1);
  });

  it("is judged as it says, each URL with its own reason", () => {
    expect(misjudged()).toEqual([]);
  });

  it("is judged the same once more, as what came out of it", () => {
    for (const { url } of ACCEPTED) {
      const judged = judgeTarget(url, POLICY);
      expect.soft(judged.ok && judgeTarget(judged.url, POLICY), url).toEqual(judged);
    }
  });
});

describe("any address in any spelling", () => {
  it("is public to target.ts where it is to ipaddr.js, and by the registries", () => {
    const { cases, refused, accepted, kinds } = agreement(ORACLE_CASES);
    expect(cases).toBe(ORACLE_CASES);
    // Or it has proved little.
    for (const count of [refused, accepted, ...Object.values(kinds)])
      expect(count).toBeGreaterThan(cases / 10);
  });
});
