/**
 * What is known of receiving hosts that are not in order: the state of their circuit breakers, and how far ahead their
 * deliveries are planned, so that neither is lost with the object's memory. Of a healthy host there is no row.
 */
import { HEALTHY, type Health, isOpen } from "./breaker.ts";
import { hasTable } from "./sql.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS hosts (
  host TEXT PRIMARY KEY, failures INTEGER NOT NULL, opened_at INTEGER, probes INTEGER NOT NULL,
  next_probe_at INTEGER NOT NULL, planned_until INTEGER NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID`;

/** Failures that led to nothing are forgotten after this. */
const KEPT_MS = 24 * 3_600_000;

export interface HostState {
  readonly health: Health;
  /** Deliveries have been promised their moment up to this (epoch ms). */
  readonly plannedUntil: number;
}

const FRESH: HostState = { health: HEALTHY, plannedUntil: 0 };

export class HostTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(host: string): HostState {
    const [row] = this.#exists() ? [...this.#sql.exec("SELECT * FROM hosts WHERE host = ?", host)] : [];
    if (!row) return FRESH;
    return {
      health: {
        failures: Number(row.failures),
        openedAt: row.opened_at === null ? null : Number(row.opened_at),
        probes: Number(row.probes),
        nextProbeAt: Number(row.next_probe_at),
      },
      plannedUntil: Number(row.planned_until),
    };
  }

  save(host: string, { health, plannedUntil }: HostState, now: number): void {
    if (health.failures === 0 && plannedUntil <= now) {
      if (this.#exists()) this.#sql.exec("DELETE FROM hosts WHERE host = ?", host);
      return;
    }
    this.#sql.exec(SCHEMA);
    const { failures, openedAt, probes, nextProbeAt } = health;
    this.#sql.exec(
      "INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...[host, failures, openedAt, probes, nextProbeAt, Math.ceil(plannedUntil), now],
    );
  }

  /** Forgets what is of no use any more. */
  expire(now: number, isNeeded: (host: string) => boolean): void {
    if (!this.#exists()) return;
    const old = [...this.#sql.exec("SELECT host FROM hosts WHERE changed_at <= ?", now - KEPT_MS)];
    for (const host of old.map((row) => String(row.host)))
      if (!isOpen(this.find(host).health) || !isNeeded(host))
        this.#sql.exec("DELETE FROM hosts WHERE host = ?", host);
  }

  #exists(): boolean {
    return hasTable(this.#sql, "hosts");
  }
}
