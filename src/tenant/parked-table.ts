/**
 * The deliveries of a tenant that wait to be called, by what they wait for. A row is written when one is parked and
 * removed when it is called; none is needed for a delivery that goes out at once.
 */
import type { ParkReason } from "../job/record.ts";
import { hasTable } from "./sql.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS parked (
  host TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, job TEXT NOT NULL, destination TEXT,
  PRIMARY KEY (host, reason, since, job)) WITHOUT ROWID`;

export interface ParkedRow {
  readonly host: string;
  readonly reason: ParkReason;
  /** Epoch ms: the order in which they are called. */
  readonly since: number;
  readonly job: string;
  readonly destination: string | null;
}

/** Those that wait for the same. */
export interface ParkedGroup extends Pick<ParkedRow, "host" | "reason" | "destination"> {
  readonly count: number;
}

export class ParkedTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  put({ host, reason, since, job, destination }: ParkedRow): void {
    this.#sql.exec(SCHEMA);
    this.#sql.exec(
      "INSERT OR IGNORE INTO parked VALUES (?, ?, ?, ?, ?)",
      host,
      reason,
      since,
      job,
      destination,
    );
  }

  remove({ host, reason, since, job }: Omit<ParkedRow, "destination">): void {
    if (!this.#exists()) return;
    this.#sql.exec(
      "DELETE FROM parked WHERE host = ? AND reason = ? AND since = ? AND job = ?",
      ...[host, reason, since, job],
    );
  }

  groups(): ParkedGroup[] {
    const query = "SELECT host, reason, destination, count(*) AS count FROM parked GROUP BY 1, 2, 3";
    return this.#exists() ? [...this.#sql.exec(query)].map((row) => row as unknown as ParkedGroup) : [];
  }

  /** The first `most` of a group. */
  first({ host, reason, destination }: ParkedGroup, most: number): ParkedRow[] {
    if (!this.#exists()) return [];
    const query = `SELECT * FROM parked WHERE host = ? AND reason = ? AND destination IS ? ORDER BY since, job LIMIT ?`;
    return [...this.#sql.exec(query, host, reason, destination, most)].map(
      (row) => row as unknown as ParkedRow,
    );
  }

  hasAny(host: string): boolean {
    return (
      this.#exists() && [...this.#sql.exec("SELECT 1 FROM parked WHERE host = ? LIMIT 1", host)].length > 0
    );
  }

  /** How many deliveries to this destination are parked. */
  count(destination: string): number {
    if (!this.#exists()) return 0;
    const query = "SELECT count(*) AS n FROM parked WHERE destination = ?";
    return Number([...this.#sql.exec(query, destination)][0]?.n ?? 0);
  }

  /** Forgets those that have been parked since before `since`; whether any is left. */
  expire(since: number): boolean {
    if (!this.#exists()) return false;
    this.#sql.exec("DELETE FROM parked WHERE since < ?", since);
    return [...this.#sql.exec("SELECT 1 FROM parked LIMIT 1")].length > 0;
  }

  #exists(): boolean {
    return hasTable(this.#sql, "parked");
  }
}
