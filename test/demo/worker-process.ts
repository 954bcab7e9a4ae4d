/**
 * Runs the Worker as `wrangler dev` runs it: real workerd, durable storage on disk, a process group of its own that
 * ends with whoever started it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
/** What is kept of the output, for the case that the Worker does not start. */
const KEPT_OUTPUT_CHARS = 20_000;

export interface WorkerOptions {
  /** Where jobs are kept; reuse it to start again with what was there. */
  readonly persistTo: string;
  /** Non-secret variables, on top of `wrangler.toml` and `.dev.vars`. */
  readonly vars: Readonly<Record<string, string>>;
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

/** What runs now, to be ended with this process. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) killGroup(child, "SIGKILL");
});

/**
 * Runs a command's `main` to its exit code. Ctrl-C and the like end every Worker, in order, and then the process;
 * what fails on the way down is no news.
 */
export async function runCommand(main: () => Promise<number | undefined>): Promise<void> {
  let stopping = false;
  for (const [signal, code] of Object.entries(SIGNALS))
    process.once(signal, () => {
      stopping = true;
      Promise.all([...running].map((child) => stopGroup(child, "SIGTERM"))).finally(() => {
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

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Starts the Worker and waits until `/healthz` answers; rejects with what it printed if that never happens. */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const port = options.port ?? (await freePort());
  const vars = Object.entries(options.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const child = spawn(
    process.execPath,
    [
      join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"),
      ...["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
      ...["--persist-to", options.persistTo, "--show-interactive-dev-session=false", ...vars],
    ],
    {
      cwd: ROOT,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
        WRANGLER_SEND_METRICS: "false",
        NO_COLOR: "1",
      },
    },
  );
  running.add(child);
  // Should wrangler die by itself, what it started goes with it.
  child.once("exit", () => {
    killGroup(child, "SIGKILL");
    running.delete(child);
  });
  let output = "";
  const collect = (line: string) => {
    output = `${output}${line}\n`.slice(-KEPT_OUTPUT_CHARS);
    if (line.trim() !== "") options.onLog?.(line);
  };
  createInterface({ input: child.stdout }).on("line", collect);
  createInterface({ input: child.stderr }).on("line", collect);
  const worker: WorkerProcess = {
    origin: `http://127.0.0.1:${port}`,
    port,
    group: child.pid ?? 0,
    output: () => output,
    workerdPids: () => workerdBelow(child.pid ?? 0),
    stop: (signal = "SIGTERM") => stopGroup(child, signal),
  };
  try {
    await untilHealthy(worker.origin, child);
    return worker;
  } catch (error) {
    await worker.stop();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The Worker did not start: ${why}\n${output.trim()}`);
  }
}

async function untilHealthy(origin: string, child: ChildProcess): Promise<void> {
  const limit = Date.now() + START_LIMIT_MS;
  while (Date.now() < limit) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`wrangler dev ended with ${child.exitCode ?? child.signalCode}`);
    const health = await healthOf(origin);
    if (health?.status === 200) return;
    // It runs, and says in its log what is wrong with its configuration.
    if (health) throw new Error(`/healthz answers ${health.status}`);
    await sleep(100);
  }
  throw new Error(`no answer within ${START_LIMIT_MS / 1000} s`);
}

/** What `/healthz` answers; `null` while nothing listens. */
async function healthOf(origin: string): Promise<{ status: number; text: string } | null> {
  try {
    const response = await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(2_000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}

/** Whether what listens there is a Pollhook, in whatever state. */
export async function isPollhook(origin: string): Promise<boolean> {
  return /"status":"ok"|urn:pollhook:/.test((await healthOf(origin))?.text ?? "");
}

async function stopGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
  killGroup(child, signal);
  const ended = await Promise.race([gone.then(() => true), sleep(STOP_LIMIT_MS, false, { ref: false })]);
  // Also when wrangler itself is gone: workerd may have outlived it.
  killGroup(child, "SIGKILL");
  if (!ended) await gone;
}

/** Signals the child and everything that it started. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
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
