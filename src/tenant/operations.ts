/**
 * Redeliveries and cancels of many jobs: a row for each operation, worked off in steps that are bounded and stored, so
 * that a restart goes on where it was. A step that is cut off is made again, which does no harm.
 */

import { hasTable } from "../sql.ts";
import type { Cursor, JobFilter } from "./query.ts";

export type OperationKind = "redeliver" | "cancel";

export interface Operation {
  readonly id: string;
  readonly status: "running" | "done";
  /** Jobs that fitted when it began; one may have ceased to by its turn. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

/** What the next step has to do. */
export interface Work {
  readonly operation: Operation;
  readonly kind: OperationKind;
  readonly filter: JobFilter;
  readonly cursor: Cursor | null;
}

/** How long an operation can be asked for. */
const KEPT_MS = 7 * 24 * 3_600_000;

const SCHEMA = `CREATE TABLE IF NOT EXISTS operations (
  id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, kind TEXT NOT NULL, filter TEXT NOT NULL, status TEXT NOT NULL,
  total INTEGER NOT NULL, done INTEGER NOT NULL, failed INTEGER NOT NULL, cursor_at INTEGER, cursor_id TEXT) WITHOUT ROWID`;

type Stored = Record<string, SqlStorageValue>;

export class Operations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Begins one; jobs that are registered later are none of its. */
  start(id: string, kind: OperationKind, filter: JobFilter, total: number, now: number): Operation {
    this.#sql.exec(SCHEMA);
    const status = total === 0 ? "done" : "running";
    const before = Math.min(filter.createdBefore ?? Number.POSITIVE_INFINITY, now + 1);
    this.#sql.exec(
      "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, 0, 0, NULL, NULL)",
      ...[id, now, kind, JSON.stringify({ ...filter, createdBefore: before }), status, total],
    );
    return { id, status, total, done: 0, failed: 0 };
  }

  find(id: string): Operation | null {
    const [row] = this.#rows("id = ?", id);
    return row ? toOperation(row) : null;
  }

  /** Of the operations that run, the oldest. */
  next(): Work | null {
    const [row] = this.#rows("status = 'running' ORDER BY created_at, id LIMIT 1");
    if (!row) return null;
    const { cursor_at, cursor_id } = row;
    return {
      operation: toOperation(row),
      kind: String(row.kind) as OperationKind,
      filter: JSON.parse(String(row.filter)) as JobFilter,
      cursor: cursor_at === null ? null : { registeredAt: Number(cursor_at), id: String(cursor_id) },
    };
  }

  /** A step has been made; without a cursor it was the last. */
  advance(
    { id, done, failed }: Operation,
    made: { done: number; failed: number },
    cursor: Cursor | null,
  ): void {
    this.#sql.exec(
      "UPDATE operations SET done = ?, failed = ?, cursor_at = ?, cursor_id = ?, status = ? WHERE id = ?",
      ...[done + made.done, failed + made.failed, cursor?.registeredAt ?? null, cursor?.id ?? null],
      ...[cursor ? "running" : "done", id],
    );
  }

  /** Forgets those that ended long ago; whether any is left. */
  expire(now: number): boolean {
    if (!this.#exists()) return false;
    this.#sql.exec("DELETE FROM operations WHERE status = 'done' AND created_at <= ?", now - KEPT_MS);
    return [...this.#sql.exec("SELECT 1 FROM operations LIMIT 1")].length > 0;
  }

  #rows(condition: string, ...args: string[]): Stored[] {
    return this.#exists() ? [...this.#sql.exec(`SELECT * FROM operations WHERE ${condition}`, ...args)] : [];
  }

  #exists(): boolean {
    return hasTable(this.#sql, "operations");
  }
}

const toOperation = ({ id, status, total, done, failed }: Stored): Operation => ({
  id: String(id),
  status: status === "done" ? "done" : "running",
  total: Number(total),
  done: Number(done),
  failed: Number(failed),
});
