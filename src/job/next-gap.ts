/**
 * When to look next at a job that is not finished yet: the poll that begins the cheapest sequence of polls from here to
 * the deadline, under what is expected of its endpoint, found by dynamic programming. What a sequence costs is the mean
 * time between the job's end and the poll that sees it, and so many seconds for each poll. All in seconds. Pure.
 */
import { hintedLaw, type Law, type Learned, plainLaw, usable } from "./learned.ts";

/** No poll sooner than this after the one before it. */
export const MIN_GAP_SECONDS = 1;
/** Moments in each bin at which a poll may come, but no closer than this. */
const MOMENTS_PER_BIN = 6;
const LEAST_STEP_SECONDS = 0.25;
/**
 * The first poll comes earlier where that costs next to nothing, as a share of all and of a poll: what happens before the
 * first is never learned.
 */
const [FIRST_SLACK, FIRST_SLACK_POLLS] = [0.005, 0.1];
/** Behind all bins: the gap as a share of the time so far. */
const FAR_GAP_SHARE = 0.25;

/** A job that is waiting. */
export interface Wait {
  readonly etaSeconds: number | null;
  /** Since that eta was said. */
  readonly sinceEta: number;
  readonly sinceRegistered: number;
  readonly untilDeadline: number;
}

/** The gap to the next poll, at least 1 s; it may lead past the deadline. */
export function nextGap(learned: Learned | null, wait: Wait, secondsPerPoll: number): number {
  const known = usable(learned);
  const hinted = hintedLaw(known, wait.etaSeconds);
  const gap =
    (hinted && best(hinted, wait.sinceEta, wait.untilDeadline, secondsPerPoll)) ??
    best(plainLaw(known), wait.sinceRegistered, wait.untilDeadline, secondsPerPoll) ??
    wait.sinceRegistered * FAR_GAP_SHARE;
  return Math.max(gap, MIN_GAP_SECONDS);
}

/** `null` behind the law's bins. */
function best(law: Law, now: number, left: number, secondsPerPoll: number): number | null {
  const { moments, all } = momentsOf(law, now, now + left);
  const last = moments.length - 1;
  // From the last moment back: what is to be paid from each one on, where a poll there has found the job unfinished.
  for (let i = last - 1; i >= 0; i--) {
    const here = moments[i] as Moment;
    const pollCost = secondsPerPoll * (all - here.ended);
    let least = Number.POSITIVE_INFINITY;
    for (let j = i + 1; j <= last; j++) {
      const next = moments[j] as Moment;
      if (next.at < here.at + MIN_GAP_SECONDS && j < last) continue;
      const cost = pollCost + lagBetween(here, next);
      // The lag only grows from here on.
      if (cost >= least) break;
      least = Math.min(least, cost + next.cost);
    }
    here.cost = least;
  }
  const [first, ...later] = moments;
  if (!first) return null;
  const slack = now === 0 ? Math.min(first.cost * FIRST_SLACK, secondsPerPoll * all * FIRST_SLACK_POLLS) : 0;
  const enough = first.cost + slack;
  const next = later.find((next) => secondsPerPoll * all + lagBetween(first, next) + next.cost <= enough);
  return next ? next.at - now : null;
}

/** Of those jobs that end between two polls, all the time from their end to the second. */
const lagBetween = (one: Moment, other: Moment): number =>
  other.at * (other.ended - one.ended) - (other.sum - one.sum);

/** A time at which a poll may come. */
interface Moment {
  readonly at: number;
  /** The mass that has ended since now… */
  readonly ended: number;
  /** …and the sum of when. */
  readonly sum: number;
  cost: number;
}

/** From now to the deadline, or the end of the bins; and the mass of all that is to come, whenever. */
function momentsOf({ masses, edges }: Law, now: number, deadline: number) {
  const moments: Moment[] = [{ at: now, ended: 0, sum: 0, cost: 0 }];
  const soonest = now + MIN_GAP_SECONDS;
  let [at, ended, sum, all] = [now, 0, 0, 0];
  for (const [i, mass] of masses.entries()) {
    const [from = 0, end = 0] = [edges[i], edges[i + 1]];
    if (end <= now) continue;
    const isAhead = end < Number.POSITIVE_INFINITY && from < deadline;
    const density = isAhead ? mass / (end - from) : 0;
    all += isAhead ? density * (end - Math.max(from, now)) : mass;
    if (!isAhead) continue;
    const passTo = (to: number): void => {
      const part = density * (to - at);
      [at, ended, sum] = [to, ended + part, sum + (part * (at + to)) / 2];
      if (at >= soonest) moments.push({ at, ended, sum, cost: 0 });
    };
    const to = Math.min(end, deadline);
    if (at < soonest) passTo(Math.min(to, soonest));
    const [start, steps] = [at, Math.ceil(Math.min(MOMENTS_PER_BIN, (to - at) / LEAST_STEP_SECONDS))];
    for (let step = 1; step <= steps; step++)
      passTo(step === steps ? to : start + ((to - start) * step) / steps);
  }
  return { moments, all };
}
