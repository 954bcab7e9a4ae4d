/**
 * The recipes of the README: taken from it by their heading and language, and run as they are printed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../demo/worker-process.ts";

const OUTPUT_LIMIT_MS = 60_000;

/** The blocks of one language under a heading of the README. Throws when there are not as many. */
export function blocksOf(heading: string, language: string, count = 1): string[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, section = ""] = readme.split(new RegExp(`\n#{3,4} ${heading}\n`));
  const [own = ""] = section.split(/^#{2,4} /m);
  const blocks = [...own.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === language);
  if (blocks.length !== count)
    throw new Error(`There are ${blocks.length} blocks of ${language} under "${heading}".`);
  return blocks.map(([, , text = ""]) => text);
}

/** A recipe in a process of its own. */
export class Recipe {
  out = "";
  err = "";
  readonly #process: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.stdout?.on("data", (chunk) => {
      this.out += chunk;
    });
    process.stderr?.on("data", (chunk) => {
      this.err += chunk;
    });
    this.#ended = new Promise((resolve, reject) => {
      process.on("error", reject);
      process.on("exit", resolve);
    });
  }

  static async start(
    [program, ...args]: readonly [string, ...string[]],
    { text, folder, file, env }: { text: string; folder: string; file: string; env: Record<string, string> },
  ): Promise<Recipe> {
    await writeFile(join(folder, file), text);
    return new Recipe(spawn(program, [file, ...args], { cwd: folder, env: { ...process.env, ...env } }));
  }

  /** The first line that matches. Rejects with all that it said when none comes. */
  async line(pattern: RegExp, of: "out" | "err" = "out"): Promise<string> {
    const until = Date.now() + OUTPUT_LIMIT_MS;
    for (;;) {
      const found = this[of].split("\n").find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (Date.now() > until || this.#process.exitCode !== null)
        throw new Error(`No ${pattern} in:\n${this.out}\n${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Its exit code, when it ends by itself. */
  ended = (): Promise<number | null> => this.#ended;

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended.catch(() => {});
  }
}
