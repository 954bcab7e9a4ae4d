/**
 * Figures of a measurement: percentiles, counts, the processor's time, and a table to print them in.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** By nearest rank; zeros of nothing. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

export function countBy<Item>(items: readonly Item[], key: (item: Item) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

/** Clock ticks a second, as Linux shows them to programs. */
const TICKS_PER_SECOND = 100;

/** Processor time that the processes have used, in seconds; `null` where there is no /proc to read it from. */
export function cpuSeconds(pids: readonly number[]): number | null {
  let ticks = 0;
  try {
    for (const pid of pids) {
      // The second field is the program's name in parentheses, which may hold anything; utime and stime are 14 and 15.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      ticks += Number(fields[11]) + Number(fields[12]);
    }
  } catch {
    return null;
  }
  return ticks / TICKS_PER_SECOND;
}

/** What all cores have done so far, in ms: work of any program, and work and idleness together. */
export function machineTime(): { readonly busyMs: number; readonly totalMs: number } {
  const times = cpus().map((core) => core.times);
  const totalMs = times.reduce(
    (sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq,
    0,
  );
  return { busyMs: totalMs - times.reduce((sum, { idle }) => sum + idle, 0), totalMs };
}

/** Rows of equal length, the first of them the heads; numbers stand to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => `${row[column]}`.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? `${cell}`.padEnd(width) : `${cell}`.padStart(width);
      })
      .join("  "),
  );
  return `${lines.join("\n")}\n`;
}

/** `0.0314` as `3.1 %`. */
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
