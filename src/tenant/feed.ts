/**
 * The order in which a tenant's events entered the feed: a number on the job's row, given when the index first hears of
 * its outcome. An index over it would cost a row for every event, so the newest numbers are kept in memory; who is
 * further behind has the table searched.
 */

/** Whoever follows closely finds what is new among these. */
const TAIL_ENTRIES = 1_000;
/** Should the clock have gone back, numbers still go on behind those of so many jobs that were registered last. */
const LOOK_BACK = 1_000;

/** An event's place in the feed. */
export interface FeedEntry {
  readonly seq: number;
  /** The job's id; by now it may have another event. */
  readonly id: string;
  readonly eventId: string;
  readonly owner: string | null;
}

export interface FeedPage {
  readonly entries: readonly FeedEntry[];
  /** Behind this nothing has been looked at. */
  readonly next: number;
}

export class Feed {
  readonly #sql: SqlStorage;
  readonly #eventId: string;
  /** All that has entered behind `#since`. */
  readonly #tail: FeedEntry[] = [];
  #since: number | null = null;
  #last = 0;

  /** `eventId`: where a row has it, as SQL. */
  constructor(sql: SqlStorage, eventId: string) {
    this.#sql = sql;
    this.#eventId = eventId;
  }

  /** The number of an event that enters now: microseconds since 1970, and more than any before. `now`: epoch ms. */
  next(now: number): number {
    return Math.max(this.#from(now), now * 1_000, this.#last + 1);
  }

  entered(entry: FeedEntry): void {
    this.#last = entry.seq;
    this.#tail.push(entry);
    if (this.#tail.length > TAIL_ENTRIES) this.#since = this.#tail.shift()?.seq ?? this.#since;
  }

  /** What stands behind `after` (`null`: behind everything), of one owner's jobs where one is named. The table is there. */
  read(after: number | null, limit: number, owner: string | undefined, now: number): FeedPage {
    const since = this.#from(now);
    const from = after ?? this.#last;
    const entries = (from >= since ? this.#tail : this.#search(from, limit, owner))
      .filter(({ seq, ...entry }) => seq > from && (owner === undefined || entry.owner === owner))
      .slice(0, limit);
    // A cursor of a clock that was ahead stays: what comes will pass it.
    const end = entries.length < limit ? Math.max(from, this.#last) : from;
    return { entries, next: entries.length < limit ? end : (entries.at(-1)?.seq ?? end) };
  }

  #search(after: number, limit: number, owner: string | undefined): FeedEntry[] {
    const condition = owner === undefined ? "" : "AND owner = ?";
    return [
      ...this.#sql.exec<{ seq: number; id: string; eventId: string; owner: string | null }>(
        `SELECT seq, id, ${this.#eventId} AS eventId, owner FROM jobs WHERE seq > ? ${condition} ORDER BY seq LIMIT ?`,
        ...[after, ...(owner === undefined ? [] : [owner]), limit],
      ),
    ];
  }

  /** From where on all is in memory. */
  #from(now: number): number {
    if (this.#since === null) {
      const newest = `SELECT seq FROM jobs ORDER BY registered_at DESC, id DESC LIMIT ${LOOK_BACK}`;
      const [row] = [...this.#sql.exec(`SELECT max(seq) AS seq FROM (${newest})`)];
      this.#since = Math.max(now * 1_000, Number(row?.seq ?? 0));
      this.#last = this.#since;
    }
    return this.#since;
  }
}
