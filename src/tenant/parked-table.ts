/**
 * The deliveries of a tenant that wait to be called, by what they wait for. A row is written when one is parked and
 * removed when it asks again; none is needed for a delivery that goes out at once.
 */
import type { ParkReason } from "../job/record.ts";
import { hasTable } from "../sql.ts";

/** The key leads to each group, and to its first, without a look at the others: there may be very many. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS parked (
  host TEXT NOT NULL, destination TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, job TEXT NOT NULL,
  PRIMARY KEY (host, destination, reason, since, job)) WITHOUT ROWID`;

/** In the place of a name: a plain callback URL. */
const NO_NAME = "";

/** Those that wait for the same. */
export interface ParkedGroup {
  readonly host: string;
  /** `null`: plain callback URLs. */
  readonly destination: string | null;
  readonly reason: ParkReason;
}

export interface ParkedRow extends ParkedGroup {
  /** Epoch ms: the order in which they are called. */
  readonly since: number;
  readonly job: string;
}

type Stored = Record<string, SqlStorageValue>;

export class ParkedTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  put(row: ParkedRow): void {
    this.#sql.exec(SCHEMA);
    this.#sql.exec("INSERT OR IGNORE INTO parked VALUES (?, ?, ?, ?, ?)", ...keyOf(row), row.since, row.job);
  }

  remove(row: ParkedRow): void {
    if (!this.#exists()) return;
    this.#sql.exec(
      "DELETE FROM parked WHERE host = ? AND destination = ? AND reason = ? AND since = ? AND job = ?",
      ...[...keyOf(row), row.since, row.job],
    );
  }

  groups(): ParkedGroup[] {
    const groups: ParkedGroup[] = [];
    if (!this.#exists()) return groups;
    const query = `SELECT host, destination, reason FROM parked WHERE (host, destination, reason) > (?, ?, ?)
      ORDER BY host, destination, reason LIMIT 1`;
    let key: readonly string[] = ["", "", ""];
    for (;;) {
      const [row] = [...this.#sql.exec(query, ...key)];
      if (!row) return groups;
      const group = toGroup(row);
      groups.push(group);
      key = keyOf(group);
    }
  }

  /** The first `most` of a group. */
  first(group: ParkedGroup, most: number): ParkedRow[] {
    if (!this.#exists()) return [];
    const query = `SELECT * FROM parked WHERE host = ? AND destination = ? AND reason = ? ORDER BY since, job LIMIT ?`;
    return [...this.#sql.exec(query, ...keyOf(group), most)].map((row) => ({
      ...toGroup(row),
      since: Number(row.since),
      job: String(row.job),
    }));
  }

  hasAny(host: string): boolean {
    return (
      this.#exists() && [...this.#sql.exec("SELECT 1 FROM parked WHERE host = ? LIMIT 1", host)].length > 0
    );
  }

  /** How many deliveries to this destination, at this host, are parked. */
  count(host: string, destination: string): number {
    if (!this.#exists()) return 0;
    const query = "SELECT count(*) AS n FROM parked WHERE host = ? AND destination = ?";
    return Number([...this.#sql.exec(query, host, destination)][0]?.n ?? 0);
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

const keyOf = ({ host, destination, reason }: ParkedGroup): string[] => [
  host,
  destination ?? NO_NAME,
  reason,
];

const toGroup = ({ host, destination, reason }: Stored): ParkedGroup => ({
  host: String(host),
  destination: destination === NO_NAME ? null : String(destination),
  reason: String(reason) as ParkReason,
});
