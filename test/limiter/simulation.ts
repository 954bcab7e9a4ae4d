/**
 * Many jobs on one provider key, a provider that limits it, and the limiter, in virtual time: what is measured is the
 * pace itself, with the jitter of alarms and calls, and none of the machine's.
 */
import { nextPollAt, retryPollAt } from "../../src/job/schedule.ts";
import { limited, type Pace, type Turn, take } from "../../src/limiter/pace.ts";
import { Agenda, type Gate, randomFrom } from "./virtual-time.ts";

export interface Setting {
  readonly gate: Gate;
  /** What the provider asks for with a 429; `null` leaves it to the rule for that. */
  readonly retryAfterSeconds: number | null;
  readonly jobs?: number;
  /** First polls fall into so many ms. */
  readonly spreadMs?: number;
  /** Polls that jobs need: between 1 and this. */
  readonly mostPolls?: number;
  /** Memories in which it is known that the key is limited; each learns it by itself. */
  readonly isolates?: number;
  /** The share of calls of the limiter that fail. */
  readonly unreachable?: number;
  /** Every 20 s, all stand still for so long, and what would have happened happens at once. */
  readonly stallMs?: number;
  readonly seed?: number;
}

export interface Figures {
  readonly polls: number;
  readonly refused: number;
  /** Of the polls from 10 s after the first 429 on. */
  readonly refusedShare: number;
  readonly asks: number;
  /** Jobs that the provider answered before their deadline. */
  readonly ended: number;
  readonly lastEndAt: number;
  /** Answered polls per second, from the first 429 to the last end. */
  readonly throughput: number;
  /** Answered polls per second, by minute. */
  readonly byMinute: readonly number[];
  /** How far the end of a wait that the provider asked for was behind, at the least, when a poll was let go. */
  readonly leastSlackMs: number;
}

interface SimJob {
  readonly isolate: number;
  readonly registeredAt: number;
  readonly deadlineAt: number;
  pollsLeft: number;
  turn: Turn | null;
  wasLimited: boolean;
}

const DEADLINE_MS = 3_600_000;
const DEFAULT_WAIT_SECONDS = 30;
const COLD = { learned: null, secondsPerPoll: 1 };
const STALL_EVERY_MS = 20_000;

export function simulate(setting: Setting): Figures {
  const { gate, retryAfterSeconds, jobs = 1_000, spreadMs = 4_000, mostPolls = 1 } = setting;
  const { isolates = 1, unreachable = 0, stallMs = 0, seed = 1 } = setting;
  const waitSeconds = retryAfterSeconds ?? DEFAULT_WAIT_SECONDS;
  const random = randomFrom(seed);
  const between = (least: number, most: number) => least + random() * (most - least);
  const agenda = new Agenda();
  const known = new Set<number>();
  const polls: { at: number; answered: boolean }[] = [];
  let pace: Pace | null = null;
  let now = 0;
  let asks = 0;
  let ended = 0;
  let lastEndAt = 0;
  let limitedUntil = Number.NEGATIVE_INFINITY;
  let leastSlackMs = Number.POSITIVE_INFINITY;

  const stalled = (at: number) => at + Math.max(stallMs - (at % STALL_EVERY_MS), 0);
  const later = (ms: number, act: () => void) => agenda.add(stalled(now + ms), act);
  /** The job's alarm; never early. */
  const wake = (job: SimJob, at: number) =>
    agenda.add(stalled(Math.min(at, job.deadlineAt) + between(0, 20)), () => due(job));

  function due(job: SimJob): void {
    const asksFirst = known.has(job.isolate) || job.turn || job.wasLimited;
    if (asksFirst && now < job.deadlineAt && random() >= unreachable) later(between(2, 10), () => ask(job));
    else poll(job, job.turn?.position === undefined ? null : job.turn);
  }

  function ask(job: SimJob): void {
    asks++;
    const { pace: after, taken } = pace
      ? take(pace, job.turn, now, random())
      : { pace, taken: { kind: "free" } as const };
    pace = after;
    const answeredAt = between(2, 10);
    if (taken.kind === "wait") {
      job.turn = taken.turn;
      const waitMs = taken.until - now;
      later(answeredAt, () => wake(job, now + waitMs));
      return;
    }
    if (taken.kind === "free") known.delete(job.isolate);
    else known.add(job.isolate);
    if (taken.kind === "go") leastSlackMs = Math.min(leastSlackMs, now - limitedUntil);
    const turn = taken.kind === "go" ? taken.turn : null;
    later(answeredAt, () => poll(job, turn));
  }

  function poll(job: SimJob, turn: Turn | null): void {
    const sentAt = now;
    job.turn = turn;
    later(between(20, 80), () => {
      const answered = gate(now);
      polls.push({ at: now, answered });
      later(between(20, 80), () => answer(job, answered, sentAt));
    });
  }

  function answer(job: SimJob, answered: boolean, sentAt: number): void {
    job.wasLimited = !answered;
    if (answered) job.pollsLeft--;
    if (job.pollsLeft === 0) {
      ended++;
      lastEndAt = now;
      return;
    }
    if (now >= job.deadlineAt) return;
    const when = { now, random: random(), registeredAt: job.registeredAt, deadlineAt: job.deadlineAt };
    if (answered) wake(job, nextPollAt({ etaSeconds: null, at: job.registeredAt }, COLD, when));
    else refused(job, sentAt, retryPollAt(waitSeconds, 1, when));
  }

  function refused(job: SimJob, sentAt: number, again: number): void {
    known.add(job.isolate);
    if (random() < unreachable) wake(job, again);
    else
      later(between(2, 10), () => {
        const told = limited(pace, { waitSeconds, sentAt, turn: job.turn }, now, random());
        pace = told.pace;
        limitedUntil = Math.max(limitedUntil, now + waitSeconds * 1_000);
        job.turn = told.taken.turn;
        const waitMs = told.taken.until - now;
        later(between(2, 10), () => wake(job, Math.max(now + waitMs, again)));
      });
  }

  for (let i = 0; i < jobs; i++) {
    const registeredAt = between(0, spreadMs);
    const pollsLeft = 1 + Math.floor(random() * mostPolls);
    const deadlineAt = registeredAt + DEADLINE_MS;
    const job = { isolate: i % isolates, registeredAt, deadlineAt, pollsLeft, turn: null, wasLimited: false };
    wake(job, registeredAt + 2_000);
  }
  for (let next = agenda.next(); next; next = agenda.next()) {
    now = next.at;
    next.act();
  }

  const firstAt = polls.find(({ answered }) => !answered)?.at ?? 0;
  const counted = polls.filter(({ at }) => at >= firstAt + 10_000);
  const refusedOf = (some: typeof polls) => some.filter(({ answered }) => !answered).length;
  const byMinute: number[] = [];
  for (const { at, answered } of polls) {
    const minute = Math.floor(at / 60_000);
    while (byMinute.length <= minute) byMinute.push(0);
    if (answered) byMinute[minute] = (byMinute[minute] ?? 0) + 1 / 60;
  }
  const answeredSince = polls.filter(({ at, answered }) => answered && at >= firstAt).length;
  return {
    polls: polls.length,
    refused: refusedOf(polls),
    refusedShare: counted.length === 0 ? 0 : refusedOf(counted) / counted.length,
    asks,
    ended,
    lastEndAt,
    throughput: (answeredSince * 1_000) / Math.max(lastEndAt - firstAt, 1),
    byMinute: byMinute.map((rate) => Math.round(rate * 10) / 10),
    leastSlackMs,
  };
}
