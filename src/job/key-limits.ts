/**
 * The job's side of its provider key's limiter. Only a job that has a reason asks it before a poll: a turn, a 429 of
 * its own, or that a job in the same isolate was limited on the same key. A limiter that cannot be reached holds up
 * nobody.
 */
import type { Limiter, Told } from "../limiter/limiter.ts";
import { describe, logError } from "../log.ts";
import { within } from "../net/bounded.ts";
import type { PollResult } from "../provider/client.ts";
import { limiterName } from "./ids.ts";
import type { In } from "./record.ts";
import { type Hold, isInLine } from "./turn.ts";

/** No poll waits longer than this for the limiter, and none past its job's deadline. */
const LIMIT_MS = 2_000;
/** Limited keys that an isolate remembers; one that is forgotten costs a 429. */
const MOST_KEYS = 1_000;

export interface LimiterBindings {
  readonly LIMITER: { getByName(name: string): unknown };
}

type Calls = Pick<Limiter, "take" | "limited">;

/** What came of it that a poll was due: the poll, or that the job may not poll yet. */
export type Turned =
  /** `hold`: what the job is told for the next one; `null` where nothing was learned. */
  | { readonly seen: PollResult; readonly startedAt: number; readonly hold: Hold | null }
  | { readonly seen: null; readonly startedAt: null; readonly hold: Hold };

/** The limiters that were in force when a job of this isolate last heard of them. */
const inForce = new Set<string>();

/** Polls, if the job may by now; a 429 is passed on. `origin` and `key`: what the poll is made with. */
export async function pollInTurn(
  { id, state, deadlineAt, timeline }: In<"waiting">,
  { origin, key }: { readonly origin: string; readonly key: string },
  env: LimiterBindings,
  poll: (now: number) => Promise<PollResult>,
): Promise<Turned> {
  const call = async (ask: (limiter: Calls) => PromiseLike<Told>): Promise<Told | null> => {
    const name = await limiterName(origin, key);
    const told = await bounded(id, deadlineAt, () => ask(env.LIMITER.getByName(name) as Calls));
    if (told) note(name, told.kind !== "free");
    return told;
  };
  const had = state.turn ?? null;
  const hasReason =
    had !== null || timeline.findLast(({ type }) => type === "poll")?.reason === "rate_limited";
  const mayAsk = hasReason || (inForce.size > 0 && inForce.has(await limiterName(origin, key)));
  // The last poll is made at the deadline, whatever the limiter would say.
  const told = mayAsk && Date.now() < deadlineAt ? await call((limiter) => limiter.take(had)) : null;
  if (told?.kind === "wait") return { seen: null, startedAt: null, hold: told };

  const startedAt = Date.now();
  const seen = await poll(startedAt);
  // Whoever polls without having been let go, because nobody answered, keeps the place that he has.
  const turn = told?.kind === "go" ? told.turn : !told && had && isInLine(state) ? had : null;
  const { verdict } = seen;
  if (verdict.kind === "transient" && verdict.cause === "rate_limited") {
    const waitSeconds = verdict.waitSeconds ?? 0;
    const next = await call((limiter) => limiter.limited(waitSeconds, Date.now() - startedAt, turn));
    return { seen, startedAt, hold: next?.kind === "wait" ? next : { turn, waitMs: 0 } };
  }
  return { seen, startedAt, hold: { turn: told ? turn : had && { episode: had.episode }, waitMs: 0 } };
}

function note(name: string, isInForce: boolean): void {
  inForce.delete(name);
  if (isInForce) inForce.add(name);
  const [oldest] = inForce;
  if (inForce.size > MOST_KEYS && oldest !== undefined) inForce.delete(oldest);
}

/** What the limiter says; `null` where it does not, in time. */
async function bounded(job: string, deadlineAt: number, call: () => PromiseLike<Told>): Promise<Told | null> {
  try {
    const ms = Math.min(LIMIT_MS, Math.max(deadlineAt - Date.now(), 0));
    return await within(ms, call(), null);
  } catch (error) {
    logError("limiter.unreachable", { job, error: describe(error) });
    return null;
  }
}
