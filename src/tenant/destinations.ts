/**
 * The table of a tenant's destinations. What is secret about one stands in its sealed text, which is another at every
 * sealing: whoever changes it after a wait says which one it has read, and finds out when that is there no more.
 */

import { hasTable } from "../sql.ts";
import type { DestinationRead } from "../webhook/destination.ts";
import type { EventFormat } from "../webhook/event.ts";
import type { FlowRules } from "./rules.ts";

/** A row, as the table has it. */
export interface StoredDestination {
  readonly name: string;
  /** The URL's host, with a port that is not the default. */
  readonly host: string;
  readonly format: EventFormat;
  /** Seconds to wait before attempts 2, 3, …; `null`: the default schedule. */
  readonly retrySchedule: readonly number[] | null;
  /** Of its host, from this tenant. */
  readonly maxInFlight: number;
  /** Of its host, from this tenant; `null`: as fast as it goes. */
  readonly maxPerSecond: number | null;
  /** Epoch ms. */
  readonly pausedAt: number | null;
  /** A `DestinationContent`. */
  readonly sealed: string;
  /** In lower case; their values are sealed. */
  readonly headerNames: readonly string[];
  /** Epoch ms. */
  readonly createdAt: number;
  /** Epoch ms. */
  readonly updatedAt: number;
  /** How long a secret that was rotated away still signs (epoch ms); may be over. */
  readonly previousUntil: number | null;
}

/** By name. */
export interface DestinationPage {
  readonly destinations: readonly StoredDestination[];
  /** The last of this page, when there are more behind it. */
  readonly next: string | null;
}

/** What one object can list, open and seal again without trouble. */
const MAX_DESTINATIONS = 1_000;

const SCHEMA = `CREATE TABLE IF NOT EXISTS destinations (
  name TEXT PRIMARY KEY, host TEXT NOT NULL, format TEXT NOT NULL, retry_schedule TEXT, max_in_flight INTEGER NOT NULL,
  max_per_second REAL, paused_at INTEGER, sealed TEXT NOT NULL, header_names TEXT NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, previous_until INTEGER) WITHOUT ROWID`;

/** A pause does not seal anew, so one may have come or gone unseen: it stands. */
const PUT = `INSERT INTO destinations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET host = excluded.host, format = excluded.format,
  retry_schedule = excluded.retry_schedule, max_in_flight = excluded.max_in_flight,
  max_per_second = excluded.max_per_second, sealed = excluded.sealed, header_names = excluded.header_names,
  updated_at = excluded.updated_at, previous_until = excluded.previous_until`;

type Stored = Record<string, SqlStorageValue>;

export class Destinations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(name: string): StoredDestination | null {
    return this.#rows("name = ?", name)[0] ?? null;
  }

  /** What flow control has to know of it. */
  rulesOf(name: string): FlowRules | null {
    const row = this.find(name);
    if (!row) return null;
    const { host, pausedAt, maxInFlight, maxPerSecond } = row;
    return { host, isPaused: pausedAt !== null, maxInFlight, maxPerSecond, read: readOf(row) };
  }

  /** Those behind `after`, by name, `limit` at most. */
  list(after: string | null, limit: number): DestinationPage {
    const rows = this.#rows("name > ? ORDER BY name LIMIT ?", after ?? "", limit + 1);
    const destinations = rows.slice(0, limit);
    return { destinations, next: rows.length > limit ? (destinations.at(-1)?.name ?? null) : null };
  }

  /** Those that are not sealed under the key of this id, or keep a secret whose time is over at `now`. */
  stale(newestKid: string, now: number): StoredDestination[] {
    return this.#rows("instr(sealed, ?) <> 1 OR previous_until <= ?", `${newestKid}.`, now);
  }

  /** Whether there are as many as there may be. */
  isFull(): boolean {
    return this.#count() >= MAX_DESTINATIONS;
  }

  isEmpty(): boolean {
    return this.#count() === 0;
  }

  /**
   * Writes what was made from a row that was sealed as `read` (`null`: from none). The row as it is now; `null`, and
   * nothing is written, when that one has been changed, removed or added meanwhile.
   */
  replace(row: StoredDestination, read: string | null): StoredDestination | null {
    if ((this.find(row.name)?.sealed ?? null) !== read) return null;
    this.#sql.exec(SCHEMA);
    this.#sql.exec(PUT, ...columnsOf(row));
    return this.find(row.name);
  }

  /** Pauses it, or lets it go on; a second time changes nothing. */
  pause(name: string, isPaused: boolean, now: number): StoredDestination | null {
    if (this.find(name))
      this.#sql.exec(
        "UPDATE destinations SET paused_at = ?, updated_at = ? WHERE name = ? AND (paused_at IS NULL) = ?",
        ...[isPaused ? now : null, now, name, isPaused ? 1 : 0],
      );
    return this.find(name);
  }

  /** Whether it was there. */
  remove(name: string): boolean {
    const isThere = this.find(name) !== null;
    if (isThere) this.#sql.exec("DELETE FROM destinations WHERE name = ?", name);
    return isThere;
  }

  #count(): number {
    return this.#exists()
      ? Number([...this.#sql.exec("SELECT count(*) AS n FROM destinations")][0]?.n ?? 0)
      : 0;
  }

  #rows(condition: string, ...args: (string | number)[]): StoredDestination[] {
    if (!this.#exists()) return [];
    return [...this.#sql.exec(`SELECT * FROM destinations WHERE ${condition}`, ...args)].map(toDestination);
  }

  #exists(): boolean {
    return hasTable(this.#sql, "destinations");
  }
}

/** What a job is told of it. */
export const readOf = ({ sealed, host, retrySchedule, format }: StoredDestination): DestinationRead => ({
  copy: { sealed, host, retrySchedule },
  format,
});

const columnsOf = (row: StoredDestination): (string | number | null)[] => [
  row.name,
  row.host,
  row.format,
  row.retrySchedule && JSON.stringify(row.retrySchedule),
  row.maxInFlight,
  row.maxPerSecond,
  row.pausedAt,
  row.sealed,
  JSON.stringify(row.headerNames),
  row.createdAt,
  row.updatedAt,
  row.previousUntil,
];

const toDestination = (row: Stored): StoredDestination => ({
  name: String(row.name),
  host: String(row.host),
  format: row.format === "provider" ? "provider" : "standard",
  retrySchedule: row.retry_schedule === null ? null : JSON.parse(String(row.retry_schedule)),
  maxInFlight: Number(row.max_in_flight),
  maxPerSecond: row.max_per_second === null ? null : Number(row.max_per_second),
  pausedAt: row.paused_at === null ? null : Number(row.paused_at),
  sealed: String(row.sealed),
  headerNames: JSON.parse(String(row.header_names)),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
  previousUntil: row.previous_until === null ? null : Number(row.previous_until),
});
