/**
 * What processes take while the load runs, second by second: memory, processor time, and how their busiest thread spends
 * its time, which says what a step that bends is short of. Read from /proc; zeros where there is none.
 */
import { readdirSync, readFileSync } from "node:fs";
import { cpuSeconds, machineTime } from "../../bench/flow/figures.ts";
import { memoryBytes } from "../../bench/throughput/weight.ts";

export interface Sample {
  /** Epoch ms. */
  readonly at: number;
  /** Resident, of workerd. */
  readonly bytes: number;
}

/** Shares of the time that was watched; of a process, 1 is one core. */
export interface Use {
  readonly cpu: Readonly<Record<string, number>>;
  /** Of all cores together. */
  readonly machine: number;
  /** Of workerd's busiest thread. */
  readonly running: number;
  /** It could run, and others were on the cores. */
  readonly queued: number;
}

const SAMPLE_MS = 1_000;

interface Reading {
  readonly at: number;
  readonly cpu: Readonly<Record<string, number>>;
  readonly machine: { readonly busyMs: number; readonly totalMs: number };
  readonly threads: ReadonlyMap<string, ThreadTimes>;
}

interface ThreadTimes {
  readonly runMs: number;
  readonly queuedMs: number;
}

export class Watch {
  readonly samples: Sample[] = [];
  readonly #workerd: number;
  readonly #pids: Readonly<Record<string, number>>;
  readonly #timer: NodeJS.Timeout;
  #since: Reading;

  /** `others`: by the names that their use has. */
  constructor(workerd: number, others: Readonly<Record<string, number>>) {
    this.#workerd = workerd;
    this.#pids = { workerd, ...others };
    this.#since = this.#read();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** What was used since the last time. */
  use(): Use {
    const [before, now] = [this.#since, this.#read()];
    this.#since = now;
    const ms = Math.max(1, now.at - before.at);
    const cpu = Object.entries(now.cpu).map(([name, used]) => [
      name,
      ((used - (before.cpu[name] ?? 0)) * 1000) / ms,
    ]);
    const totalMs = Math.max(1, now.machine.totalMs - before.machine.totalMs);
    const threads = [...now.threads].map(([thread, { runMs, queuedMs }]) => {
      const then = before.threads.get(thread) ?? { runMs: 0, queuedMs: 0 };
      return { running: (runMs - then.runMs) / ms, queued: (queuedMs - then.queuedMs) / ms };
    });
    const [busiest] = threads.sort((a, b) => b.running - a.running);
    return {
      cpu: Object.fromEntries(cpu),
      machine: (now.machine.busyMs - before.machine.busyMs) / totalMs,
      running: busiest?.running ?? 0,
      queued: busiest?.queued ?? 0,
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const bytes = memoryBytes([this.#workerd]);
    if (bytes !== null) this.samples.push({ at: Date.now(), bytes });
  }

  #read(): Reading {
    const cpu = Object.entries(this.#pids).map(([name, pid]) => [name, cpuSeconds([pid]) ?? 0]);
    return {
      at: Date.now(),
      cpu: Object.fromEntries(cpu),
      machine: machineTime(),
      threads: threadTimes(this.#workerd),
    };
  }
}

function threadTimes(pid: number): ReadonlyMap<string, ThreadTimes> {
  const times = new Map<string, ThreadTimes>();
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      // Nanoseconds on a core, and ready to run without one.
      const [ran, queued] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      times.set(thread, { runMs: Number(ran) / 1e6, queuedMs: Number(queued) / 1e6 });
    }
  } catch {
    // No /proc, or a thread that has just ended.
  }
  return times;
}
