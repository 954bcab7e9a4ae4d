/**
 * When each of an object's jobs is to be looked at next, and of which the index has not heard. An object that hosts one
 * job reads both from its record, where they cost no row more; one that hosts many keeps a table of them, so that none of
 * its jobs has to be read for another.
 */
import { hasTable } from "../sql.ts";
import { wakeAt } from "./lifecycle.ts";
import { isOver, type Job } from "./record.ts";
import type { JobStore } from "./store.ts";

export interface Entry {
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface Agenda {
  /** Whether many jobs share the object. */
  readonly isShared: boolean;
  /** Notes the job as it is about to be stored: an entry without a job is found out, a job without one is not. */
  set(job: Job): void;
  /** It is stored. */
  stored(job: Job): void;
  remove(id: string): void;
  /** The earliest, that many at most. */
  first(limit: number): Entry[];
  /** Whether the index may not know the present state of the job as it is stored. */
  isUntold(job: Job): boolean;
  untold(limit: number): Job[];
  /** The index has these, as they were when it was told. */
  told(jobs: readonly Job[]): void;
  /** All that was stored here has been dropped. */
  gone(): void;
}

export class OneJob implements Agenda {
  readonly isShared = false;
  readonly #store: JobStore;
  /** Revisions that the index has. What is lost with the object's memory is only told again. */
  readonly #indexed = new Map<string, number>();

  constructor(store: JobStore) {
    this.#store = store;
  }

  set(): void {}
  stored(): void {}

  remove(id: string): void {
    // Whoever comes after it under this id begins to count anew.
    this.#indexed.delete(id);
  }

  first(limit: number): Entry[] {
    const entries = this.#store.all().map((job) => ({ id: job.id, at: wakeAt(job) }));
    return entries.sort((a, b) => a.at - b.at).slice(0, limit);
  }

  isUntold({ id, outbox, revision }: Job): boolean {
    return outbox === true && this.#indexed.get(id) !== (revision ?? 0);
  }

  untold(): Job[] {
    return this.#store.all().filter((job) => this.isUntold(job));
  }

  told(jobs: readonly Job[]): void {
    for (const job of jobs) {
      const stored = this.#store.load(job.id);
      if (stored?.registeredAt === job.registeredAt) this.#indexed.set(job.id, job.revision ?? 0);
      // Of a job that is over the mark is left: it costs a row, and nothing but its purge comes after.
      if (stored && !isOver(stored.state) && !this.isUntold(stored))
        this.#store.save({ ...stored, outbox: false });
    }
  }

  gone(): void {
    this.#indexed.clear();
  }
}

const SCHEMA = [
  "CREATE TABLE agenda (id TEXT PRIMARY KEY, at INTEGER NOT NULL, untold TEXT) WITHOUT ROWID",
  "CREATE INDEX agenda_at ON agenda (at)",
  "CREATE INDEX agenda_untold ON agenda (id) WHERE untold IS NOT NULL",
];

/** So many are kept at hand for the index. */
const MOST_FRESH = 1_000;

/** Which state of the job the index lacks: of a job that is started anew, revisions go on; of one that was erased, not. */
const stateOf = ({ registeredAt, revision = 0 }: Job): string => `${registeredAt}/${revision}`;

export class ManyJobs implements Agenda {
  readonly isShared = true;
  readonly #store: JobStore;
  readonly #sql: SqlStorage;
  /** The table has been seen. */
  #isThere = false;
  /** Jobs that were stored last and not told yet, so that they need not be read for that. */
  readonly #fresh = new Map<string, Job>();

  constructor(store: JobStore, sql: SqlStorage) {
    this.#store = store;
    this.#sql = sql;
  }

  set(job: Job): void {
    if (!this.#exists()) for (const statement of SCHEMA) this.#sql.exec(statement);
    this.#sql.exec(
      "INSERT INTO agenda VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at, untold = excluded.untold",
      job.id,
      wakeAt(job),
      job.outbox ? stateOf(job) : null,
    );
    this.#fresh.delete(job.id);
  }

  stored(job: Job): void {
    // Of an answer the index is told nothing.
    if (job.outbox && this.#fresh.size < MOST_FRESH) this.#fresh.set(job.id, { ...job, answer: null });
  }

  remove(id: string): void {
    this.#fresh.delete(id);
    if (this.#exists()) this.#sql.exec("DELETE FROM agenda WHERE id = ?", id);
  }

  first(limit: number): Entry[] {
    if (!this.#exists()) return [];
    return [
      ...this.#sql.exec<{ id: string; at: number }>("SELECT id, at FROM agenda ORDER BY at LIMIT ?", limit),
    ];
  }

  isUntold({ id }: Job): boolean {
    if (!this.#exists()) return false;
    return [...this.#sql.exec("SELECT 1 FROM agenda WHERE id = ? AND untold IS NOT NULL", id)].length > 0;
  }

  untold(limit: number): Job[] {
    if (!this.#exists()) return [];
    const rows = this.#sql.exec<{ id: string }>(
      "SELECT id FROM agenda WHERE untold IS NOT NULL LIMIT ?",
      limit,
    );
    return [...rows].flatMap(({ id }) => this.#fresh.get(id) ?? this.#store.load(id) ?? []);
  }

  told(jobs: readonly Job[]): void {
    for (const { id } of jobs) this.#fresh.delete(id);
    const states = JSON.stringify(jobs.map((job) => [job.id, stateOf(job)]));
    if (jobs.length > 0)
      this.#sql.exec(
        `UPDATE agenda SET untold = NULL FROM json_each(?) AS told
         WHERE agenda.id = told.value ->> 0 AND agenda.untold = told.value ->> 1`,
        states,
      );
  }

  gone(): void {
    this.#fresh.clear();
    this.#isThere = false;
  }

  /** Only what is there before anything is written counts: a table that is made just now may be undone. */
  #exists(): boolean {
    this.#isThere ||= hasTable(this.#sql, "agenda");
    return this.#isThere;
  }
}
