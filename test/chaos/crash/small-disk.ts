/**
 * A disk of its own that is small enough to be filled: a tmpfs, where one may be mounted. Filled, not a byte is free;
 * what is freed goes to whoever writes first.
 */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BLOCK = Buffer.alloc(4096, "f");

export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;
  /** Also where the process is ended before it is done: a mount outlives it. */
  readonly #atExit = (): void => this.unmount();

  private constructor(folder: string) {
    this.folder = folder;
    this.#filler = join(folder, "filler");
    process.once("exit", this.#atExit);
  }

  /** `null` where nothing may be mounted. */
  static mount(megabytes: number): SmallDisk | null {
    const folder = mkdtempSync(join(tmpdir(), "pollhook-disk-"));
    try {
      const options = ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder];
      execFileSync("mount", options, { stdio: "ignore" });
      return new SmallDisk(folder);
    } catch {
      rmSync(folder, { recursive: true, force: true });
      return null;
    }
  }

  /** Takes all that is free. */
  fill(): void {
    const file = openSync(this.#filler, "a");
    try {
      for (;;) writeSync(file, BLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Gives so many blocks of 4 KiB back. */
  giveBack(blocks: number): void {
    const { size } = statSync(this.#filler);
    truncateSync(this.#filler, Math.max(size - blocks * BLOCK.length, 0));
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  /** At once, for all that may still have a file of it open. */
  unmount(): void {
    process.off("exit", this.#atExit);
    execFileSync("umount", ["--lazy", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
