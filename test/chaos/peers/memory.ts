/**
 * The resident memory of a process, as Linux counts it: what it is, and the most that it was since one last asked for
 * that to be forgotten. No sample is missed, as nothing is sampled.
 */
import { readFile, writeFile } from "node:fs/promises";

/** Whether this system tells: elsewhere than on Linux there is nothing to be measured. */
export const isTold = process.platform === "linux";

export interface Memory {
  readonly residentBytes: number;
  readonly peakBytes: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
  return { residentBytes: kilobytes("VmRSS"), peakBytes: kilobytes("VmHWM") };
}

/** From now on the peak is counted anew. */
export const forgetPeak = (pid: number): Promise<void> => writeFile(`/proc/${pid}/clear_refs`, "5");

/** By how much the process grew, at most, while the work went on. `null` where that is not told. */
export async function growthDuring(pid: number, work: () => Promise<void>): Promise<Memory | null> {
  if (!isTold) {
    await work();
    return null;
  }
  await forgetPeak(pid);
  const before = await memoryOf(pid);
  await work();
  const { peakBytes } = await memoryOf(pid);
  return { residentBytes: before.residentBytes, peakBytes };
}
