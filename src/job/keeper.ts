/**
 * Keeps an object's jobs: each change is stored together with the object's one alarm, in one turn and so in one
 * commit, and whoever waits for the job is told. The alarm stands at the earliest wake-up of all jobs here.
 */
import { logError } from "../log.ts";
import { wakeAt } from "./lifecycle.ts";
import type { Job } from "./record.ts";
import { INLINE_ANSWER_BYTES, JobStore } from "./store.ts";
import { Waiters } from "./waiters.ts";

/** A wake-up that is past already is put this far ahead, so that no clock error makes a hot loop. */
const WAKE_FLOOR_MS = 1_000;
/** An alarm this long overdue has been lost. */
const LOST_ALARM_MS = 60_000;
/** Between two waiting callers who are handed a large answer; an isolate has 128 MB. */
const LARGE_ANSWER_GAP_MS = 50;

export class Keeper {
  readonly #storage: DurableObjectStorage;
  readonly #store: JobStore;
  readonly #waiters = new Waiters();
  /** Jobs whose alarm run is under way; their wake-up is that run's concern. */
  readonly running = new Set<string>();

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#store = new JobStore(storage);
  }

  load(id: string): Job | null {
    return this.#store.load(id);
  }

  all(): Job[] {
    return this.#store.all();
  }

  /** The job's stored answer, or the new one that it carries. */
  readAnswer(job: Job): Uint8Array | null {
    return this.#store.readAnswer(job);
  }

  /** Stores the job and the alarm, then tells who waits. */
  async save(job: Job): Promise<void> {
    this.#store.save(job);
    await this.arm(this.running.size > 0);
    // Each who waits gets a copy of the answer: of a large one, not all copies at once.
    this.#waiters.wake(job.id, (job.answer?.size ?? 0) > INLINE_ANSWER_BYTES ? LARGE_ANSWER_GAP_MS : 0);
  }

  /** Stores jobs with a watchdog in place of their own wake-up, and waits until that is on disk. */
  async saveGuarded(jobs: readonly Job[], watchdogAt: number): Promise<void> {
    for (const job of jobs) this.#store.save(job);
    await this.#storage.setAlarm(watchdogAt);
    await this.#storage.sync();
  }

  /** Stores the job in place of the one that had its id, and the alarm. */
  async replace(job: Job): Promise<void> {
    this.#store.replace(job);
    await this.arm();
    this.#waiters.wake(job.id);
  }

  /** Erases the job; with the last one, everything, the alarm too. */
  async forget(id: string): Promise<void> {
    const wasLast = this.#store.erase(id);
    const done = wasLast ? this.#storage.deleteAll() : this.arm();
    this.#waiters.wake(id);
    await done;
  }

  /**
   * Sets the alarm to the earliest wake-up of all jobs here. What a caller has just made due is due at once; what a
   * run leaves behind as due (`floored`) has to wait a little.
   */
  async arm(floored = false): Promise<void> {
    const jobs = this.all();
    if (jobs.length === 0) return;
    const now = Date.now();
    const at = Math.min(...jobs.map(wakeAt));
    await this.#storage.setAlarm(at > now ? at : now + (floored ? WAKE_FLOOR_MS : 0));
  }

  /** Sets the alarm where some jobs wait for `at`, whatever their records say, and the others for their own wake-ups. */
  async armFor(ids: readonly string[], at: number): Promise<void> {
    const others = this.all().filter(({ id }) => !ids.includes(id));
    const wakes = others.map((job) => Math.max(wakeAt(job), Date.now() + WAKE_FLOOR_MS));
    await this.#storage.setAlarm(Math.min(at, ...wakes));
  }

  /** Sets the alarm if there is none. */
  async armIfUnset(): Promise<void> {
    if ((await this.#storage.getAlarm()) === null) await this.arm(true);
  }

  /** Should a wake-up ever have been lost, the next caller who asks brings it back. */
  async repairAlarm(job: Job): Promise<void> {
    if (this.running.size > 0) return;
    const alarm = await this.#storage.getAlarm();
    if (alarm !== null && alarm > Date.now() - LOST_ALARM_MS) return;
    // A run that began while the alarm was read holds it at null, and will set it.
    if (this.running.size > 0 || !this.load(job.id)) return;
    logError("job.alarm_missing", { job: job.id });
    await this.arm();
  }

  /** Resolves when the job changes or after `ms`. */
  waitForChange(id: string, ms: number): Promise<void> {
    return this.#waiters.wait(id, ms);
  }
}
