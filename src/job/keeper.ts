/**
 * Keeps an object's jobs: each change is stored together with the object's one alarm, in one turn and so in one
 * commit, and whoever waits for the job is told. The alarm stands at the earliest wake-up of all jobs here.
 */
import { logError } from "../log.ts";
import type { AttemptReport } from "./index-client.ts";
import { wakeAt } from "./lifecycle.ts";
import type { Job } from "./record.ts";
import { isOver } from "./record.ts";
import { type Erased, INLINE_ANSWER_BYTES, JobStore } from "./store.ts";
import { Waiters } from "./waiters.ts";

/** A wake-up that is past already is put this far ahead, so that no clock error makes a hot loop. */
const WAKE_FLOOR_MS = 1_000;
/** An alarm this long overdue has been lost. */
const LOST_ALARM_MS = 60_000;
/** When the index is told of a job that is over, where no alarm of its own comes soon. */
const INDEX_DELAY_MS = 1_000;
/** The same of a job whose own wake-up is far off: the Worker's word at its registration may have been lost. */
const FAR_INDEX_DELAY_MS = 15 * 60_000;
/** Starts of a job that are remembered for the index, should it have heard of none since. */
const MAX_SUPERSEDED = 16;
/** After the index could not be told. */
const INDEX_RETRY_MS = 60_000;
/** An alarm that a run has set for its next attempt, should it die, is near enough to tell the index by. */
const SOON_MS = 10_000;
/** Between two waiting callers who are handed a large answer; an isolate has 128 MB. */
const LARGE_ANSWER_GAP_MS = 50;

export interface NotedReport {
  readonly tenant: string;
  readonly report: AttemptReport;
}

export class Keeper {
  readonly #storage: DurableObjectStorage;
  readonly #store: JobStore;
  readonly #waiters = new Waiters();
  /** Jobs whose alarm run is under way; their wake-up is that run's concern. */
  readonly running = new Set<string>();
  /** Of those, the ones that were called meanwhile: the run may be about to park them. */
  readonly called = new Set<string>();
  /** Attempts that the tenant's object has not heard of. */
  #reports: NotedReport[] = [];
  /** Revisions that the index has. What is lost with the object's memory is only told again. */
  readonly #indexed = new Map<string, number>();
  /** No sooner is the index told again, once it could not be told (epoch ms). */
  #indexNotBefore = 0;
  /** Where the alarm stands; `null` when it has fired since, or when nothing is known. */
  #armedAt: number | null = null;

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
    this.#store.save(this.#stamped(job));
    // What a run ends needs no new alarm yet: the one that it set for its next attempt tells the index, should it die.
    const isEnd = this.running.size > 0 && isOver(job.state);
    if (!isEnd || (this.#armedAt ?? Number.POSITIVE_INFINITY) > Date.now() + SOON_MS)
      await this.arm(this.running.size > 0);
    // Each who waits gets a copy of the answer: of a large one, not all copies at once.
    this.#waiters.wake(job.id, (job.answer?.size ?? 0) > INLINE_ANSWER_BYTES ? LARGE_ANSWER_GAP_MS : 0);
  }

  /** Stores jobs with a watchdog in place of their own wake-up, and waits until that is on disk. */
  async saveGuarded(jobs: readonly Job[], watchdogAt: number): Promise<void> {
    for (const job of jobs) this.#store.save(job);
    await this.#setAlarm(watchdogAt);
    await this.#storage.sync();
  }

  /** Stores the job in place of the one that had its id, and the alarm. */
  async replace(job: Job): Promise<void> {
    const old = this.#store.load(job.id);
    const earlier = old ? [...(old.supersedes ?? []), old.registeredAt].slice(-MAX_SUPERSEDED) : [];
    this.#store.replace({ ...this.#stamped(job), supersedes: earlier });
    await this.arm();
    this.#waiters.wake(job.id);
  }

  /** Erases the job, and notes that the index has to forget it too. */
  async erase(job: Job): Promise<void> {
    this.#store.bury(job);
    // Whoever comes after it under this id begins to count anew.
    this.#indexed.delete(job.id);
    const armed = this.arm();
    this.#waiters.wake(job.id);
    await armed;
  }

  /** The index has forgotten these; with the last one, everything goes, the alarm too. */
  async forgotten(erased: readonly Erased[]): Promise<void> {
    const isEmpty = this.#store.unbury(erased);
    await (isEmpty ? this.#storage.deleteAll() : this.arm());
  }

  /**
   * Sets the alarm to the earliest wake-up of all jobs here. What a caller has just made due is due at once; what a
   * run leaves behind as due (`floored`) has to wait a little.
   */
  async arm(floored = false): Promise<void> {
    const now = Date.now();
    const wakes = [...this.all().map((job) => this.#wakeAt(job, now)), ...this.#erasedWakes(now)];
    if (wakes.length === 0) return;
    const at = Math.min(...wakes);
    await this.#setAlarm(at > now ? at : now + (floored ? WAKE_FLOOR_MS : 0));
  }

  /** Sets the alarm where some jobs wait for `at`, whatever their records say, and the others for their own wake-ups. */
  async armFor(ids: readonly string[], at: number): Promise<void> {
    const others = this.all().filter(({ id }) => !ids.includes(id));
    const wakes = others.map((job) => Math.max(wakeAt(job), Date.now() + WAKE_FLOOR_MS));
    await this.#setAlarm(Math.min(at, ...wakes));
  }

  /** The alarm has fired, and is none any more. */
  alarmFired(): void {
    this.#armedAt = null;
  }

  /** Jobs of which the index may not know the present state; none while it is left alone after a failure. */
  toIndex(now: number): Job[] {
    return now < this.#indexNotBefore ? [] : this.all().filter((job) => this.#isDirty(job));
  }

  /** Erased jobs that the index may still have. */
  erased(): Erased[] {
    return this.#store.erased();
  }

  /** Notes an attempt for the tenant's object. */
  report(tenant: string, report: AttemptReport): void {
    this.#reports.push({ tenant, report });
  }

  /** The job is about to be moved by its caller: should it be parked, its place there is given up. */
  leavePark({ id, tenant, destination, state }: Job): void {
    const parked = "parked" in state ? state.parked : undefined;
    if (parked)
      this.report(tenant, {
        jobId: id,
        host: parked.host,
        result: "none",
        unparked: { parked, destination: destination?.name ?? null },
      });
  }

  /** Hands out the noted attempts, once: what gets lost with them is made up for by time. */
  takeReports(): readonly NotedReport[] {
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  /** The index has these, as they were when it was told. */
  async indexed(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      const stored = this.#store.load(job.id);
      if (stored?.registeredAt === job.registeredAt) this.#indexed.set(job.id, job.revision ?? 0);
      // Of a job that is over the mark is left: it costs a row, and nothing but its purge comes after.
      if (stored && !isOver(stored.state) && !this.#isDirty(stored))
        this.#store.save({ ...stored, outbox: false });
    }
    // What was armed for the index alone is armed anew: of a job that is over, or whose own wake-up is far off.
    const isFar = (job: Job): boolean => isOver(job.state) || wakeAt(job) > Date.now() + FAR_INDEX_DELAY_MS;
    if (jobs.some(isFar)) await this.arm(true);
  }

  /** The index could not be told: it is left alone for a while, and told then. */
  async indexLater(now: number): Promise<void> {
    this.#indexNotBefore = now + INDEX_RETRY_MS;
    await this.arm(true);
  }

  /** The job with its next revision, marked where the index must be told. */
  #stamped(job: Job): Job {
    const before = this.#store.load(job.id);
    const told = before !== null && !this.#isDirty(before) && looksTheSame(before, job);
    return { ...job, revision: (before?.revision ?? 0) + 1, outbox: !told };
  }

  #isDirty({ id, outbox, revision }: Job): boolean {
    return outbox === true && this.#indexed.get(id) !== (revision ?? 0);
  }

  #wakeAt(job: Job, now: number): number {
    if (!this.#isDirty(job)) return wakeAt(job);
    return Math.min(wakeAt(job), isOver(job.state) ? this.#tellAt(now) : now + FAR_INDEX_DELAY_MS);
  }

  #erasedWakes(now: number): number[] {
    return this.#store.erased().length > 0 ? [this.#tellAt(now)] : [];
  }

  #tellAt = (now: number): number => Math.max(now + INDEX_DELAY_MS, this.#indexNotBefore);

  async #setAlarm(at: number): Promise<void> {
    this.#armedAt = at;
    await this.#storage.setAlarm(at);
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

  /** Whether as many wait for the job as may. */
  isWatchedByAll(id: string): boolean {
    return this.#waiters.isFull(id);
  }

  /** Resolves when the job changes or after `ms`. */
  waitForChange(id: string, ms: number): Promise<void> {
    return this.#waiters.wait(id, ms);
  }
}

/** Whether a list shows the job as it showed it before, but for numbers that change with every poll. */
const looksTheSame = (before: Job, job: Job): boolean =>
  before.state.status === job.state.status &&
  before.attempts === job.attempts &&
  before.callbackUrl === job.callbackUrl &&
  before.destination?.name === job.destination?.name &&
  parkReason(before) === parkReason(job) &&
  before.eventId === job.eventId;

const parkReason = ({ state }: Job): string | undefined =>
  "parked" in state ? state.parked?.reason : undefined;
