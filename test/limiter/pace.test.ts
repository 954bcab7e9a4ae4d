import { describe, expect, it } from "vitest";
import { isForgotten, rateOf, type Turn } from "../../src/limiter/pace.ts";
import { DAY, HOUR, Line, MINUTE, NOW, SECOND, settled } from "./line.ts";

describe("the first 429 on a key", () => {
  it("sends its job back for as long as the provider asked, and no longer", () => {
    expect(new Line().limited(NOW, 7)).toMatchObject({ kind: "wait", until: NOW + 7 * SECOND });
  });

  it.each([
    [0, SECOND],
    [1, SECOND],
    [86_400, DAY],
    [1e300, DAY],
  ])("that asks for %d s is taken as a wait of %d ms", (seconds, ms) => {
    expect(new Line().limited(NOW, seconds)).toMatchObject({ until: NOW + ms });
  });

  it("holds up another job for as long, and spreads both", () => {
    const line = new Line();
    const first = line.limited(NOW, 30);
    const second = line.take(NOW + 10);
    expect(first).toMatchObject({ kind: "wait", until: NOW + 30 * SECOND });
    expect(second).toMatchObject({ kind: "wait", until: NOW + 31 * SECOND });
    expect(line.take(NOW + 30 * SECOND - 1, first.turn).kind).toBe("wait");
    expect(line.take(NOW + 30 * SECOND, first.turn).kind).toBe("go");
  });

  it("gives a thousand jobs that are refused with it a place each, and no more than a rate to find", () => {
    const line = new Line();
    const turns = Array.from({ length: 1_000 }, (_, i) => line.limited(NOW + i, 1, null, NOW - 50).turn);
    expect(new Set(turns.map(({ position }) => position)).size).toBe(1_000);
    expect(new Set(turns.map(({ episode }) => episode))).toEqual(new Set([NOW]));
    expect(line.pace?.cutAt).toBe(NOW);
  });
});

describe("the rate", () => {
  it.each([
    [0, 1],
    [2_000, 2],
    [4_000, 4],
    [10_000, 32],
    [60_000, 100],
  ])("has doubled every 2 s, after %d ms of use, while nothing is known of the limit", (ageMs, rate) => {
    const line = new Line();
    line.limited(NOW);
    expect(line.pace && rateOf({ ...line.pace, ageMs })).toBe(rate);
  });

  it.each([
    [0, 2],
    [20_000, 2],
    [40_000, 2.2],
    [60_000, 2.8],
    [120_000, 7],
    [600_000, 100],
  ])("is held for 20 s, then rises ever faster: after %d ms of use, from 2 a second to %d", (ageMs, rate) => {
    const { pace } = settled();
    expect(pace && rateOf({ ...pace, ageMs })).toBeCloseTo(rate);
  });

  it("rises in use past what was too much", () => {
    const line = settled();
    const times = line.busy(NOW + 7 * SECOND, NOW + 4 * MINUTE);
    expect(line.rate).toBeGreaterThan(2 * (line.pace?.ceiling ?? 0));
    expect(times.length).toBeGreaterThan(300);
  });

  it("falls with the 429 of a poll that was let go", () => {
    const line = new Line();
    line.limited(NOW);
    line.busy(NOW, NOW + 15 * SECOND);
    const before = line.rate;
    const at = NOW + 15 * SECOND;
    line.limited(at + 100, 1, { episode: NOW }, at);
    expect(line.rate).toBeLessThan(before * 0.6);
  });

  it("falls once for all polls that were under way, and again for one that was sent since", () => {
    const line = settled();
    const { pace } = line;
    const turn: Turn = { episode: pace?.episode ?? 0 };
    line.limited(NOW + 5_450, 1, turn, NOW + 5_400);
    expect(line.pace?.base).toBe(pace?.base);
    line.limited(NOW + 6_600, 1, turn, NOW + 6_500);
    expect(line.pace?.base).toBeLessThan(pace?.base ?? 0);
  });

  it("is not touched by a poll that was made without being let go", () => {
    const line = settled();
    const { base } = line.pace ?? { base: 0 };
    line.limited(NOW + 20 * SECOND, 1, null);
    line.limited(NOW + 20 * SECOND, 1, { episode: NOW, position: 3 });
    expect(line.pace?.base).toBe(base);
  });

  it("never falls below one poll in 10 s", () => {
    const line = settled();
    for (let i = 1; i < 50; i++) line.limited(NOW + i * MINUTE, 1, { episode: NOW });
    expect(line.rate).toBe(0.1);
  });

  it("is held for three times the wait that a try for more has cost", () => {
    const line = settled();
    line.limited(NOW + 10 * SECOND, 30, { episode: NOW });
    expect(line.pace?.holdMs).toBe(90 * SECOND);
  });

  it("does not rise while nobody stands in line", () => {
    const line = settled();
    const { rate } = line;
    for (let at = NOW + 7 * SECOND; at < NOW + 55 * SECOND; at += 5 * SECOND) line.take(at);
    expect(line.rate).toBe(rate);
  });
});

describe("the line", () => {
  it("lets nobody save up what was not used", () => {
    const line = settled();
    line.goOf(NOW + 7 * SECOND);
    const later = NOW + 50 * SECOND;
    const taken = Array.from({ length: 20 }, () => line.take(later));
    expect(taken.filter(({ kind }) => kind === "go")).toHaveLength(1);
  });

  it("keeps late arrivals apart, and gives each of them a time that nobody else gets", () => {
    const line = settled();
    const turns = Array.from({ length: 20 }, () => {
      const taken = line.take(NOW + 7 * SECOND);
      return taken.kind === "free" ? null : taken.turn;
    });
    // All of them come when the time of each is long past.
    const late = NOW + 40 * SECOND;
    const times = turns.slice(1).map((turn) => line.goOf(late, turn).at);
    expect(times[0]).toBe(late);
    times.sort((a, b) => a - b);
    for (const [i, at] of times.slice(1).entries())
      expect(at - (times[i] ?? 0)).toBeGreaterThan((0.8 * SECOND) / line.rate);
  });

  it("gives back its place to a job that was let go and refused, ahead of all others", () => {
    const line = settled();
    const waiting = Array.from({ length: 10 }, () => line.take(NOW + 5_500));
    const refused = line.limited(NOW + 6_400, 2, { episode: NOW });
    expect(refused.until).toBe(NOW + 8_400);
    for (const taken of waiting)
      expect(refused.turn.position).toBeLessThan(
        taken.kind === "wait" ? (taken.turn.position ?? 0) : Number.NaN,
      );
  });

  it("keeps the place of a job that polled because the limiter did not answer", () => {
    const line = settled();
    const turn: Turn = { episode: NOW, position: 40 };
    expect(line.limited(NOW + 7 * SECOND, 1, turn).turn).toEqual(turn);
  });

  it("gives a new place to a turn from an earlier time of being limited", () => {
    const line = settled();
    const before = line.pace?.tail;
    expect(line.take(NOW + 5_500, { episode: NOW - DAY, position: 7 })).toMatchObject({
      kind: "wait",
      turn: { episode: NOW, position: before },
    });
  });

  it("voids a reserved time when the provider asks for a longer wait", () => {
    const line = settled();
    const turn: Turn = { episode: NOW, position: 0, slot: NOW + 8 * SECOND };
    line.limited(NOW + 7 * SECOND, 30);
    const taken = line.take(NOW + 8 * SECOND, turn);
    expect(taken.kind === "wait" && taken.until).toBeGreaterThanOrEqual(NOW + 37 * SECOND);
  });

  it("voids a reserved time when the rate is cut", () => {
    const line = settled();
    const turn: Turn = { episode: NOW, position: 12, slot: NOW + 12 * SECOND, cutAt: NOW };
    expect(line.take(NOW + 6_400, turn).kind).toBe("wait");
    expect(line.take(NOW + 6_400, { ...turn, slot: NOW + 6_400 }).kind).toBe("wait");
    expect(line.take(NOW + 6_400, { ...turn, slot: NOW + 6_400, cutAt: NOW + 5_400 }).kind).toBe("go");
  });

  it("lets those who were held up together go one by one, though each has a time of his own", () => {
    const line = settled();
    const late = NOW + 20 * SECOND;
    const slots = [0, 1, 2, 3, 4].map((i) => ({
      episode: NOW,
      position: i,
      slot: NOW + 7_000 + i * 450,
      cutAt: NOW + 5_400,
    }));
    const [first, ...others] = slots.map((turn) => line.take(late, turn));
    expect(first?.kind).toBe("go");
    const told = others.map((taken) => (taken.kind === "wait" ? taken.until - late : 0));
    expect(told).toEqual([450, 900, 1_350, 1_800]);
  });

  it("tells who is near his time that time, and who is far off to ask on the way", () => {
    const line = settled();
    const told = Array.from({ length: 400 }, () => line.take(NOW + 5_500)).map((taken) =>
      taken.kind === "wait" ? taken.until - (NOW + 6_400) : 0,
    );
    const gap = SECOND / line.rate;
    expect((told[1] ?? 0) - (told[0] ?? 0)).toBeCloseTo(gap, -1);
    expect(told[100]).toBeGreaterThan(50 * gap);
    expect(told[100]).toBeLessThan(80 * gap);
    // At most a minute.
    expect(Math.max(...told)).toBeLessThanOrEqual(MINUTE);
  });

  it("is asked no more than some hundred times a second, however long it is", () => {
    const line = settled();
    for (let i = 0; i < 100_000; i++) line.take(NOW + 5_500);
    const last = line.take(NOW + 5_500);
    // In 5 minutes to 8: about 250 a second.
    expect(last.kind === "wait" && last.until).toBeGreaterThan(NOW + 5 * MINUTE);
    expect(last.kind === "wait" && last.until).toBeLessThan(NOW + 9 * MINUTE);
  });
});

describe("the end of a limit", () => {
  it("comes a minute after the wait of the last 429, when nobody stands in line", () => {
    const line = new Line();
    line.limited(NOW, 5);
    line.goOf(NOW + 5 * SECOND, { episode: NOW, position: 0 });
    expect(line.take(NOW + 65 * SECOND - 1).kind).toBe("go");
    expect(line.take(NOW + 70 * SECOND).kind).toBe("free");
  });

  it("does not come while there is a line", () => {
    const line = new Line();
    line.limited(NOW, 5);
    for (let i = 0; i < 100_000; i++) line.take(NOW + 64 * SECOND);
    expect(line.take(NOW + 66 * SECOND).kind).toBe("wait");
  });

  it("leaves behind for an hour what was too much", () => {
    const line = settled();
    const ceiling = line.pace?.ceiling ?? 0;
    const again = NOW + 30 * MINUTE;
    line.limited(again);
    expect(line.pace).toMatchObject({ episode: again, ceiling });
    expect(line.rate).toBeCloseTo(0.8 * ceiling);
    const muchLater = again + SECOND + HOUR;
    expect([muchLater - 1, muchLater].map((at) => line.pace && isForgotten(line.pace, at))).toEqual([
      false,
      true,
    ]);
    line.limited(muchLater);
    expect(line.rate).toBe(1);
  });
});
