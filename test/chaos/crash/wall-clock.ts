/**
 * The wall clock of one process, moved while it runs; its monotonic clock goes on. libfaketime cannot do it: workerd's
 * allocator asks for the time before that library is ready, and waits for ever. `wall-clock.c` is all that is needed.
 */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../demo/worker-process.ts";

const SOURCE = join(ROOT, "test", "chaos", "crash", "wall-clock.c");

export class WallClock {
  /** By how much it is ahead of ours. */
  aheadMs = 0;
  readonly #folder: string;
  readonly #file: string;
  readonly #library: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, "ahead");
    this.#library = join(folder, "wall-clock.so");
  }

  /** `null` where there is no C compiler, or this is not Linux. */
  static create(): WallClock | null {
    if (process.platform !== "linux") return null;
    const clock = new WallClock(mkdtempSync(join(tmpdir(), "pollhook-clock-")));
    try {
      execFileSync("cc", ["-shared", "-fPIC", "-O2", "-o", clock.#library, SOURCE], { stdio: "ignore" });
    } catch {
      clock.remove();
      return null;
    }
    writeFileSync(clock.#file, seconds(0));
    return clock;
  }

  /** For the process whose clock it is to be. */
  get env(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, WALL_CLOCK_FILE: this.#file };
  }

  /** What it says now, in epoch ms. */
  now(): number {
    return Date.now() + this.aheadMs;
  }

  /** Counts at once, in a process that runs, too. Written in place: the file is mapped. */
  jumpTo(aheadMs: number): void {
    const file = openSync(this.#file, "r+");
    writeSync(file, seconds(aheadMs / 1000), 0, 8, 0);
    closeSync(file);
    this.aheadMs = aheadMs;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function seconds(ahead: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(ahead));
  return bytes;
}
