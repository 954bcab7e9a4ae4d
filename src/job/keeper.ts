/**
 * Keeps an object's jobs: each change is stored together with what it does to the object's one alarm, in one turn and so
 * in one commit, and whoever waits for the job is told.
 */

import { describe, logError } from "../log.ts";
import { Together } from "../together.ts";
import type { Agenda } from "./agenda.ts";
import type { AttemptReport } from "./index-client.ts";
import { due } from "./lifecycle.ts";
import type { Job } from "./record.ts";
import { type Erased, INLINE_ANSWER_BYTES, type JobStore } from "./store.ts";
import { Waiters } from "./waiters.ts";
import type { WakeUp } from "./wake-up.ts";

/** Starts of a job that are remembered for the index, should it have heard of none since. */
const MAX_SUPERSEDED = 16;
/** Between two waiting callers who are handed a large answer; an isolate has 128 MB. */
const LARGE_ANSWER_GAP_MS = 50;
/** Rows that an index is told at once, each with up to 64 KB of metadata: what is handed over has at most 32 MB. */
export const MOST_ROWS = 200;

export interface NotedReport {
  readonly tenant: string;
  readonly report: AttemptReport;
}

export class Keeper {
  readonly #storage: DurableObjectStorage;
  readonly #store: JobStore;
  readonly #agenda: Agenda;
  readonly #wakeUp: WakeUp;
  readonly #waiters = new Waiters();
  /** Jobs whose alarm run is under way, and since when (epoch ms); their wake-up is that run's concern. */
  readonly running = new Map<string, number>();
  /** Of those, in an object of many, the jobs as they are stored: a run looks at its job again and again. */
  readonly #held = new Map<string, Job>();
  /** Of those, the ones that were called meanwhile: the run may be about to park them. */
  readonly called = new Set<string>();
  /** Attempts that the tenant's object has not heard of. */
  #reports: NotedReport[] = [];
  readonly #together = new Together();
  /** There is something to tell the index. */
  readonly #onNews: () => void;

  constructor(
    storage: DurableObjectStorage,
    store: JobStore,
    agenda: Agenda,
    wakeUp: WakeUp,
    onNews: () => void,
  ) {
    this.#storage = storage;
    this.#store = store;
    this.#agenda = agenda;
    this.#wakeUp = wakeUp;
    this.#onNews = onNews;
  }

  /** Whether many jobs share the object. */
  get isShared(): boolean {
    return this.#agenda.isShared;
  }

  /** Resolves for all who are about to write, so that it is one commit. An object of one job has nobody to wait for. */
  turn(): Promise<void> {
    return this.isShared ? this.#together.turn() : Promise.resolve();
  }

  load(id: string): Job | null {
    if (!this.isShared || !this.running.has(id)) return this.#store.load(id);
    const job = this.#held.get(id) ?? this.#store.load(id);
    if (job) this.#held.set(id, job);
    return job;
  }

  /** Its run has ended. */
  ended(id: string): void {
    this.running.delete(id);
    this.#held.delete(id);
  }

  /** The job, if something of it is due. */
  look(id: string, now: number): Job | null {
    const job = this.#store.load(id);
    if (job && due(job, now) !== "nothing") return job;
    // The agenda is behind.
    if (job) this.#agenda.set(job);
    else this.#agenda.remove(id);
    return null;
  }

  /** The job's stored answer, or the new one that it carries. */
  readAnswer(job: Job): Uint8Array | null {
    return this.#store.readAnswer(job);
  }

  /** Stores the job and the alarm, then tells who waits. `before`: as it has just been loaded. */
  async save(job: Job, before = this.load(job.id)): Promise<void> {
    const stamped = this.#stamped(job, before);
    await this.#stored(this.#write(stamped, before, () => this.#store.save(stamped)));
    // Each who waits gets a copy of the answer: of a large one, not all copies at once.
    this.#waiters.wake(job.id, (job.answer?.size ?? 0) > INLINE_ANSWER_BYTES ? LARGE_ANSWER_GAP_MS : 0);
  }

  /** Stores a job that its object may die of; whether that was possible. */
  saveGuarded(job: Job): boolean {
    try {
      this.#store.save(job);
      return true;
    } catch (error) {
      logError("job.not_stored", { job: job.id, error: describe(error) });
      return false;
    }
  }

  /** Sets the alarm to look after those, should the object die, and waits until all that is on disk. */
  async watch(watchdogs: ReadonlyMap<string, number>): Promise<void> {
    await this.#wakeUp.guard(watchdogs);
    await this.#storage.sync();
  }

  /** Stores the job in place of the one that had its id, and the alarm. */
  async replace(job: Job): Promise<void> {
    const old = this.load(job.id);
    const earlier = old ? [...(old.supersedes ?? []), old.registeredAt].slice(-MAX_SUPERSEDED) : [];
    const stamped = { ...this.#stamped(job, old), supersedes: earlier };
    await this.#stored(this.#write(stamped, old, () => this.#store.replace(stamped)));
    this.#waiters.wake(job.id);
  }

  /** Erases the job, and notes that the index has to forget it too. */
  async erase(job: Job): Promise<void> {
    this.#storage.transactionSync(() => {
      this.#store.bury(job);
      this.#agenda.remove(job.id);
    });
    this.#held.delete(job.id);
    this.#wakeUp.release(job.id);
    const armed = this.#wakeUp.arm();
    this.#waiters.wake(job.id);
    this.#onNews();
    await armed;
  }

  /** Drops a job whose retention is over; its row in the index has the same end, and goes by itself. */
  async purge({ id }: Job): Promise<void> {
    // With the last one, everything goes at once.
    if (!this.isShared) return this.#dropAll();
    this.#store.drop(id);
    this.#agenda.remove(id);
    this.#held.delete(id);
    this.#wakeUp.release(id);
    if (this.#store.isEmpty()) return this.#dropAll();
    await this.#wakeUp.arm();
  }

  /**
   * Jobs of which the index may not know the present state; none while it is left alone after a failure. Of one whose run
   * is under way it is told at the end: what stands there meanwhile is no more than what the run may come to.
   */
  toIndex(now: number): Job[] {
    if (this.#wakeUp.isIndexLeftAlone(now)) return [];
    const untold = this.#agenda.untold(MOST_ROWS + this.running.size);
    return untold.filter(({ id }) => !this.running.has(id)).slice(0, MOST_ROWS);
  }

  /** Erased jobs that the index may still have. */
  erased(now: number): Erased[] {
    return this.#wakeUp.isIndexLeftAlone(now) ? [] : this.#store.erased(MOST_ROWS);
  }

  /** The index has these, as they were when it was told. */
  indexed(jobs: readonly Job[]): void {
    this.#agenda.told(jobs);
  }

  /** The index has forgotten these; with the last one, everything goes, the alarm too. */
  async forgotten(erased: readonly Erased[]): Promise<void> {
    this.#store.unbury(erased);
    await (this.#store.isEmpty() ? this.#dropAll() : this.#wakeUp.arm());
  }

  async #dropAll(): Promise<void> {
    this.#agenda.gone();
    this.#wakeUp.gone();
    await this.#storage.deleteAll();
  }

  /** Notes an attempt for the tenant's object. */
  report(tenant: string, report: AttemptReport): void {
    this.#reports.push({ tenant, report });
    this.#onNews();
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

  /** Whether as many wait for the job as may. */
  isWatchedByAll(id: string): boolean {
    return this.#waiters.isFull(id);
  }

  /** Resolves when the job changes or after `ms`. */
  waitForChange(id: string, ms: number): Promise<void> {
    return this.#waiters.wait(id, ms);
  }

  /** Where the job cannot be stored, its entry is again what it was: it must not be looked at later than it says. */
  #write(job: Job, before: Job | null, write: () => Job): Job {
    this.#agenda.set(job);
    try {
      return write();
    } catch (error) {
      if (before) this.#agenda.set(before);
      throw error;
    }
  }

  async #stored(job: Job): Promise<void> {
    this.#agenda.stored(job);
    if (this.#held.has(job.id)) this.#held.set(job.id, job);
    if (job.outbox && !this.running.has(job.id)) this.#onNews();
    await this.#wakeUp.armBy(job);
  }

  /** The job with its next revision, marked where the index must be told. */
  #stamped(job: Job, before: Job | null): Job {
    const told = before !== null && !this.#agenda.isUntold(before) && looksTheSame(before, job);
    return { ...job, revision: (before?.revision ?? 0) + 1, outbox: !told };
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
