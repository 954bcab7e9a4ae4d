import { describe, expect, it } from "vitest";
import {
  afterAttempt,
  HEALTHY,
  type Health,
  halfOpen,
  isOpen,
  mayProbe,
  probeUnused,
  withProbe,
} from "../../src/tenant/breaker.ts";
import { MINUTE, REGISTERED_AT as NOW, SECOND } from "../support/jobs.ts";

const failing = (times: number, from: Health = HEALTHY): Health =>
  Array.from({ length: times }).reduce<Health>((health) => afterAttempt(health, "failed", NOW), from);

describe("a closed breaker", () => {
  it("stays closed after 9 failures in a row", () => {
    expect(failing(9)).toEqual({ ...HEALTHY, failures: 9 });
    expect(isOpen(failing(9))).toBe(false);
  });

  it("opens with the tenth, and lets the first probe out 30 s later", () => {
    const open = failing(10);
    expect(open).toEqual({ failures: 10, openedAt: NOW, probes: 0, nextProbeAt: NOW + 30 * SECOND });
    expect(mayProbe(open, NOW + 30 * SECOND - 1)).toBe(false);
    expect(mayProbe(open, NOW + 30 * SECOND)).toBe(true);
  });

  it("begins to count anew after a success", () => {
    expect(isOpen(failing(9, afterAttempt(failing(9), "ok", NOW)))).toBe(false);
  });

  it("does not change by a success while it has seen no failure", () => {
    expect(afterAttempt(HEALTHY, "ok", NOW)).toBe(HEALTHY);
  });
});

describe("an open breaker", () => {
  it("doubles the wait between probes, up to 15 min", () => {
    let health = failing(10);
    const waits = Array.from({ length: 8 }, () => {
      const at = health.nextProbeAt;
      health = withProbe(health, at);
      return health.nextProbeAt - at;
    });
    const minutes = [1, 2, 4, 8, 15, 15, 15, 15];
    expect(waits).toEqual(minutes.map((wait) => wait * MINUTE));
  });

  it("is not moved by further failures", () => {
    const open = failing(10);
    expect(afterAttempt(open, "failed", NOW + MINUTE)).toBe(open);
  });

  it("closes with the first success", () => {
    expect(afterAttempt(withProbe(failing(10), NOW), "ok", NOW)).toEqual(HEALTHY);
  });

  it("probes anew, and no later for it, when the probe was not made", () => {
    const health = withProbe(withProbe(failing(10), NOW), NOW);
    expect(probeUnused(health, NOW + 5)).toEqual({ ...health, probes: 1, nextProbeAt: NOW + 5 });
    expect(probeUnused(failing(10), NOW).probes).toBe(0);
  });

  it("probes at once, and soon again, when something was repaired", () => {
    const health = withProbe(withProbe(failing(10), NOW), NOW);
    expect(mayProbe(halfOpen(health, NOW), NOW)).toBe(true);
    expect(withProbe(halfOpen(health, NOW), NOW).nextProbeAt).toBe(NOW + MINUTE);
    expect(halfOpen(HEALTHY, NOW)).toBe(HEALTHY);
  });
});
