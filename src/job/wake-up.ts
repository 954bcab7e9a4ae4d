/**
 * The object's one alarm, which stands at the earliest wake-up of all jobs here. While a run of it is under way it is not
 * moved: that run notices what becomes due, sets the alarm when it ends, and is repeated by the platform should it die.
 */
import { logError } from "../log.ts";
import type { Agenda } from "./agenda.ts";
import { wakeAt } from "./lifecycle.ts";
import type { Job } from "./record.ts";
import type { JobStore } from "./store.ts";

/** What a run leaves behind as due already has to wait this long, so that no clock error makes a hot loop. */
export const WAKE_FLOOR_MS = 1_000;
/** An alarm this long overdue has been lost. */
const LOST_ALARM_MS = 60_000;
/** When the index is told of a job that is over, where no alarm of its own comes soon. */
const INDEX_DELAY_MS = 1_000;
/** The same of a job whose own wake-up is far off: whoever was to tell the index sooner may have been lost. */
const FAR_INDEX_DELAY_MS = 15 * 60_000;
/** After the index could not be told. */
const INDEX_RETRY_MS = 60_000;

export class WakeUp {
  readonly #storage: DurableObjectStorage;
  readonly #store: JobStore;
  readonly #agenda: Agenda;
  /** Jobs that are not looked at before then (epoch ms), whatever their records say. */
  readonly #notBefore = new Map<string, number>();
  /** No sooner is the index told again, once it could not be told (epoch ms). */
  #indexNotBefore = 0;
  /** Where the alarm stands; `null` when it has fired since, or when nothing is known. */
  #armedAt: number | null = null;
  /** Tells the run that is under way that something has changed. */
  #notice: (() => void) | null = null;

  constructor(storage: DurableObjectStorage, store: JobStore, agenda: Agenda) {
    this.#storage = storage;
    this.#store = store;
    this.#agenda = agenda;
  }

  /** The alarm has fired, and is none any more; until `ended`, `notice` is called in place of setting it. */
  fired(notice: () => void): void {
    this.#armedAt = null;
    this.#notice = notice;
    // It was set for when the one job here may be looked at.
    if (!this.#agenda.isShared) this.#notBefore.clear();
  }

  ended(): void {
    this.#notice = null;
  }

  /** Sets the alarm to the earliest wake-up of all jobs here. */
  async arm(): Promise<void> {
    if (this.#notice) return this.#notice();
    const now = Date.now();
    const at = this.#earliest(now);
    if (at === null) return;
    // One that comes too early for many jobs comes in time for the next of them.
    if (this.#agenda.isShared && this.#armedAt !== null && this.#armedAt <= at) return;
    await this.set(Math.max(at, now));
  }

  /** The same behind a change of this job alone. */
  async armBy(job: Job): Promise<void> {
    if (!this.#notice && this.#agenda.isShared && this.#armedAt !== null && this.#armedAt <= wakeAt(job))
      return;
    await this.arm();
  }

  async set(at: number): Promise<void> {
    this.#armedAt = at;
    try {
      await this.#storage.setAlarm(at);
    } catch (error) {
      // One that could not be set is none.
      this.#armedAt = null;
      throw error;
    }
  }

  /** Sets the alarm though a run of it is under way, which may die: for all jobs here, the ones in `watchdogs` at those times. */
  async guard(watchdogs: ReadonlyMap<string, number>): Promise<void> {
    for (const [id, at] of watchdogs) this.#agenda.hold(id, at);
    const now = Date.now();
    // In an object of one job there is no other to be woken for.
    const earliest = this.#agenda.isShared
      ? (this.#earliest(now) ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY;
    await this.set(Math.max(Math.min(earliest, ...watchdogs.values()), now + WAKE_FLOOR_MS));
  }

  /** Everything here is gone, the alarm too. */
  gone(): void {
    this.#armedAt = null;
    this.#notBefore.clear();
  }

  /** Should a wake-up ever have been lost, the next caller who asks brings it back. */
  async repair(id: string): Promise<void> {
    if (this.#notice) return;
    const alarm = await this.#storage.getAlarm();
    if (alarm !== null && alarm > Date.now() - LOST_ALARM_MS) return;
    // A run that began while the alarm was read holds it at null, and will set it.
    if (this.#notice || !this.#store.load(id)) return;
    logError("job.alarm_missing", { job: id });
    this.#armedAt = null;
    await this.arm();
  }

  /** The job is not looked at before then. */
  holdBack(id: string, until: number): void {
    this.#notBefore.set(id, until);
  }

  /** The job is gone, or another; nothing that was said of it counts any more. */
  release(id: string): void {
    this.#notBefore.delete(id);
  }

  /** Whose time has come, the earliest first, without those of `running`. */
  due(now: number, limit: number, running: ReadonlyMap<string, number>): string[] {
    const entries = this.#first(now, limit + running.size);
    return entries.flatMap(({ id, at }) => (at <= now && !running.has(id) ? [id] : [])).slice(0, limit);
  }

  /** When the next of those has to be looked at who do not run; `null` where none has. */
  next(now: number, running: ReadonlyMap<string, number>): number | null {
    const ats = this.#first(now, running.size + 1).flatMap(({ id, at }) => (running.has(id) ? [] : [at]));
    return ats.length > 0 ? Math.min(...ats) : null;
  }

  /** Whether the index is left alone, as it could not be told. */
  isIndexLeftAlone(now: number): boolean {
    return now < this.#indexNotBefore;
  }

  /** The index could not be told: it is left alone for a while, and told then. */
  async indexLater(now: number): Promise<void> {
    this.#indexNotBefore = now + INDEX_RETRY_MS;
    await this.arm();
  }

  #first(now: number, limit: number): { readonly id: string; readonly at: number }[] {
    for (const [id, until] of this.#notBefore) if (until <= now) this.#notBefore.delete(id);
    const entries = this.#agenda.first(limit + this.#notBefore.size);
    return entries.map(({ id, at }) => ({ id, at: Math.max(at, this.#notBefore.get(id) ?? 0) }));
  }

  #earliest(now: number): number | null {
    const wakes = this.#first(now, 1).map(({ at }) => at);
    const tellAt = this.#tellAt(now);
    if (tellAt !== null) wakes.push(tellAt);
    return wakes.length > 0 ? Math.min(...wakes) : null;
  }

  /** When the index has to be told of something, should nobody do it before. */
  #tellAt(now: number): number | null {
    const soon = Math.max(now + INDEX_DELAY_MS, this.#indexNotBefore);
    const far = Math.max(now + FAR_INDEX_DELAY_MS, this.#indexNotBefore);
    const urgency = this.#agenda.urgency();
    const isGone = this.#store.erased(1).length > 0;
    if (urgency === "none" && !isGone) return null;
    // Many jobs' object tells the index of its own accord; the alarm is for when that was in vain, or the object was lost.
    if (this.#agenda.isShared) return this.isIndexLeftAlone(now) ? soon : far;
    return isGone || urgency === "soon" ? soon : far;
  }
}
