/**
 * One alarm of an object: runs what is due, side by side, and what becomes due meanwhile, until nothing is under way. A
 * slow one holds up no other. It does not throw for anything the outside world can cause.
 */
import { describe, logError } from "../log.ts";
import type { Indexing, JobEnv } from "./indexing.ts";
import type { Keeper } from "./keeper.ts";
import type { Job } from "./record.ts";
import { guard, runSafely } from "./safe-run.ts";
import { WAKE_FLOOR_MS, type WakeUp } from "./wake-up.ts";

/** From then on the next alarm goes on: the platform ends one that takes 15 minutes. */
const SHIFT_MS = 30_000;
/**
 * Runs at once, in all objects of the isolate, which share its one thread. One that has taken so long waits for others,
 * and is not counted any more.
 */
const MOST_FRESH = 128;
const FRESH_MS = 1_000;
/** Where the event loop is late, they wait for it, and not for others: they count for so many times as long as it is. */
const FRESH_PER_LATE = 16;
/** Runs of an object: each may hold an answer. */
const MOST_RUNS = 1_000;
/** Who was not let in looks again. */
const LOOK_MS = 50;
/** Of what changes among many at one time, one look is enough. */
const BETWEEN_LOOKS_MS = 4;
/** When a job is tried again of which nothing could be stored. */
export const UNREADABLE_RETRY_MS = 60_000;

/** When the isolate's last runs of shared objects began (epoch ms), of those that have not ended. */
const fresh = new Set<{ readonly since: number }>();

/** How late the isolate's event loop was at the last look. */
let lateMs = 0;

function freshRuns(now: number): number {
  // Those of an object that has died end by themselves here.
  // No run lasts longer than a shift; a clock that jumps must not have the dead count for hours.
  const freshMs = FRESH_MS + Math.min(FRESH_PER_LATE * lateMs, SHIFT_MS);
  for (const run of fresh) if (run.since <= now - freshMs) fresh.delete(run);
  return fresh.size;
}

export class Shift {
  readonly #keeper: Keeper;
  readonly #wakeUp: WakeUp;
  readonly #indexing: Indexing;
  readonly #env: JobEnv;
  #notice = Promise.withResolvers<void>();
  /** The job that the object may die of, should it run. */
  #suspect = "";

  constructor(keeper: Keeper, wakeUp: WakeUp, indexing: Indexing, env: JobEnv) {
    this.#keeper = keeper;
    this.#wakeUp = wakeUp;
    this.#indexing = indexing;
    this.#env = env;
  }

  /** Something has changed: what is under way looks again. */
  notice = (): void => this.#notice.resolve();

  /** `isRetry`: the alarm before this one did not end. */
  async work(isRetry: boolean): Promise<void> {
    const { running } = this.#keeper;
    const endAt = Date.now() + SHIFT_MS;
    // Of what was done before it, the index may not have heard.
    if (this.#keeper.isShared) this.#indexing.soon(this.notice);
    for (let isFirst = true; ; isFirst = false) {
      const now = Date.now();
      this.#notice = Promise.withResolvers();
      const jobs = this.#due(now);
      if (jobs.length > 0 && now >= endAt) return;
      // Where one died under guard, nobody else is to blame.
      const guarded = jobs.filter((job) => job.guarded);
      const suspects = guarded.length === 0 && isRetry && isFirst ? jobs : guarded;
      const unguarded = suspects.length > 0 ? await guard(suspects, now, this.#keeper, this.#env) : [];
      for (const id of unguarded) this.#wakeUp.holdBack(id, now + UNREADABLE_RETRY_MS);
      for (const { id } of jobs) if (!unguarded.includes(id)) void this.#run(id);
      if (running.size === 0 && (!this.#indexing.isSoon || now >= endAt)) break;
      await this.#change(now);
    }
    if (!this.#keeper.isShared) await this.#indexing.tell();
  }

  /** Those that may begin now. */
  #due(now: number): Job[] {
    const { running } = this.#keeper;
    const room = Math.min(this.#keeper.isShared ? MOST_FRESH - freshRuns(now) : 1, MOST_RUNS - running.size);
    if (room <= 0) return [];
    const jobs = this.#wakeUp.due(now, room, running).flatMap((id) => this.#look(id, now) ?? []);
    // Beside another one, nobody could tell whom the object has died of.
    const first = running.has(this.#suspect) ? undefined : jobs.find(({ guarded }) => guarded);
    if (first) this.#suspect = first.id;
    return jobs.filter((job) => !job.guarded || job === first);
  }

  /** The job, if something of it is due. A record that cannot be understood holds up no other job. */
  #look(id: string, now: number): Job | null {
    try {
      return this.#keeper.look(id, now);
    } catch (error) {
      logError("job.unreadable", { job: id, error: describe(error) });
      this.#wakeUp.holdBack(id, now + UNREADABLE_RETRY_MS);
      return null;
    }
  }

  async #run(id: string): Promise<void> {
    const run = { since: Date.now() };
    if (this.#keeper.isShared) fresh.add(run);
    const ran = await runSafely(id, this.#keeper, this.#env);
    fresh.delete(run);
    const now = Date.now();
    if (ran === "due_again") this.#wakeUp.holdBack(id, now + WAKE_FLOOR_MS);
    if (ran === "not_stored") this.#wakeUp.holdBack(id, now + UNREADABLE_RETRY_MS);
    if (this.#keeper.isShared) this.#indexing.soon(this.notice);
    this.notice();
  }

  /** Until a run has ended, something was stored, or a job that does not run is due. */
  async #change(now: number): Promise<void> {
    const next = this.#wakeUp.next(now, this.#keeper.running);
    const waitMs =
      next === null || next > now ? Math.min((next ?? Number.POSITIVE_INFINITY) - now, SHIFT_MS) : LOOK_MS;
    const timer = setTimeout(this.notice, waitMs);
    await this.#notice.promise;
    clearTimeout(timer);
    if (!this.#keeper.isShared || this.#keeper.running.size < 2) return;
    const waitedFrom = Date.now();
    await scheduler.wait(BETWEEN_LOOKS_MS);
    lateMs = Date.now() - waitedFrom - BETWEEN_LOOKS_MS;
  }
}
