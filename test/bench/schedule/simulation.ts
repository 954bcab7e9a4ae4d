/**
 * Jobs of one endpoint in virtual time, polled as `src/job/schedule.ts` says, or as anything else does. Polls take no
 * time, a job comes every ten seconds, and knows what those have taught that were over when it came.
 */
import { type Learned, observe } from "../../../src/job/learned.ts";
import { type Hint, nextPollAt } from "../../../src/job/schedule.ts";
import { randomFrom } from "../../limiter/virtual-time.ts";
import type { Loop } from "./loops.ts";
import { optimum } from "./optimum.ts";
import type { Expected, Workload } from "./workloads.ts";

export const DEADLINE_SECONDS = 3_600;
const JOB_EVERY_SECONDS = 10;

/** A job and how long it takes. */
export interface SimJob extends Expected {
  readonly seconds: number;
}

/** What became of a job. */
export interface Polled {
  readonly polls: number;
  /** From its end to the poll that saw it. One that was given up was seen by nobody until its deadline. */
  readonly lag: number;
  readonly isGivenUp: boolean;
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** J. */
export const cost = (polled: readonly Polled[], secondsPerPoll: number): number =>
  mean(polled.map(({ lag, polls }) => lag + secondsPerPoll * polls));

export function drawJobs({ job }: Workload, count: number, seed: number): readonly SimJob[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, i) => {
    const expected = job(i, random);
    return { ...expected, seconds: expected.law.draw(random) };
  });
}

/** By a loop, or by any moments of polls in their order. */
export function pollBy(moments: Iterable<number>, seconds: number): Polled {
  const end = Math.min(seconds, DEADLINE_SECONDS);
  let polls = 0;
  for (const at of moments) {
    polls++;
    if (at >= end) return { polls, lag: Math.min(at, DEADLINE_SECONDS) - end, isGivenUp: false };
  }
  return { polls, lag: DEADLINE_SECONDS - end, isGivenUp: end < DEADLINE_SECONDS };
}

export const byLoop = (loop: Loop, jobs: readonly SimJob[], seed: number): readonly Polled[] => {
  const random = randomFrom(seed);
  return jobs.map(({ etaSeconds, seconds }) => pollBy(loop.polls(etaSeconds, random), seconds));
};

/** By those polls that are best for each job's law. `known` keeps them for the jobs that share it. */
export function byOptimum(
  jobs: readonly SimJob[],
  secondsPerPoll: number,
  known: Map<string, readonly number[]>,
): readonly Polled[] {
  return jobs.map(({ key, law, seconds }) => {
    const name = `${key} ${secondsPerPoll}`;
    const polls = known.get(name) ?? optimum(law, secondsPerPoll, DEADLINE_SECONDS);
    known.set(name, polls);
    return pollBy(polls, seconds);
  });
}

interface Lesson {
  readonly at: number;
  readonly etaSeconds: number | null;
  readonly after: number;
  readonly until: number | null;
}

/** By the real schedule, which begins with `learned` and learns. */
export function byPollhook(
  jobs: readonly SimJob[],
  secondsPerPoll: number,
  seed: number,
  learned: Learned | null = null,
): readonly Polled[] {
  const random = randomFrom(seed);
  let lessons: Lesson[] = [];
  let known = learned;
  return jobs.map(({ etaSeconds, seconds }, i) => {
    const registeredAt = i * JOB_EVERY_SECONDS;
    const isOver = ({ at }: Lesson): boolean => at <= registeredAt;
    for (const lesson of lessons.filter(isOver).sort((a, b) => a.at - b.at))
      known = observe(known, lesson.etaSeconds, lesson);
    lessons = lessons.filter((lesson) => !isOver(lesson));
    const moments = pollsOf(etaSeconds, known, secondsPerPoll, random);
    const polled = pollBy(moments.seen(), seconds);
    const [after, last] = moments.lastTwo();
    lessons.push({ at: registeredAt + last, etaSeconds, after, until: last >= seconds ? last : null });
    return polled;
  });
}

/** Where the real schedule polls a job that is never finished, up to the deadline. */
function pollsOf(
  etaSeconds: number | null,
  learned: Learned | null,
  secondsPerPoll: number,
  random: () => number,
) {
  const hint: Hint = { etaSeconds, at: 0 };
  const deadlineAt = DEADLINE_SECONDS * 1_000;
  let [before, now] = [0, 0];
  function* seen(): Generator<number> {
    while (now < deadlineAt) {
      const moment = { now, registeredAt: 0, deadlineAt, random: random() };
      const next = nextPollAt(hint, { learned, secondsPerPoll }, moment);
      if (!(next > now && next <= deadlineAt)) throw new Error(`a poll at ${next} after one at ${now}`);
      [before, now] = [now, next];
      yield now / 1_000;
    }
  }
  return { seen, lastTwo: () => [before / 1_000, now / 1_000] as const };
}
