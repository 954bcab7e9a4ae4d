/**
 * What processes weigh in memory, and a folder on disk.
 */
import { readFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What the processes hold in memory; `null` where there is no /proc to read it from. */
export function memoryBytes(pids: readonly number[]): number | null {
  try {
    return pids.reduce((sum, pid) => {
      const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      return sum + Number(kib) * 1024;
    }, 0);
  } catch {
    return null;
  }
}

/** What `du` would count: the blocks that files below the folder take. */
export async function diskBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await diskBytes(path);
    else bytes += await blocksOf(path);
  }
  return bytes;
}

/** 0 when it has gone meanwhile, as journals do. */
async function blocksOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * 512;
  } catch {
    return 0;
  }
}
