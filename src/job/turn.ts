/**
 * A job whose provider key is limited: what its turn does to it. Being held back is no poll; it counts nothing and
 * spends nothing. Pure.
 */
import type { Turn } from "../limiter/pace.ts";
import { type In, isIn, type Job, type Waiting, withEntry } from "./record.ts";
import { beforeDeadline } from "./schedule.ts";

/** What the limiter has told a job. */
export interface Hold {
  /** `null` where nothing limits the key any more. */
  readonly turn: Turn | null;
  /** From now; 0 where the job may come when it likes. */
  readonly waitMs: number;
}

/** Whether the job stands in line, and loses its place by going elsewhere. */
export const isInLine = ({ turn }: Waiting): boolean => turn?.position !== undefined;

/** The job that may not poll yet. It is noted once for each time of waiting, however often the job has to ask. */
export function held(job: In<"waiting">, { turn, waitMs }: Hold, now: number): Job {
  const nextPollAt = beforeDeadline(now + waitMs, job.deadlineAt);
  const noted = { at: now, type: "held", reason: "rate_limited" } as const;
  return {
    ...job,
    timeline: isInLine(job.state) ? job.timeline : withEntry(job.timeline, noted),
    state: { ...job.state, nextPollAt, ...(turn && { turn }) },
  };
}

/** The job after a poll: with the turn that it has now, if any, and no sooner there than it was told. */
export function afterTurn(job: Job, hold: Hold | null, now: number): Job {
  if (!hold || !isIn(job, "waiting")) return job;
  const { turn: used, ...state } = job.state;
  if (!used && !hold.turn) return job;
  const nextPollAt = beforeDeadline(Math.max(state.nextPollAt, now + hold.waitMs), job.deadlineAt);
  return { ...job, state: { ...state, nextPollAt, ...(hold.turn && { turn: hold.turn }) } };
}
