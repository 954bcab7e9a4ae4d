/**
 * The circuit breakers of receiving hosts that are not in order, so that they are not lost with the object's memory. Of a
 * healthy host there is no row.
 */

import { hasTable } from "../sql.ts";
import { HEALTHY, type Health, isOpen } from "./breaker.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS hosts (
  host TEXT PRIMARY KEY, failures INTEGER NOT NULL, opened_at INTEGER, probes INTEGER NOT NULL,
  next_probe_at INTEGER NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID`;

/** Failures that led to nothing are forgotten after this. */
const KEPT_MS = 24 * 3_600_000;

export class HostTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(host: string): Health {
    const [row] = this.#exists() ? [...this.#sql.exec("SELECT * FROM hosts WHERE host = ?", host)] : [];
    if (!row) return HEALTHY;
    return {
      failures: Number(row.failures),
      openedAt: row.opened_at === null ? null : Number(row.opened_at),
      probes: Number(row.probes),
      nextProbeAt: Number(row.next_probe_at),
    };
  }

  save(host: string, { failures, openedAt, probes, nextProbeAt }: Health, now: number): void {
    if (failures === 0) {
      if (this.#exists()) this.#sql.exec("DELETE FROM hosts WHERE host = ?", host);
      return;
    }
    this.#sql.exec(SCHEMA);
    this.#sql.exec(
      "INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?, ?, ?)",
      ...[host, failures, openedAt, probes, nextProbeAt, now],
    );
  }

  /** Forgets what is of no use any more. */
  expire(now: number, isNeeded: (host: string) => boolean): void {
    if (!this.#exists()) return;
    const old = [...this.#sql.exec("SELECT host FROM hosts WHERE changed_at <= ?", now - KEPT_MS)];
    for (const host of old.map((row) => String(row.host)))
      if (!isOpen(this.find(host)) || !isNeeded(host))
        this.#sql.exec("DELETE FROM hosts WHERE host = ?", host);
  }

  #exists(): boolean {
    return hasTable(this.#sql, "hosts");
  }
}
