/**
 * Runs a command inside the test: no process, no terminal, files from a table.
 */
import { run } from "../../src/cli/run.ts";

export interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
  /** What the last line of a terminal showed, one after the other. */
  readonly shown: readonly string[];
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Record<string, string>;
  /** In place of Ctrl-C. */
  readonly interrupt?: AbortSignal;
  readonly isTerminal?: boolean;
}

export async function pollhook(
  argv: readonly string[],
  { env = {}, files = {}, interrupt, isTerminal = false }: Surroundings = {},
): Promise<Ran> {
  const [out, err, shown]: [string[], string[], string[]] = [[], [], []];
  const code = await run(argv, {
    env,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    read: async (path) => files[path] ?? Promise.reject(new Error(`no file ${path}`)),
    load: async (path) => files[path] ?? null,
    save: async (path, text) => {
      files[path] = text;
    },
    interrupted: () => interrupt ?? new AbortController().signal,
    status: isTerminal ? (text) => shown.push(text) : null,
  });
  return { code, out, err, shown };
}
