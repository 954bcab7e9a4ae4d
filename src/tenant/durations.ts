/**
 * How long a tenant's jobs take, for each endpoint: learned when the index first hears of an outcome, kept in memory, and
 * written after every so many jobs and with the object's hourly alarm, one row for all. After a restart it is made up for
 * from the newest jobs.
 */
import { type Learned, observe, usable } from "../job/learned.ts";
import type { JobRow } from "../job/row.ts";
import type { FeedEntry } from "./feed.ts";
import type { JobTable, Lesson } from "./job-table.ts";

/** The provider has about twenty; a caller may name others. Who was learned from longest ago is forgotten. */
const MOST_ENDPOINTS = 64;

/**
 * Written at the latest after so many: jobs that are polled once, when they are done, teach little by themselves, so that
 * what was learned from those before them must not be lost.
 */
const MOST_UNSAVED = 50;

const KEY = "durations";

interface Stored {
  /** The number in the feed of the last event in it. */
  readonly seq: number;
  readonly endpoints: readonly (readonly [string, Learned])[];
}

export class Durations {
  readonly #kv: SyncKvStorage;
  readonly #jobs: Pick<JobTable, "lessons">;
  /** Who was learned from last stands last. */
  readonly #known = new Map<string, Learned>();
  #isRestored = false;
  /** Jobs that were learned from since the state was written. */
  #unsaved = 0;
  #seq = 0;

  constructor(kv: SyncKvStorage, jobs: Pick<JobTable, "lessons">) {
    this.#kv = kv;
    this.#jobs = jobs;
  }

  /** Learns from those rows that have just entered the feed. */
  learn(rows: readonly JobRow[], entries: readonly FeedEntry[]): void {
    this.#restore();
    const ended = new Map(rows.flatMap((row) => (row.fields.outcome ? [[row.fields.event_id, row]] : [])));
    for (const { seq, eventId } of entries) {
      const row = ended.get(eventId);
      if (row?.seen) this.#learn({ endpoint: row.fields.endpoint, seq, eta: row.fields.eta, seen: row.seen });
    }
    if (this.#unsaved >= MOST_UNSAVED) this.save();
  }

  /** What is known of the rows' endpoints. */
  of(rows: readonly JobRow[]): Map<string, Learned> {
    const of = new Map<string, Learned>();
    for (const { fields } of rows) {
      const learned = this.#known.get(fields.endpoint);
      if (learned) of.set(fields.endpoint, learned);
    }
    return of;
  }

  /** Writes what has been learned since the last time. */
  save(): void {
    if (this.#unsaved === 0) return;
    this.#kv.put<Stored>(KEY, { seq: this.#seq, endpoints: [...this.#known] });
    this.#unsaved = 0;
  }

  /** All of it is deleted. */
  forget(): void {
    this.#known.clear();
    this.#unsaved = 0;
  }

  /** Once: what was stored, and what those jobs teach that have ended since, the ones of this moment too. */
  #restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    const stored = this.#kv.get<Stored>(KEY);
    this.#seq = stored?.seq ?? 0;
    for (const [endpoint, state] of stored?.endpoints ?? []) {
      const learned = usable(state);
      if (learned) this.#known.set(endpoint, learned);
    }
    for (const lesson of this.#jobs.lessons(this.#seq)) this.#learn(lesson);
  }

  #learn({ endpoint, seq, eta, seen }: Lesson): void {
    if (seq <= this.#seq) return;
    const next = observe(this.#known.get(endpoint) ?? null, eta, seen);
    this.#known.delete(endpoint);
    this.#known.set(endpoint, next);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_ENDPOINTS && oldest !== undefined) this.#known.delete(oldest);
    this.#seq = seq;
    this.#unsaved++;
  }
}
