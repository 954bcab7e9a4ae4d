import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Gate, LEASE_MS } from "../../src/tenant/gate.ts";

const NOW = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const entered = (gate: Gate, jobId: string, most = 2, ms = 0, now = NOW, destination = "app") =>
  gate.enter({ jobId, destination, most, isCalled: false }, now, ms);

describe("places", () => {
  it("are given out up to the limit, and not beyond", async () => {
    const gate = new Gate();
    expect(await Promise.all(["a", "b", "c"].map((id) => entered(gate, id)))).toEqual([true, true, false]);
    expect(gate.inFlight(NOW)).toBe(2);
  });

  it("are given out anew when they are left", async () => {
    const gate = new Gate();
    await entered(gate, "a");
    await entered(gate, "b");
    gate.leave("a", NOW);
    expect(await entered(gate, "c")).toBe(true);
  });

  it("go to those who wait, in their order", async () => {
    const gate = new Gate();
    await entered(gate, "a", 1);
    const order: string[] = [];
    const waiting = ["b", "c"].map((id) =>
      entered(gate, id, 1, 1_000).then((granted) => order.push(`${id} ${granted}`)),
    );
    gate.leave("a", NOW);
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(["b true"]);
    // Whoever comes now does not pass the one who waits.
    gate.leave("b", NOW);
    await Promise.all(waiting);
    expect(order).toEqual(["b true", "c true"]);
    expect(gate.inFlight(NOW)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are waited for no longer than was said, and then not taken", async () => {
    const gate = new Gate();
    await entered(gate, "a", 1);
    const waiting = entered(gate, "b", 1, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toBe(false);
    gate.leave("a", NOW);
    expect(gate.inFlight(NOW)).toBe(0);
    expect(await entered(gate, "c", 1)).toBe(true);
  });

  it("are free again after a while, should nobody report", async () => {
    const gate = new Gate();
    await entered(gate, "a", 1);
    expect(await entered(gate, "b", 1, 0, NOW + LEASE_MS - 1)).toBe(false);
    expect(gate.nextLeaseEnd()).toBe(NOW + LEASE_MS);
    expect(await entered(gate, "b", 1, 0, NOW + LEASE_MS)).toBe(true);
  });

  it("of one job is one, however often it asks", async () => {
    const gate = new Gate();
    await entered(gate, "a", 2);
    await entered(gate, "a", 2);
    expect(gate.inFlight(NOW)).toBe(1);
  });
});

describe("several destinations on one host", () => {
  it("keep each to their own number, and together to the greatest", async () => {
    const gate = new Gate();
    const small = (id: string) => entered(gate, id, 1, 0, NOW, "small");
    const large = (id: string) => entered(gate, id, 3, 0, NOW, "large");
    expect(await Promise.all([large("a"), large("b"), small("c"), small("d"), large("e")])).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("do not wait behind each other where there is a place for one of them", async () => {
    const gate = new Gate();
    await entered(gate, "a", 1, 0, NOW, "small");
    const waiting = entered(gate, "b", 1, 1_000, NOW, "small");
    expect(await entered(gate, "c", 3, 0, NOW, "large")).toBe(true);
    gate.leave("a", NOW);
    expect(await waiting).toBe(true);
  });
});

describe("a guest who was called", () => {
  const called = (gate: Gate, jobId: string, now = NOW) =>
    gate.enter({ jobId, destination: "app", most: 1, isCalled: true }, now, 1_000);

  it("does not wait behind those who were not, and who may not go", async () => {
    const gate = new Gate();
    await entered(gate, "a", 1);
    const waiting = entered(gate, "b", 1, 1_000);
    gate.leave("a", NOW, ({ isCalled }) => isCalled);
    expect(await called(gate, "c")).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toBe(false);
  });

  it("gets the place that nobody has reported free before the next one does", async () => {
    const gate = new Gate();
    await entered(gate, "a", 1);
    const first = called(gate, "b");
    const second = called(gate, "c", NOW + LEASE_MS);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([await first, await second]).toEqual([true, false]);
  });
});

describe("a place that is left", () => {
  it("is not for those who may not go", async () => {
    const gate = new Gate();
    await entered(gate, "a", 1);
    const waiting = entered(gate, "b", 1, 1_000);
    gate.leave("a", NOW, () => false);
    expect(gate.inFlight(NOW)).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toBe(false);
  });

  it("is kept for longer than asking and an attempt can take", () => {
    const [askMs, answerMs, bodyMs] = [2_000, 15_000, 1_000];
    expect(LEASE_MS).toBeGreaterThan(askMs + answerMs + bodyMs);
  });
});

describe("a gate", () => {
  it("is idle when nobody is under way or waits", async () => {
    const gate = new Gate();
    expect(gate.isIdle(NOW)).toBe(true);
    await entered(gate, "a");
    expect(gate.isIdle(NOW)).toBe(false);
    gate.leave("a", NOW);
    expect(gate.isIdle(NOW)).toBe(true);
  });
});
