/**
 * What is measured of schedules: every workload by every loop, by the real schedule and by the optimum, over the same
 * jobs of several seeds; how fast the real one learns; and how it takes a provider that is suddenly another.
 */
import { percentiles } from "../flow/figures.ts";
import { logNormal } from "./laws.ts";
import { LOOPS } from "./loops.ts";
import {
  byLoop,
  byOptimum,
  byPollhook,
  cost,
  drawJobs,
  mean,
  type Polled,
  type SimJob,
} from "./simulation.ts";
import { stepAt, WORKLOADS, type Workload } from "./workloads.ts";

/** Seconds of lag that a poll is worth. */
export const POLL_COSTS = [0.25, 1, 4] as const;

export const POLLHOOK = "Pollhook";
export const OPTIMUM = "optimum for the known law";
export const ORACLE = "oracle";

/** A way to poll, over all jobs of a workload. */
export interface Row {
  readonly name: string;
  /** A job, in the mean. */
  readonly polls: number;
  /** Seconds from a job's end to the poll that saw it; to its deadline where it was given up. */
  readonly lag: { readonly mean: number; readonly p50: number; readonly p95: number; readonly p99: number };
  /** The share of jobs. */
  readonly givenUp: number;
  /** Mean lag + c × polls, for each of {@link POLL_COSTS}. */
  readonly costs: readonly number[];
}

export interface WorkloadFigures {
  readonly workload: Workload;
  readonly rows: readonly Row[];
}

/** The cost (c = 1) of the real schedule as a multiple of the optimum's, of the jobs from one number to another. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly ratio: number;
}

export interface Learning {
  readonly workload: Workload;
  readonly stretches: readonly Stretch[];
}

export interface ScheduleFigures {
  readonly seeds: number;
  readonly jobs: number;
  readonly workloads: readonly WorkloadFigures[];
  readonly learning: readonly Learning[];
  readonly recovery: readonly Learning[];
}

export interface Options {
  readonly seeds: readonly number[];
  /** Of each seed. */
  readonly jobs: number;
}

/** Every way to poll over the same jobs. The real schedule and the optimum are asked anew for each c. */
export function measureWorkload(workload: Workload, { seeds, jobs }: Options): WorkloadFigures {
  const drawn = seeds.map((seed) => ({ seed, jobs: drawJobs(workload, jobs, seed) }));
  const each = (poll: (jobs: readonly SimJob[], seed: number) => readonly Polled[]): readonly Polled[] =>
    drawn.flatMap(({ seed, jobs }) => poll(jobs, seed));
  const known = new Map<string, readonly number[]>();
  const polledFor = (poll: (jobs: readonly SimJob[], c: number, seed: number) => readonly Polled[]) =>
    POLL_COSTS.map((c) => each((jobs, seed) => poll(jobs, c, seed)));
  const loops = LOOPS.map((loop) => {
    const polled = each((jobs, seed) => byLoop(loop, jobs, seed));
    return rowOf(
      loop.name,
      POLL_COSTS.map(() => polled),
    );
  });
  const oracle = each((jobs) => jobs.map(() => ({ polls: 1, lag: 0, isGivenUp: false })));
  return {
    workload,
    rows: [
      ...loops,
      rowOf(POLLHOOK, polledFor(byPollhook)),
      rowOf(
        OPTIMUM,
        polledFor((jobs, c) => byOptimum(jobs, c, known)),
      ),
      rowOf(
        ORACLE,
        POLL_COSTS.map(() => oracle),
      ),
    ],
  };
}

/** `polled`: for each of the poll costs; what is no cost is shown of c = 1. */
function rowOf(name: string, polled: readonly (readonly Polled[])[]): Row {
  const shown = polled[POLL_COSTS.indexOf(1)] ?? [];
  const lags = shown.map(({ lag }) => lag);
  return {
    name,
    polls: mean(shown.map(({ polls }) => polls)),
    lag: { mean: mean(lags), ...percentiles(lags), p95: rank95(lags) },
    givenUp: mean(shown.map(({ isGivenUp }) => Number(isGivenUp))),
    costs: POLL_COSTS.map((c, i) => cost(polled[i] ?? [], c)),
  };
}

/** By nearest rank. */
const rank95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? 0;

/** The cost beside the optimum's, stretch by stretch; c = 1. `bounds`: where stretches begin, and the end of the last. */
export function measureLearning(
  workload: Workload,
  seeds: readonly number[],
  bounds: readonly number[],
): Learning {
  const known = new Map<string, readonly number[]>();
  const runs = seeds.map((seed) => {
    const jobs = drawJobs(workload, bounds.at(-1) ?? 0, seed);
    return { ours: byPollhook(jobs, 1, seed), best: byOptimum(jobs, 1, known) };
  });
  const stretches = bounds.slice(1).map((to, i) => {
    const from = bounds[i] ?? 0;
    const of = (polled: (typeof runs)[number]["ours"][]): number =>
      cost(
        polled.flatMap((p) => p.slice(from, to)),
        1,
      );
    return { from, to, ratio: of(runs.map(({ ours }) => ours)) / of(runs.map(({ best }) => best)) };
  });
  return { workload, stretches };
}

/** The job from which on the provider is another one. */
export const STEP_AT = 1_000;
export const STEPS: readonly Workload[] = [
  stepAt(STEP_AT, "three times slower", "20 s, then 60 s", logNormal(20, 0.3), logNormal(60, 0.3)),
  stepAt(STEP_AT, "three times faster", "60 s, then 20 s", logNormal(60, 0.3), logNormal(20, 0.3)),
  stepAt(STEP_AT, "at once, then minutes", "0.3 s, then 240 s", logNormal(0.3, 0.3), logNormal(240, 0.3)),
  stepAt(STEP_AT, "minutes, then at once", "240 s, then 0.3 s", logNormal(240, 0.3), logNormal(0.3, 0.3)),
];
const LEARNING_BOUNDS = [0, 20, 50, 100, 200, 400] as const;
const RECOVERY_BOUNDS = [0, 50, 100, 200, 400, 500, 700].map((jobs) => STEP_AT + jobs);

export function measureSchedule({ seeds, jobs }: Options): ScheduleFigures {
  const stationary = WORKLOADS.filter(({ isStationary }) => isStationary);
  return {
    seeds: seeds.length,
    jobs,
    workloads: WORKLOADS.map((workload) => measureWorkload(workload, { seeds, jobs })),
    learning: stationary.map((workload) => measureLearning(workload, seeds, LEARNING_BOUNDS)),
    recovery: STEPS.map((workload) => measureLearning(workload, seeds, RECOVERY_BOUNDS)),
  };
}

/** Loops that poll less than the real schedule and yet see ends sooner, in the mean: there should be none. */
export function betterThanPollhook({ rows }: WorkloadFigures): readonly string[] {
  const ours = rows.find(({ name }) => name === POLLHOOK);
  return rows
    .filter(({ name }) => LOOPS.some((loop) => loop.name === name))
    .filter(({ polls, lag }) => ours && polls < ours.polls && lag.mean < ours.lag.mean)
    .map(({ name }) => name);
}
