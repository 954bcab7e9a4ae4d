import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hintedLaw,
  type Law,
  type Learned,
  merge,
  observe,
  plainLaw,
  usable,
} from "../../src/job/learned.ts";

const NUMBERS = 125;
const LEAD = NUMBERS - 1;

interface Lesson {
  readonly eta: number | null;
  readonly after: number;
  readonly until: number | null;
}

const learnedOf = (lessons: readonly Lesson[], from: Learned | null = null): Learned =>
  lessons.reduce<Learned | null>((learned, { eta, ...seen }) => observe(learned, eta, seen), from) ??
  new Float32Array(NUMBERS);

/** So many jobs that end between those. */
const jobs = (count: number, eta: number | null, after: number, until: number | null): Lesson[] =>
  Array.from({ length: count }, () => ({ eta, after, until }));

/** The share of jobs that the law has end between those, each bin even in itself. */
function shareBetween({ masses, edges }: Law, from: number, to: number): number {
  const all = masses.reduce((a, b) => a + b);
  const inside = masses.map((mass, i) => {
    const [start = 0, end = 0] = [edges[i], edges[i + 1]];
    if (end === Number.POSITIVE_INFINITY) return to > start ? mass : 0;
    return (mass * Math.max(Math.min(to, end) - Math.max(from, start), 0)) / (end - start);
  });
  return inside.reduce((a, b) => a + b) / all;
}

describe("what is expected", () => {
  it("before anything is learned lies around the eta, or around 16 s, and hardly ever never", () => {
    const hinted = hintedLaw(null, 40);
    expect(shareBetween(hinted as Law, 20, 80)).toBeGreaterThan(0.4);
    expect(shareBetween(plainLaw(null), 4, 64)).toBeGreaterThan(0.4);
    for (const law of [hinted as Law, plainLaw(null)])
      expect(shareBetween(law, law.edges.at(-2) ?? 0, Number.POSITIVE_INFINITY)).toBeCloseTo(0.01, 9);
  });

  it("of an eta is nothing where there is none, or none that makes sense", () => {
    for (const eta of [null, 0, -1, Number.NaN]) expect(hintedLaw(null, eta)).toBeNull();
  });

  it("after many jobs is where they ended", () => {
    const learned = learnedOf(jobs(100, 20, 55, 65));
    expect(shareBetween(hintedLaw(learned, 20) ?? plainLaw(learned), 45, 80)).toBeGreaterThan(0.9);
    expect(shareBetween(plainLaw(learned), 45, 80)).toBeGreaterThan(0.9);
  });

  it("goes by the eta where that foretells more, and drops it where it says nothing", () => {
    const good = [5, 20, 80, 320].flatMap((eta) => jobs(10, eta, 0.9 * eta, 1.1 * eta));
    expect(hintedLaw(learnedOf(good), 20)).not.toBeNull();
    const worthless = [5, 20, 80, 320].flatMap((eta) => jobs(10, eta, 38, 42));
    expect(hintedLaw(learnedOf(worthless), 20)).toBeNull();
  });

  it("trusts etas again soon after a long time in which they were worthless", () => {
    const worthless = [1, 20, 400, 8_000].flatMap((eta) => jobs(500, eta, 38, 42));
    const good = [5, 20, 80, 320].flatMap((eta) => jobs(15, eta, 0.9 * eta, 1.1 * eta));
    expect(hintedLaw(learnedOf(worthless), 20)).toBeNull();
    expect(hintedLaw(learnedOf(good, learnedOf(worthless)), 20)).not.toBeNull();
  });
});

describe("a job that was seen", () => {
  it("counts as one, spread over the time in which it may have ended as others ended", () => {
    const before = learnedOf(jobs(20, null, 10, 12));
    const after = observe(before, null, { after: 5, until: 40 });
    const massOf = (learned: Learned) => learned.reduce((a, b) => a + b);
    expect(massOf(after) - massOf(before)).toBeCloseTo(1 - massOf(before) / 100, 4);
    // It was most likely like the others, not anywhere between 5 and 40 s.
    expect(shareBetween(plainLaw(after), 8.5, 14.5)).toBeGreaterThan(0.8);
  });

  it("without an eta says nothing of etas", () => {
    const learned = observe(null, null, { after: 5, until: 6 });
    expect(hintedLaw(learned, 20)).toEqual(hintedLaw(null, 20));
  });

  it("that was not finished by its deadline takes longer than that", () => {
    const learned = learnedOf(jobs(100, 20, 30, null));
    expect(shareBetween(plainLaw(learned), 0, 29)).toBeLessThan(0.05);
  });

  it.each([
    ["ends before it begins", { after: 5, until: 4 }],
    ["takes no time", { after: 5, until: 5 }],
    ["begins before its registration", { after: -1, until: 4 }],
    ["is no number", { after: Number.NaN, until: 4 }],
    ["never seems to be over", { after: Number.POSITIVE_INFINITY, until: null }],
  ])("teaches nothing where it %s", (_, seen) => {
    const before = learnedOf(jobs(3, 20, 10, 12));
    expect(observe(before, 20, seen)).toEqual(before);
  });

  it("is half forgotten after some 70 others", () => {
    const before = learnedOf(jobs(1, null, 3.5, 3.8));
    const share = (more: number) =>
      shareBetween(plainLaw(learnedOf(jobs(more, null, 300, 310), before)), 3.4, 4);
    const massOf = (more: number) => share(more) * (2 + (1 - 0.99 ** (more + 1)) * 100);
    expect(massOf(70) / massOf(0)).toBeGreaterThan(0.45);
    expect(massOf(70) / massOf(0)).toBeLessThan(0.65);
  });
});

describe("the state", () => {
  const seconds = fc.double({ min: 0, max: 1e6, noNaN: true });
  const lesson = fc.record({ eta: fc.option(seconds), after: seconds, until: fc.option(seconds) });
  const lessons = fc.array(lesson, { maxLength: 40 });

  it("is 500 bytes and fit for use, whatever it has seen", () => {
    expect(learnedOf([]).byteLength).toBe(500);
    fc.assert(
      fc.property(lessons, (lessons) => {
        const learned = learnedOf(lessons);
        expect(learned).toHaveLength(NUMBERS);
        expect(usable(learned)).toBe(learned);
      }),
    );
  });

  it("never holds more than 100 jobs", () => {
    const learned = learnedOf(jobs(3_000, 20, 18, 22));
    expect(learned.subarray(0, 62).reduce((a, b) => a + b)).toBeCloseTo(100, 1);
    expect(usable(learned)).toBe(learned);
  });

  it("merges: both are in it, in any order, never more than 100 jobs, and fit for use", () => {
    fc.assert(
      fc.property(lessons, lessons, (one, other) => {
        const [a, b] = [learnedOf(one), learnedOf(other)];
        expect(merge(a, b)).toEqual(merge(b, a));
        expect(usable(merge(a, b))).not.toBeNull();
      }),
    );
    const quick = learnedOf(jobs(400, 20, 9, 11));
    const slow = learnedOf(jobs(400, 20, 90, 110));
    const both = merge(quick, slow);
    expect(both.subarray(62, 124).reduce((a, b) => a + b)).toBeCloseTo(100, 1);
    expect(shareBetween(plainLaw(both), 8, 13)).toBeCloseTo(0.5, 1);
    expect(shareBetween(plainLaw(both), 80, 120)).toBeCloseTo(0.45, 1);
    expect(merge(quick, new Float32Array(NUMBERS))).toEqual(quick);
  });

  it.each([
    ["another length", new Float32Array(NUMBERS - 1)],
    ["another kind of array", new Float64Array(NUMBERS)],
    ["no array", "learned"],
    ["nothing", null],
    ["nothing at all", undefined],
    ["a mass that is no number", new Float32Array(NUMBERS).fill(Number.NaN, 3, 4)],
    ["an infinite mass", new Float32Array(NUMBERS).fill(Number.POSITIVE_INFINITY, 3, 4)],
    ["a mass below nothing", new Float32Array(NUMBERS).fill(-0.1, 3, 4)],
    ["more mass than can be learned", new Float32Array(NUMBERS).fill(201, 3, 4)],
    ["a lead that is no number", new Float32Array(NUMBERS).fill(Number.NaN, LEAD)],
  ])("is of no use with %s", (_, value) => {
    expect(usable(value)).toBeNull();
  });

  it("may say that etas are worth less than nothing", () => {
    expect(usable(new Float32Array(NUMBERS).fill(-3, LEAD))).not.toBeNull();
  });
});
