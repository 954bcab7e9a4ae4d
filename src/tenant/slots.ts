/**
 * When the next delivery to a destination may go out, where it has a rate. In memory; of a slow rate it is stored too, or
 * an object that is evicted between two deliveries would know of none.
 */
import { hasTable } from "../sql.ts";

const SCHEMA =
  "CREATE TABLE IF NOT EXISTS slots (destination TEXT PRIMARY KEY, next_at INTEGER NOT NULL) WITHOUT ROWID";

/** An object that nobody calls is evicted after some 10 s; shorter gaps are lost with its memory. */
const STORED_FROM_MS = 5_000;

export class Slots {
  readonly #sql: SqlStorage;
  readonly #nextAt = new Map<string, number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The next moment (epoch ms). Moments are taken `leadMs` ahead at most: one further off is of a rate that was slower. */
  next(destination: string, perSecond: number, now: number, leadMs: number): number {
    const planned = this.#nextAt.get(destination) ?? this.#stored(destination);
    return planned > now + leadMs + 1_000 / perSecond ? now : Math.max(now, planned);
  }

  /** Takes the moment that {@link next} has named. */
  take(destination: string, perSecond: number, at: number): void {
    const gapMs = 1_000 / perSecond;
    this.#nextAt.set(destination, at + gapMs);
    if (gapMs < STORED_FROM_MS) return;
    this.#sql.exec(SCHEMA);
    this.#sql.exec("INSERT OR REPLACE INTO slots VALUES (?, ?)", destination, Math.ceil(at + gapMs));
  }

  /** Forgets moments that are over. */
  expire(now: number): void {
    for (const [destination, at] of this.#nextAt) if (at <= now) this.#nextAt.delete(destination);
    if (hasTable(this.#sql, "slots")) this.#sql.exec("DELETE FROM slots WHERE next_at <= ?", now);
  }

  #stored(destination: string): number {
    if (!hasTable(this.#sql, "slots")) return 0;
    const query = "SELECT next_at FROM slots WHERE destination = ?";
    return Number([...this.#sql.exec(query, destination)][0]?.next_at ?? 0);
  }
}
