/**
 * Runs the Worker as `wrangler dev` runs it: real workerd, durable storage on disk, a process group of its own that
 * ends with whoever started it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, healthOf, ProcessGroup, stopAll } from "./process-group.ts";

export { freePort };

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface WorkerOptions {
  /** Where jobs are kept; reuse it to start again with what was there. */
  readonly persistTo: string;
  /** Non-secret variables, on top of `wrangler.toml` and `.dev.vars`. */
  readonly vars: Readonly<Record<string, string>>;
  /** Another `wrangler.toml` than this repository's. */
  readonly config?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** Every line that the Worker logs. */
  readonly onLog?: (line: string) => void;
}

export interface WorkerProcess {
  readonly origin: string;
  readonly port: number;
  /** The process group that all of it runs in. */
  readonly group: number;
  /** Everything printed so far, bounded. */
  output(): string;
  /** The pids of the workerd processes of this Worker. */
  workerdPids(): number[];
  /** Ends the whole group; resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs a command's `main` to its exit code. Ctrl-C and the like end every Worker, in order, and then the process;
 * what fails on the way down is no news.
 */
export async function runCommand(main: () => Promise<number | undefined>): Promise<void> {
  let stopping = false;
  for (const [signal, code] of Object.entries(SIGNALS))
    process.once(signal, () => {
      stopping = true;
      stopAll().finally(() => {
        process.stdout.write("\nStopped.\n");
        process.exit(code);
      });
    });
  try {
    process.exitCode = await main();
  } catch (error) {
    if (stopping) return;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

/** Starts the Worker and waits until `/healthz` answers; rejects with what it printed if that never happens. */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const port = options.port ?? (await freePort());
  const vars = Object.entries(options.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const group = new ProcessGroup({
    name: "wrangler dev",
    file: process.execPath,
    args: [
      join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"),
      ...["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
      ...["--persist-to", options.persistTo, "--show-interactive-dev-session=false", ...vars],
      ...(options.config === undefined ? [] : ["--config", options.config]),
    ],
    cwd: options.config === undefined ? ROOT : dirname(options.config),
    env: {
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      NO_COLOR: "1",
    },
    ...(options.onLog && { onLog: options.onLog }),
  });
  const origin = `http://127.0.0.1:${port}`;
  await group.healthy(origin);
  return {
    origin,
    port,
    group: group.pid,
    output: () => group.output,
    workerdPids: () => workerdBelow(group.pid),
    stop: (signal) => group.stop(signal),
  };
}

/** Whether what listens there is a Pollhook, in whatever state. */
export async function isPollhook(origin: string): Promise<boolean> {
  return /"status":"ok"|urn:pollhook:/.test((await healthOf(origin))?.text ?? "");
}

/** Pids below `root` whose program is workerd. */
function workerdBelow(root: number): number[] {
  const processes = listProcesses();
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === root || isBelow(parents.get(pid)));
  return processes
    .filter(({ pid, program }) => program.includes("workerd") && pid !== root && isBelow(pid))
    .map(({ pid }) => pid);
}

interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly program: string;
}

/** By /proc on Linux, where `ps` may be missing, else by `ps`. */
function listProcesses(): RunningProcess[] {
  if (!existsSync("/proc/self/stat")) {
    const lines = execFileSync("ps", ["-axo", "pid=,ppid=,comm="], { encoding: "utf8" }).split("\n");
    return lines.flatMap((line) => {
      const [, pid, parent, program] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return program === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), program }];
    });
  }
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .map((pid) => ({
      pid,
      parent: Number(/\) \S (\d+)/.exec(readProc(pid, "stat"))?.[1] ?? 0),
      program: readProc(pid, "cmdline").split("\0", 1)[0] ?? "",
    }));
}

/** Empty when the process is gone. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
