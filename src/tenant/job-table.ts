/**
 * The table of a tenant's jobs. One row a job and no second index: each would cost a row more at every change. The key
 * is the order of every list; what a filter looks at stands in front, what is only shown, behind; and last what came
 * later, for tables that were there before.
 */
import type { Seen } from "../job/learned.ts";
import type { JobKey, JobRow } from "../job/row.ts";
import type { JobFields } from "../job/view.ts";
import { hasColumn, hasTable } from "../sql.ts";
import { Feed, type FeedEntry, type FeedPage } from "./feed.ts";
import { bucketOf } from "./histogram.ts";
import { type Cursor, type JobFilter, where } from "./query.ts";
import { readStats, type Stats, statsOf } from "./stats.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS jobs (
  registered_at INTEGER NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, keep_until INTEGER NOT NULL,
  status TEXT NOT NULL, outcome TEXT, endpoint TEXT NOT NULL, request_id TEXT NOT NULL, destination TEXT, host TEXT,
  indexed TEXT, finished_at INTEGER, delivered_at INTEGER, polls INTEGER NOT NULL, attempts INTEGER NOT NULL,
  lag_bucket INTEGER, delivery_bucket INTEGER, rest TEXT NOT NULL, metadata TEXT NOT NULL, owner TEXT,
  PRIMARY KEY (registered_at, id)) WITHOUT ROWID`;

/** As {@link columnsOf} gives them: a later version's table may have more. */
const NAMES = `registered_at, id, revision, keep_until, status, outcome, endpoint, request_id, destination, host, indexed,
  finished_at, delivered_at, polls, attempts, lag_bucket, delivery_bucket, rest, metadata, owner`;

/** Members of a job that have no column: in `rest`, in this order. */
const REST = [
  "callback_url",
  "format",
  "eta",
  "deadline_at",
  "expires_at",
  "next_poll_at",
  "next_attempt_at",
  "error",
  "delivery_error",
  "event_id",
  "parked",
] as const satisfies readonly (keyof JobFields)[];

/** Behind them stands the event's number in the feed; in a column of its own, a version before could write no row. */
const SEQ = REST.length;
/** And behind that, what the job's end teaches. */
const SEEN = SEQ + 1;
/** So many of the newest jobs are looked at for what the stored state has not learned from yet. */
const LOOK_BACK = 200;

const PUT = `INSERT INTO jobs (${NAMES}) VALUES (${NAMES.replace(/\w+/g, "?")})
  ON CONFLICT (registered_at, id) DO UPDATE SET revision = excluded.revision, keep_until = excluded.keep_until,
  status = excluded.status, outcome = excluded.outcome, destination = excluded.destination, host = excluded.host, finished_at = excluded.finished_at,
  delivered_at = excluded.delivered_at, polls = excluded.polls, attempts = excluded.attempts,
  lag_bucket = excluded.lag_bucket, delivery_bucket = excluded.delivery_bucket,
  rest = iif(rest ->> ${SEQ} IS NULL, excluded.rest, json_set(excluded.rest, '$[${SEQ}]', rest ->> ${SEQ}))
  WHERE excluded.revision > jobs.revision RETURNING rest ->> ${SEQ} AS seq`;

type Stored = Record<string, SqlStorageValue>;

/** What one event teaches of how long its endpoint's jobs take. */
export interface Lesson {
  readonly endpoint: string;
  /** The event's number in the feed. */
  readonly seq: number;
  readonly eta: number | null;
  readonly seen: Seen;
}

/** A job as a list shows it. */
export interface ListedJob {
  readonly fields: JobFields;
  readonly metadata: string;
}

export interface Page {
  readonly jobs: readonly ListedJob[];
  readonly next: Cursor | null;
}

export class JobTable {
  readonly #sql: SqlStorage;
  readonly #feed: Feed;
  /** The table has been seen to have all columns. */
  #isCurrent = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#feed = new Feed(sql, {
      seq: `(rest ->> ${SEQ})`,
      eventId: `rest ->> ${REST.indexOf("event_id")}`,
    });
  }

  /** Writes the rows that are newer than what is there; what has entered the feed by that, once it is stored. */
  put(rows: readonly JobRow[], now: number): FeedEntry[] {
    if (!this.#exists()) this.#sql.exec(SCHEMA);
    const entries: FeedEntry[] = [];
    for (const row of rows) {
      const { id, event_id: eventId } = row.fields;
      this.remove(row.supersedes.map((registeredAt) => ({ registeredAt, id })));
      const seq = hasEvent(row) ? this.#feed.numberAt(now) + entries.length : null;
      const [written] = [...this.#sql.exec(PUT, ...columnsOf(row, seq))];
      if (seq !== null && written?.seq === seq) entries.push({ seq, id, eventId, owner: row.owner ?? null });
    }
    return entries;
  }

  /** These are stored: whoever follows the feed gets them. */
  entered(entries: readonly FeedEntry[]): void {
    this.#feed.entered(entries);
  }

  /** The events that entered the feed behind `after` (`null`: from now on), `limit` at most. */
  events(after: number | null, limit: number, owner: string | undefined, now: number): FeedPage {
    if (!this.#exists()) return { entries: [], next: after ?? now * 1_000 };
    return this.#feed.read(after, limit, owner, now);
  }

  remove(keys: readonly JobKey[]): void {
    if (!this.#exists()) return;
    for (const { registeredAt, id } of keys)
      this.#sql.exec("DELETE FROM jobs WHERE registered_at = ? AND id = ?", registeredAt, id);
  }

  /** The newest first, `limit` at most. */
  list(filter: JobFilter, cursor: Cursor | null, limit: number, now: number): Page {
    if (!this.#exists()) return { jobs: [], next: null };
    const { sql, args } = where(filter, cursor, now);
    const query = `SELECT * FROM jobs WHERE ${sql} ORDER BY registered_at DESC, id DESC LIMIT ?`;
    const rows = [...this.#sql.exec(query, ...args, limit + 1)];
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      jobs: page.map(toListed),
      next: last ? { registeredAt: Number(last.registered_at), id: String(last.id) } : null,
    };
  }

  count(filter: JobFilter, now: number): number {
    if (!this.#exists()) return 0;
    const { sql, args } = where(filter, null, now);
    return Number([...this.#sql.exec(`SELECT count(*) AS n FROM jobs WHERE ${sql}`, ...args)][0]?.n ?? 0);
  }

  /** What the events behind that number teach, in their order: those of the newest jobs. */
  lessons(after: number): Lesson[] {
    if (!this.#exists()) return [];
    const rows = this.#sql.exec<{ endpoint: string; rest: string }>(
      `SELECT endpoint, rest FROM (SELECT endpoint, rest FROM jobs ORDER BY registered_at DESC, id DESC LIMIT ${LOOK_BACK})
       WHERE rest ->> ${SEQ} > ? AND rest ->> ${SEEN} IS NOT NULL ORDER BY rest ->> ${SEQ}`,
      after,
    );
    return [...rows].map(({ endpoint, rest }) => {
      const values = JSON.parse(rest);
      return { endpoint, seq: values[SEQ], eta: values[REST.indexOf("eta")], seen: values[SEEN] };
    });
  }

  /** What has happened from `from` to `now` (epoch ms). */
  stats(from: number, now: number): Stats {
    return this.#exists() ? readStats(this.#sql, from, now) : statsOf(new Map(), from, now, new Map());
  }

  /**
   * Forgets what is past its time; whether anything is left. Nothing is that was registered within `retentionMs`: of all
   * those no row has to be read.
   */
  expire(now: number, retentionMs: number): boolean {
    if (!this.#exists()) return false;
    this.#sql.exec("DELETE FROM jobs WHERE registered_at <= ? AND keep_until <= ?", now - retentionMs, now);
    return [...this.#sql.exec("SELECT 1 FROM jobs LIMIT 1")].length > 0;
  }

  /** Whether there is a table; one of an older version is brought up to date. */
  #exists(): boolean {
    if (!hasTable(this.#sql, "jobs")) return false;
    this.#isCurrent ||= hasColumn(this.#sql, "jobs", "owner");
    // Looked at again the next time: what is done within a transaction may be undone with it.
    if (!this.#isCurrent) this.#sql.exec("ALTER TABLE jobs ADD COLUMN owner TEXT");
    return true;
  }
}

/** Of every job that has ended but was not canceled. */
const hasEvent = ({ fields: { outcome } }: JobRow): boolean => outcome !== null && outcome !== "canceled";

const bucketOrNull = (ms: number | null): number | null => (ms === null ? null : bucketOf(ms));

function columnsOf({ fields, ...row }: JobRow, seq: number | null): (string | number | null)[] {
  return [
    row.registeredAt,
    fields.id,
    row.revision,
    row.keepUntil,
    fields.status,
    fields.outcome,
    fields.endpoint,
    fields.request_id,
    fields.destination,
    row.host,
    row.indexed,
    row.finishedAt,
    row.deliveredAt,
    fields.polls,
    fields.attempts,
    bucketOrNull(row.lagMs),
    bucketOrNull(row.deliveryMs),
    JSON.stringify([...REST.map((name) => fields[name]), seq, row.seen ?? null]),
    row.metadata,
    // A job of an older version tells of no owner.
    row.owner ?? null,
  ];
}

function toListed(row: Stored): ListedJob {
  const values = JSON.parse(String(row.rest)) as unknown[];
  const rest = Object.fromEntries(REST.map((name, i) => [name, values[i]])) as Pick<
    JobFields,
    (typeof REST)[number]
  >;
  const iso = (ms: SqlStorageValue | undefined): string | null =>
    typeof ms === "number" ? new Date(ms).toISOString() : null;
  const fields = {
    id: row.id,
    status: row.status,
    outcome: row.outcome,
    endpoint: row.endpoint,
    request_id: row.request_id,
    callback_url: rest.callback_url,
    destination: row.destination,
    format: rest.format,
    eta: rest.eta,
    registered_at: iso(row.registered_at),
    deadline_at: rest.deadline_at,
    finished_at: iso(row.finished_at),
    delivered_at: iso(row.delivered_at),
    expires_at: rest.expires_at,
    next_poll_at: rest.next_poll_at,
    next_attempt_at: rest.next_attempt_at,
    parked: rest.parked ?? null,
    polls: row.polls,
    attempts: row.attempts,
    error: rest.error,
    delivery_error: rest.delivery_error,
    event_id: rest.event_id,
  };
  return { fields: fields as JobFields, metadata: String(row.metadata) };
}
