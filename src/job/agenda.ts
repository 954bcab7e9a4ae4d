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
  /** Whatever the job's record says, it is looked at then; until it is stored again. */
  hold(id: string, at: number): void;
  remove(id: string): void;
  /** The earliest, that many at most. */
  first(limit: number): Entry[];
  /** Whether the index may not know the present state of the job as it is stored. */
  isUntold(job: Job): boolean;
  untold(limit: number): Job[];
  /** When the index is to hear of something at the latest: soon of what is over. */
  urgency(): "none" | "far" | "soon";
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
  hold(): void {}

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

  urgency(): "none" | "far" | "soon" {
    const [job] = this.untold();
    if (!job) return "none";
    return isOver(job.state) ? "soon" : "far";
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
];

/** So many are kept at hand for the index. */
const MOST_AT_HAND = 1_000;

/** Which state of the job the index lacks: of a job that is started anew, revisions go on; of one that was erased, not. */
const stateOf = ({ registeredAt, revision = 0 }: Job): string => `${registeredAt}/${revision}`;

interface Untold {
  readonly state: string;
  /** As it was stored, so that it need not be read for the index. */
  readonly job: Job | null;
}

export class ManyJobs implements Agenda {
  readonly isShared = true;
  readonly #store: JobStore;
  readonly #sql: SqlStorage;
  /** The table has been seen. */
  #isThere = false;
  /** What the table says of jobs that are untold, by their ids; read once, when the object is new. */
  #untold: Map<string, Untold> | null = null;

  constructor(store: JobStore, sql: SqlStorage) {
    this.#store = store;
    this.#sql = sql;
  }

  set(job: Job): void {
    const untold = this.#read();
    if (!this.#exists()) for (const statement of SCHEMA) this.#sql.exec(statement);
    const state = job.outbox ? stateOf(job) : null;
    this.#sql.exec(
      "INSERT INTO agenda VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at, untold = excluded.untold",
      job.id,
      wakeAt(job),
      state,
    );
    if (state === null) untold.delete(job.id);
    else untold.set(job.id, { state, job: null });
  }

  stored(job: Job): void {
    const untold = this.#read();
    // Of an answer the index is told nothing.
    if (job.outbox && untold.size <= MOST_AT_HAND)
      untold.set(job.id, { state: stateOf(job), job: { ...job, answer: null } });
  }

  hold(id: string, at: number): void {
    if (this.#exists()) this.#sql.exec("UPDATE agenda SET at = ? WHERE id = ?", at, id);
  }

  remove(id: string): void {
    this.#read().delete(id);
    if (this.#exists()) this.#sql.exec("DELETE FROM agenda WHERE id = ?", id);
  }

  first(limit: number): Entry[] {
    if (!this.#exists()) return [];
    return [
      ...this.#sql.exec<{ id: string; at: number }>("SELECT id, at FROM agenda ORDER BY at LIMIT ?", limit),
    ];
  }

  isUntold({ id }: Job): boolean {
    return this.#read().has(id);
  }

  untold(limit: number): Job[] {
    const untold = this.#read();
    return [...untold].slice(0, limit).flatMap(([id, { job }]) => {
      const stored = job ?? this.#store.load(id);
      if (!stored) untold.delete(id);
      return stored ?? [];
    });
  }

  /** Many jobs' object tells the index by itself; this is for when it was lost. */
  urgency(): "none" | "far" {
    return this.#read().size > 0 ? "far" : "none";
  }

  told(jobs: readonly Job[]): void {
    const untold = this.#read();
    const told = jobs.filter((job) => untold.get(job.id)?.state === stateOf(job));
    for (const { id } of told) untold.delete(id);
    if (told.length > 0)
      this.#sql.exec(
        "UPDATE agenda SET untold = NULL WHERE id IN (SELECT value FROM json_each(?))",
        JSON.stringify(told.map(({ id }) => id)),
      );
  }

  gone(): void {
    this.#untold = null;
    this.#isThere = false;
  }

  #read(): Map<string, Untold> {
    if (this.#untold) return this.#untold;
    const rows = this.#exists()
      ? [
          ...this.#sql.exec<{ id: string; untold: string }>(
            "SELECT id, untold FROM agenda WHERE untold IS NOT NULL",
          ),
        ]
      : [];
    this.#untold = new Map(rows.map(({ id, untold: state }) => [id, { state, job: null }]));
    return this.#untold;
  }

  /** Only what is there before anything is written counts: a table that is made just now may be undone. */
  #exists(): boolean {
    this.#isThere ||= hasTable(this.#sql, "agenda");
    return this.#isThere;
  }
}
