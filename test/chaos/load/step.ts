/**
 * What one step of the load came to: counts of what must be and must not be, and how long things took. Pure.
 */
import { countBy, type Percentiles, percentiles } from "../../bench/flow/figures.ts";
import type { Called } from "./caller.ts";
import { dueAt, type Findings, type Seen, type Taken, type Timing } from "./ledger.ts";
import { isUnfaulted, type Mix, type Plan, planOf } from "./plan.ts";
import type { Sample, Use } from "./watch.ts";

/** A part of the step, for plots. */
export interface Slice {
  /** Seconds from the step's beginning to the slice's middle. */
  readonly at: number;
  readonly latencyMs: Percentiles;
  readonly lagMs: Percentiles;
}

export interface Step {
  readonly perSecond: number;
  readonly seconds: number;
  readonly jobs: number;
  /** Registered, as the caller was told. */
  readonly accepted: number;
  /** With another answer than 202, by its status; `0`: no answer came. */
  readonly refused: Readonly<Record<string, number>>;
  /** Of those that were registered with a callback, the ones whose event was accepted, and was not. */
  readonly delivered: number;
  readonly lost: readonly number[];
  /** Events of jobs whose registration was not answered. */
  readonly unanswered: number;
  readonly findings: Findings;
  readonly reads: Called["reads"];
  /** POSTs that the faults of the receiver made necessary, and those beyond them. */
  readonly repeats: { readonly planned: number; readonly more: number };
  readonly polls: number;
  /** Of registrations, from when they were due; a batch counts once. */
  readonly latencyMs: Percentiles;
  /** How late the caller itself was. */
  readonly lateMs: Percentiles;
  /** From the moment that the provider was done to the first POST, of jobs without faults. */
  readonly lagMs: Percentiles;
  /** From the poll that said so to the first POST, of all. */
  readonly afterPollMs: Percentiles;
  /** From that poll to the accepted POST, of all. */
  readonly deliveryMs: Percentiles;
  readonly slices: readonly Slice[];
  /** Events that were due and had not come, when the last registration was sent. */
  readonly behind: number;
  /** From then until the last event was accepted. */
  readonly drainMs: number;
  readonly use: Use;
  readonly samples: readonly Sample[];
}

/** What the step was watched by. */
export interface Observed {
  readonly timing: Timing;
  readonly mix: Mix;
  readonly called: Called;
  readonly taken: Taken;
  readonly use: Use;
  readonly samples: readonly Sample[];
}

const SLICE_MS = 30_000;
const LEAST_SLICES = 8;

interface Job {
  readonly id: number;
  readonly plan: Plan;
  readonly status: number;
  readonly dueAt: number;
  readonly readyAt: number;
  readonly seen: Seen | undefined;
}

export function stepOf({ timing, mix, called, taken, use, samples }: Observed): Step {
  const { perSecond, count, startAt } = timing;
  const seconds = count / perSecond;
  const seen = new Map(taken.jobs);
  const jobs = called.calls.flatMap(({ firstId, statuses }) =>
    statuses.map((status, i): Job => {
      const id = firstId + i;
      const plan = planOf(id, mix);
      const at = dueAt(timing, id);
      return { id, plan, status, dueAt: at, readyAt: at + plan.workMs, seen: seen.get(id) };
    }),
  );
  const accepted = jobs.filter(({ status }) => status === 202);
  const expected = accepted.filter(({ plan }) => !plan.isSilent);
  const came = expected.filter(({ seen }) => (seen?.acceptedAt ?? 0) > 0);
  const posts = came.reduce((sum, { seen }) => sum + (seen?.posts ?? 0), 0);
  const planned = came.filter(({ plan: { receiver } }) => receiver !== "none" && receiver !== "slow").length;
  const endAt = startAt + seconds * 1000;
  const lastAt = came.reduce((last, { seen }) => Math.max(last, seen?.acceptedAt ?? 0), endAt);
  return {
    perSecond,
    seconds,
    jobs: jobs.length,
    accepted: accepted.length,
    refused: countBy(
      jobs.filter(({ status }) => status !== 202),
      ({ status }) => String(status),
    ),
    delivered: came.length,
    lost: expected.filter((job) => !came.includes(job)).map(({ id }) => id),
    unanswered: jobs.filter(({ status, seen }) => status !== 202 && (seen?.acceptedAt ?? 0) > 0).length,
    findings: taken.findings,
    reads: called.reads,
    repeats: { planned, more: posts - came.length - planned },
    polls: jobs.reduce((sum, { seen }) => sum + (seen?.polls ?? 0), 0),
    latencyMs: percentiles(called.calls.map(({ latencyMs }) => latencyMs)),
    lateMs: percentiles(called.calls.map(({ lateMs }) => lateMs)),
    lagMs: percentiles(lagsOf(came)),
    afterPollMs: percentiles(came.map(({ seen }) => (seen?.firstPostAt ?? 0) - (seen?.toldAt ?? 0))),
    deliveryMs: percentiles(came.map(({ seen }) => (seen?.acceptedAt ?? 0) - (seen?.toldAt ?? 0))),
    slices: slicesOf(called, came, startAt, endAt),
    behind: expected.filter(({ readyAt, seen, plan }) => {
      const at = seen?.firstPostAt || Number.POSITIVE_INFINITY;
      return isUnfaulted(plan) && readyAt <= endAt - BEHIND_MS && at > endAt;
    }).length,
    drainMs: lastAt - endAt,
    use,
    samples,
  };
}

/** An event that has been due for longer is behind. */
const BEHIND_MS = 5_000;

const lagsOf = (jobs: readonly Job[]): number[] =>
  jobs.filter(({ plan }) => isUnfaulted(plan)).map(({ seen, readyAt }) => (seen?.firstPostAt ?? 0) - readyAt);

function slicesOf({ calls }: Called, came: readonly Job[], startAt: number, endAt: number): Slice[] {
  const ms = Math.min(SLICE_MS, (endAt - startAt) / LEAST_SLICES);
  return Array.from({ length: Math.round((endAt - startAt) / ms) }, (_, i) => {
    const from = startAt + i * ms;
    const isIn = ({ dueAt }: { readonly dueAt: number }): boolean => dueAt >= from && dueAt < from + ms;
    return {
      at: ((i + 0.5) * ms) / 1000,
      latencyMs: percentiles(calls.filter(isIn).map(({ latencyMs }) => latencyMs)),
      lagMs: percentiles(lagsOf(came.filter(isIn))),
    };
  });
}
