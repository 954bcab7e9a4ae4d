/**
 * The order in which a tenant's events entered the feed: a number in the job's row, given when the index first hears of
 * its outcome. An index over it would cost a row for every event, so the newest numbers are kept in memory; who is
 * further behind has the table searched, a thousand at a time.
 */

/** Whoever follows closely finds what is new among these; whoever catches up has the table searched as often as that. */
const KEPT_ENTRIES = 1_000;
/**
 * Should the clock have gone back when the object starts, numbers still go on behind those of so many jobs that were
 * registered last; a row that says the greatest would cost one more at each event.
 */
const LOOK_BACK = 100;

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
  /** Where the next page begins. */
  readonly next: number;
}

/** Entries in their order: all there are behind `from`, up to `to`. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly FeedEntry[];
}

/** Where a row has what the feed needs, as SQL. */
export interface FeedColumns {
  readonly seq: string;
  readonly eventId: string;
}

export class Feed {
  readonly #sql: SqlStorage;
  readonly #columns: FeedColumns;
  /** All that has entered behind `#since`. */
  readonly #tail: FeedEntry[] = [];
  #since: number | null = null;
  #last = 0;
  /** What was found last in the table, for the next page of whoever asked. */
  #found: (Stretch & { readonly owner: string | undefined }) | null = null;

  constructor(sql: SqlStorage, columns: FeedColumns) {
    this.#sql = sql;
    this.#columns = columns;
  }

  /** The number of an event that enters now: microseconds since 1970, and more than any before. `now`: epoch ms. */
  numberAt(now: number): number {
    return Math.max(this.#begin(now), now * 1_000, this.#last) + 1;
  }

  /** These have entered, and are stored. */
  entered(entries: readonly FeedEntry[]): void {
    this.#tail.push(...entries);
    this.#last = entries.at(-1)?.seq ?? this.#last;
    const dropped = this.#tail.splice(0, this.#tail.length - KEPT_ENTRIES);
    this.#since = dropped.at(-1)?.seq ?? this.#since;
  }

  /** What stands behind `after` (`null`: behind everything), of one owner's jobs where one is named. Needs the table. */
  read(after: number | null, limit: number, owner: string | undefined, now: number): FeedPage {
    const since = this.#begin(now);
    const entries: FeedEntry[] = [];
    for (let from = after ?? this.#last; ; ) {
      const stretch = from >= since ? this.#newest(since, owner) : this.#older(from, owner);
      const found = stretch.entries.filter(({ seq }) => seq > from).slice(0, limit - entries.length);
      entries.push(...found);
      if (entries.length === limit) return { entries, next: entries.at(-1)?.seq ?? from };
      // A cursor of a clock that was ahead stays: what comes will pass it.
      from = Math.max(from, stretch.to);
      if (from >= this.#last) return { entries, next: from };
    }
  }

  #newest(from: number, owner: string | undefined): Stretch {
    const entries = this.#tail.filter((entry) => owner === undefined || entry.owner === owner);
    return { from, to: this.#last, entries };
  }

  #older(from: number, owner: string | undefined): Stretch {
    const found = this.#found;
    if (found && found.owner === owner && found.from <= from && from < found.to) return found;
    const { seq, eventId } = this.#columns;
    const condition = owner === undefined ? "" : "AND owner = ?";
    const entries = [
      ...this.#sql.exec<{ seq: number; id: string; eventId: string; owner: string | null }>(
        `SELECT ${seq} AS seq, id, ${eventId} AS eventId, owner FROM jobs WHERE ${seq} > ? ${condition}
         ORDER BY 1 LIMIT ${KEPT_ENTRIES}`,
        ...[from, ...(owner === undefined ? [] : [owner])],
      ),
    ];
    const isAll = entries.length < KEPT_ENTRIES;
    this.#found = { owner, from, to: isAll ? this.#last : (entries.at(-1)?.seq ?? from), entries };
    return this.#found;
  }

  /** From where on all is in memory: from the first time that the object looked. */
  #begin(now: number): number {
    if (this.#since === null) {
      const { seq } = this.#columns;
      const newest = `SELECT ${seq} AS seq FROM jobs ORDER BY registered_at DESC, id DESC LIMIT ${LOOK_BACK}`;
      const [row] = [...this.#sql.exec(`SELECT max(seq) AS seq FROM (${newest})`)];
      this.#since = Math.max(now * 1_000, Number(row?.seq ?? 0));
      this.#last = this.#since;
    }
    return this.#since;
  }
}
