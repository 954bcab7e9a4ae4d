/**
 * Runs a bundled Worker on plain workerd, without wrangler, its objects on disk. Ended, or killed, it can be started
 * again on the same disk.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Variable, workerdConfig } from "../../src/self-hosted/capnp.ts";
import { freePort, type GroupOptions, ProcessGroup } from "../demo/process-group.ts";
import type { Bundle } from "./bundle.ts";

/** Benches and tests have their provider and receiver on the loopback. */
const ALLOW = ["public", "private"];
const CONFIG_FILE = "workerd.capnp";
const DISK_FOLDER = "disk";

export interface PlainWorkerdOptions {
  readonly bundle: Bundle;
  /** Where objects are kept; reuse it to start again with what was there. */
  readonly persistTo: string;
  readonly vars: Readonly<Record<string, Variable>>;
  /** For variables that are taken from the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What `fetch` may reach; also private addresses unless given. */
  readonly allow?: readonly string[];
  /** A free one unless given. */
  readonly port?: number;
  /** Listen for the DevTools protocol at this `host:port`. */
  readonly inspectAt?: string;
  /** Every line that the Worker logs. */
  readonly onLog?: (line: string) => void;
}

export interface PlainWorkerd {
  readonly origin: string;
  readonly port: number;
  /** Of workerd and of the process group that it leads. */
  readonly pid: number;
  /** Everything printed so far, bounded. */
  output(): string;
  /** Ends the whole group, with SIGTERM unless told otherwise; resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts workerd and waits until `/healthz` answers; rejects with what it printed if that never happens. */
export async function startPlainWorkerd(options: PlainWorkerdOptions): Promise<PlainWorkerd> {
  const { bundle, persistTo, vars, env, inspectAt, onLog } = options;
  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${port}`;
  const diskPath = join(persistTo, DISK_FOLDER);
  await mkdir(diskPath, { recursive: true });
  // A folder of its own for what is made anew at each start; workerd has read all of it when it answers.
  const made = await mkdtemp(join(tmpdir(), "pollhook-workerd-"));
  try {
    const scriptPath = basename(bundle.script);
    await writeFile(join(made, scriptPath), await readFile(bundle.script));
    const modules = [{ name: "index.js", kind: "esModule", path: scriptPath }] as const;
    const config = { ...bundle, address, modules, diskPath, vars, allow: options.allow ?? ALLOW };
    const path = join(made, CONFIG_FILE);
    await writeFile(path, workerdConfig(config));
    const args = [...(inspectAt === undefined ? [] : [`--inspector-addr=${inspectAt}`]), path];
    return await serve(port, args, { env: { ...process.env, ...env }, ...(onLog && { onLog }) });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** `workerd serve` with what is to listen at a port of the loopback. */
export async function serve(
  port: number,
  args: readonly string[],
  options: Pick<GroupOptions, "cwd" | "env" | "onLog">,
): Promise<PlainWorkerd> {
  const group = new ProcessGroup({
    name: "workerd",
    file: workerdProgram(),
    args: ["serve", ...args],
    ...options,
  });
  const origin = `http://127.0.0.1:${port}`;
  await group.healthy(origin);
  return {
    origin,
    port,
    pid: group.pid,
    output: () => group.output,
    stop: (signal) => group.stop(signal),
  };
}

/** The binary itself, not the script that would start it as a child. */
export function workerdProgram(): string {
  const { default: program } = createRequire(import.meta.url)("workerd") as { default: string };
  return program;
}
