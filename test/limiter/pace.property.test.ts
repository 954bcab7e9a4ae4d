import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOver, limited, type Pace, rateOf, type Turn, take } from "../../src/limiter/pace.ts";
import { Line, NOW, SECOND, settled } from "./line.ts";

/** What jobs may do to a limiter, in any order: time passes, a job asks, a poll is refused. */
const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 })),
    job: fc.integer({ min: 0, max: 30 }),
    refused: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
    waitSeconds: fc.integer({ min: 0, max: 40 }),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  }),
  { maxLength: 200 },
);

/** Plays the steps; says what was let go, and when. */
function play(script: typeof steps extends fc.Arbitrary<infer T> ? T : never) {
  const turns = new Map<number, Turn>();
  const gone: { at: number; notBefore: number; rate: number }[] = [];
  let pace: Pace = limited(null, { waitSeconds: 1, sentAt: NOW, turn: null }, NOW, 0).pace;
  let notBefore = NOW + SECOND;
  let now = NOW;
  for (const { afterMs, job, refused, waitSeconds, random } of script) {
    now += afterMs;
    const turn = turns.get(job) ?? null;
    if (refused) {
      const told = limited(pace, { waitSeconds, sentAt: now - 100, turn }, now, random);
      pace = told.pace;
      notBefore = Math.max(notBefore, now + waitSeconds * SECOND);
      expect(told.taken.until).toBeGreaterThanOrEqual(notBefore);
      turns.set(job, told.taken.turn);
      continue;
    }
    const { pace: after, taken } = take(pace, turn, now, random);
    pace = after;
    if (taken.kind === "free") {
      expect(isOver(pace, now)).toBe(true);
      turns.delete(job);
      continue;
    }
    turns.set(job, taken.turn);
    if (taken.kind === "go") gone.push({ at: now, notBefore, rate: rateOf(pace) });
    else expect(taken.until).toBeGreaterThanOrEqual(notBefore);
  }
  return { gone, pace, turns, now };
}

describe("whatever jobs do", () => {
  it("nobody is let go, or told to come, before the provider's wait is over", () => {
    fc.assert(
      fc.property(steps, (script) => {
        for (const { at, notBefore } of play(script).gone) expect(at).toBeGreaterThanOrEqual(notBefore);
      }),
    );
  });

  it("polls that wait in line are let go no faster than the rate, but for a little catching up", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 60 }),
        (lateness) => {
          const line = settled();
          const turns = lateness.map(() => {
            const taken = line.take(NOW + 5_500);
            return taken.kind === "wait" ? taken.turn : null;
          });
          // Each comes late in its own way, in any order; who is sent away once more has a time of its own.
          const arrivals = lateness.map((late, i) => ({ at: NOW + 7_000 + late, turn: turns[i] ?? null }));
          const gone: number[] = [];
          for (let next = arrivals.sort((a, b) => a.at - b.at).shift(); next; ) {
            const taken = line.take(next.at, next.turn);
            if (taken.kind === "go") gone.push(next.at);
            else if (taken.kind === "wait") arrivals.push({ at: taken.until, turn: taken.turn });
            next = arrivals.sort((a, b) => a.at - b.at).shift();
          }
          expect(gone).toHaveLength(lateness.length);
          for (const [i, at] of gone.entries()) {
            const inOneSecond = gone.slice(i).filter((other) => other < at + SECOND).length;
            expect(inOneSecond).toBeLessThanOrEqual(Math.ceil(line.rate / 0.9) + 1);
          }
        },
      ),
    );
  });

  it("everybody who keeps asking is let go in the end", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { turns, now, pace } = play(script);
        const line = new Line();
        line.pace = pace;
        for (const turn of turns.values()) {
          let [at, mine, asked]: [number, Turn | null, number] = [now, turn, 0];
          for (let taken = line.take(at, mine); taken.kind === "wait"; taken = line.take(at, mine)) {
            [at, mine] = [Math.max(at, taken.until), taken.turn];
            expect(++asked).toBeLessThan(50);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
