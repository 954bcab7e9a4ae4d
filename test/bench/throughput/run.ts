/**
 * The throughput bench: every subject in turn, round after round, so that whatever else the machine does meets all of
 * them; of the rounds the medians. Numbers of different runs are not to be compared, ratios within one are.
 */
import { rmSync } from "node:fs";
import { mkdtemp, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Percentiles, percentiles } from "../flow/figures.ts";
import { Bench, type Registering, type Waiting, type WholeLife } from "./measure.ts";
import { type Subject, type SubjectName, subjectsOf } from "./subjects.ts";

export interface ThroughputOptions {
  readonly subjects: readonly SubjectName[];
  /** Whose whole life is measured; of a slow subject fewer. */
  readonly jobs: number;
  /** That wait while memory and disk are looked at; as many as can be registered in the time. */
  readonly waiting: number;
  readonly rounds: number;
  /** For each number of connections; long enough for a rate unless given. */
  readonly registeringMs?: number;
  /** Between what was written and a look at what it weighs; long enough for all of it unless given. */
  readonly settleMs?: number;
  /** The checkout whose Pollhook is measured. */
  readonly root: string;
  /** Hears what is under way. */
  readonly say: (text: string) => void;
}

export interface SubjectResult {
  readonly name: SubjectName;
  readonly label: string;
  /** In the order of {@link CONNECTIONS}. */
  readonly registering: readonly Registering[];
  readonly life: WholeLife;
  readonly waiting: Waiting;
}

export interface ThroughputResult {
  readonly subjects: readonly SubjectResult[];
  /** Of the disk that all of it was written to: 4 KiB appended to a file and made durable. */
  readonly fsyncMs: Percentiles;
}

export const CONNECTIONS = [1, 32, 128] as const;
/** The one that ratios are taken at. */
export const RATIO_CONNECTIONS = 32;
const REGISTERING_MS = 2_500;
const FILLING_MS = 8_000;
const MOST_SLOW_JOBS = 300;
const ETAS_OVER_SECONDS = 2;
const FSYNCS = 200;
const PAGE_BYTES = 4_096;

interface Round {
  readonly registering: readonly Registering[];
  readonly life: WholeLife;
  readonly waiting: Waiting | null;
}

/** Measures; whatever it starts has ended when it resolves or rejects. */
export async function runThroughput(options: ThroughputOptions): Promise<ThroughputResult> {
  const folder = await mkdtemp(join(tmpdir(), "pollhook-throughput-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // It may hold gigabytes: also when the run is cut short.
  process.once("exit", remove);
  const bench = new Bench();
  try {
    const { provider } = await bench.origins();
    const fsyncMs = await measureFsync(folder);
    const surroundings = { root: options.root, folder, providerOrigin: provider };
    const subjects = await subjectsOf(options.subjects, surroundings);
    const rounds = new Map<SubjectName, Round[]>();
    for (let round = 0; round < options.rounds; round++)
      for (const subject of subjects) {
        if (subject.isSlow && round > 0) continue;
        options.say(`round ${round + 1} of ${options.rounds}: ${subject.label}`);
        const measured = await measureRound(bench, subject, options, round === 0);
        rounds.set(subject.name, [...(rounds.get(subject.name) ?? []), measured]);
      }
    return {
      subjects: subjects.map(({ name, label }) => ({ name, label, ...ofRounds(rounds.get(name) ?? []) })),
      fsyncMs,
    };
  } finally {
    await bench.close();
    process.off("exit", remove);
    remove();
  }
}

async function measureRound(
  bench: Bench,
  subject: Subject,
  { jobs, waiting: most, registeringMs = REGISTERING_MS, settleMs }: ThroughputOptions,
  weighs: boolean,
): Promise<Round> {
  const registering: Registering[] = [];
  const waiting = await started(subject, async (running) => {
    await bench.warmUp(running);
    const fill = async () => {
      for (const connections of CONNECTIONS)
        registering.push(await bench.register(running, connections, registeringMs));
      const made = registering.reduce((sum, { latencyMs }) => sum + latencyMs.count, 0);
      if (!weighs || made >= most) return made;
      const more = await bench.register(running, RATIO_CONNECTIONS, FILLING_MS, most - made);
      return made + more.latencyMs.count;
    };
    if (weighs) return bench.waiting(running, fill, settleMs);
    await fill();
    return null;
  });
  const life = await started(subject, async (running) => {
    await bench.warmUp(running);
    const measured = subject.isSlow ? Math.min(jobs, MOST_SLOW_JOBS) : jobs;
    return bench.wholeLife(running, measured, ETAS_OVER_SECONDS);
  });
  return { registering, life, waiting };
}

type Running = Awaited<ReturnType<Subject["start"]>>;

async function started<Result>(
  subject: Subject,
  work: (running: Running) => Promise<Result>,
): Promise<Result> {
  const running = await subject.start();
  try {
    return await work(running);
  } finally {
    await running.stop();
  }
}

function ofRounds(rounds: readonly Round[]): Omit<SubjectResult, "name" | "label"> {
  const [first] = rounds;
  if (!first?.waiting) throw new Error("A subject has not been measured.");
  const lives = rounds.map(({ life }) => life);
  return {
    registering: CONNECTIONS.map((connections, index) => {
      const all = rounds.flatMap(({ registering }) => registering[index] ?? []);
      return {
        connections,
        perSecond: median(all.map(({ perSecond }) => perSecond)),
        latencyMs: medians(all.map(({ latencyMs }) => latencyMs)),
        cpuMs: medianOrNull(all.map(({ cpuMs }) => cpuMs)),
      };
    }),
    life: {
      jobs: first.life.jobs,
      perSecond: median(lives.map(({ perSecond }) => perSecond)),
      lagMs: medians(lives.map(({ lagMs }) => lagMs)),
      afterPollMs: medians(lives.map(({ afterPollMs }) => afterPollMs)),
      polls: median(lives.map(({ polls }) => polls)),
      cpuMs: medianOrNull(lives.map(({ cpuMs }) => cpuMs)),
    },
    waiting: first.waiting,
  };
}

const medians = (all: readonly Percentiles[]): Percentiles => ({
  count: median(all.map(({ count }) => count)),
  p50: median(all.map(({ p50 }) => p50)),
  p95: median(all.map(({ p95 }) => p95)),
  p99: median(all.map(({ p99 }) => p99)),
  max: median(all.map(({ max }) => max)),
});

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : median(known);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

async function measureFsync(folder: string): Promise<Percentiles> {
  const file = await open(join(folder, "fsync"), "w");
  try {
    const page = Buffer.alloc(PAGE_BYTES, 1);
    const times: number[] = [];
    for (let i = 0; i < FSYNCS; i++) {
      await file.write(page);
      const startedAt = performance.now();
      await file.sync();
      times.push(performance.now() - startedAt);
    }
    return percentiles(times);
  } finally {
    await file.close();
  }
}
