/** The figures that measurements print: ranks, counts, processor time and the table. */
import { describe, expect, it } from "vitest";
import { countBy, cpuSeconds, machineTime, percent, percentiles, table } from "./figures.ts";

describe("percentiles", () => {
  it("are values that were measured, by nearest rank, in whatever order they came", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentiles(hundred)).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 });
    expect(percentiles([...hundred, 101])).toEqual({ count: 101, p50: 51, p95: 96, p99: 100, max: 101 });
  });

  it("of one value are that value, and of none are zeros", () => {
    expect(percentiles([7])).toEqual({ count: 1, p50: 7, p95: 7, p99: 7, max: 7 });
    expect(percentiles([])).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });
});

describe("other figures", () => {
  it("count by name", () => {
    expect(countBy(["a", "b", "a"], (name) => name)).toEqual({ a: 2, b: 1 });
  });

  it("tell the processor time of a process, and nothing of one that is gone", () => {
    const seconds = cpuSeconds([process.pid]);
    if (seconds !== null) expect(seconds).toBeGreaterThan(0);
    expect(cpuSeconds([2 ** 30])).toBeNull();
    expect(cpuSeconds([])).toBe(0);
  });

  it("tell the time of all cores, of which work is a part", () => {
    const { busyMs, totalMs } = machineTime();
    expect(busyMs).toBeGreaterThan(0);
    expect(totalMs).toBeGreaterThanOrEqual(busyMs);
  });

  it("stand in columns", () => {
    expect(
      table([
        ["", "ms"],
        ["alone", 7],
      ]),
    ).toBe("       ms\nalone   7\n");
    expect(percent(0.0314)).toBe("3.1 %");
  });
});
