/**
 * Walks all that a node has on disk while it does not run: every object of every class, every job in it, and the alarm
 * that is to wake it. workerd keeps an object as `<class>/<id>.sqlite`, its own wish for an alarm in it, and beside them
 * what it has scheduled: `metadata.sqlite`. Both have to be there, and neither may be later than what is due first.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deserialize } from "node:v8";

/** Of a job's record, what says when it is due. */
interface Job {
  readonly id: string;
  readonly heldUntil: number;
  readonly state: {
    readonly nextPollAt?: number;
    readonly nextAttemptAt?: number;
    readonly expiresAt?: number;
  };
}

const wakeAt = ({ heldUntil, state: { nextPollAt, nextAttemptAt, expiresAt } }: Job): number =>
  Math.max(nextPollAt ?? nextAttemptAt ?? expiresAt ?? Number.NaN, heldUntil);

/** What an object may put off of its own accord: a job of which nothing could be stored is tried again after that. */
const PUT_OFF_MS = 60_000;
const NS_PER_MS = 1_000_000n;
/** Under which workerd keeps the object's own alarm. */
const ALARM_KEY = 1;
/** The folder of the class that jobs live in. */
export const JOBS = "pollhook-Job";
const SUFFIX = ".sqlite";
const SCHEDULE = `metadata${SUFFIX}`;

export interface Walk {
  /** Objects that hold something. */
  objects: number;
  /** Files of objects that hold nothing any more, and of those the ones whose tables are still there. */
  empty: number;
  readonly shells: Record<string, number>;
  jobs: number;
  /** Bytes of answers in chunks, and notes of erased jobs. */
  otherRows: number;
  /** Objects that hold something, by class; and rows, by class and table. */
  readonly byClass: Record<string, number>;
  readonly rows: Record<string, number>;
  /** A line for each alarm that is missing or too late. */
  readonly missing: string[];
}

/** Looks at every object below the folder, of a node that does not run. */
export function walk(dataFolder: string, now = Date.now()): Walk {
  const found: Walk = {
    objects: 0,
    empty: 0,
    shells: {},
    jobs: 0,
    otherRows: 0,
    byClass: {},
    rows: {},
    missing: [],
  };
  for (const className of readdirSync(dataFolder)) {
    const folder = join(dataFolder, className);
    const scheduled = schedule(join(folder, SCHEDULE));
    for (const file of readdirSync(folder))
      if (file.endsWith(SUFFIX) && file !== SCHEDULE) {
        const id = file.slice(0, -SUFFIX.length);
        look(join(folder, file), { className, id, scheduledAt: scheduled.get(id) ?? null, now }, found);
      }
  }
  return found;
}

function schedule(file: string): Map<string, number> {
  if (!existsSync(file)) return new Map();
  return reading(file, (db) => {
    if (!tablesOf(db).includes("_cf_ALARM")) return new Map();
    const query = db.prepare("SELECT actor_id, scheduled_time FROM _cf_ALARM");
    query.setReadBigInts(true);
    return new Map(query.all().map((row) => [String(row.actor_id), toMs(row.scheduled_time)]));
  });
}

interface Place {
  readonly className: string;
  readonly id: string;
  readonly scheduledAt: number | null;
  readonly now: number;
}

function look(file: string, { className, id, scheduledAt, now }: Place, found: Walk): void {
  const { wants, rows, jobs, agenda, otherRows } = reading(file, contentOf);
  for (const [table, count] of rows) {
    const name = `${className} ${table}`;
    found.rows[name] = (found.rows[name] ?? 0) + count;
  }
  if (rows.every(([, count]) => count === 0)) {
    found.empty++;
    if (rows.length > 0) found.shells[className] = (found.shells[className] ?? 0) + 1;
    return;
  }
  found.objects++;
  found.jobs += jobs.length;
  // Tenants and limiters keep what they have learned for longer than any job.
  if (className === JOBS) found.otherRows += otherRows;
  found.byClass[className] = (found.byClass[className] ?? 0) + 1;
  const where = `${className} ${id.slice(0, 8)}`;
  const dueAt = Math.min(...jobs.map(wakeAt), Number.POSITIVE_INFINITY);
  const latest = Math.max(dueAt, now) + PUT_OFF_MS;
  for (const [what, at] of [
    ["its own", wants],
    ["the scheduled", scheduledAt],
  ] as const) {
    if (at === null) found.missing.push(`${where}: ${what} alarm is missing, ${jobs.length} jobs`);
    else if (at > latest) found.missing.push(`${where}: ${what} alarm comes ${at - dueAt} ms too late`);
  }
  if (!agenda) return;
  for (const job of jobs) {
    const at = agenda.get(job.id);
    if (at === undefined) found.missing.push(`${where}: ${job.id} is not on the agenda`);
    else if (at > Math.max(wakeAt(job), now) + PUT_OFF_MS)
      found.missing.push(`${where}: ${job.id} stands ${at - wakeAt(job)} ms too late on the agenda`);
  }
}

interface Content {
  /** When the object wants to be woken. */
  readonly wants: number | null;
  /** How many rows each table of its own has. */
  readonly rows: readonly (readonly [table: string, count: number])[];
  readonly jobs: readonly Job[];
  /** `null` in an object of one job. */
  readonly agenda: ReadonlyMap<string, number> | null;
  readonly otherRows: number;
}

function contentOf(db: DatabaseSync): Content {
  const tables = tablesOf(db);
  const own = tables.filter((name) => !name.startsWith("_cf_") || name === "_cf_KV");
  const values = tables.includes("_cf_KV") ? db.prepare("SELECT key, value FROM _cf_KV").all() : [];
  const jobs = values.flatMap(({ key, value }) =>
    String(key).startsWith("job/") ? [deserialize(value as Uint8Array) as Job] : [],
  );
  const entries = tables.includes("agenda") ? db.prepare("SELECT id, at FROM agenda").all() : null;
  return {
    wants: tables.includes("_cf_METADATA") ? ownAlarm(db) : null,
    rows: own.map((name) => [name, count(db, name)] as const),
    jobs,
    agenda: entries && new Map(entries.map(({ id, at }) => [String(id), Number(at)])),
    otherRows: values.length - jobs.length,
  };
}

function ownAlarm(db: DatabaseSync): number | null {
  const query = db.prepare("SELECT value FROM _cf_METADATA WHERE key = ?");
  query.setReadBigInts(true);
  const value = query.get(ALARM_KEY)?.value;
  return value === undefined || value === null ? null : toMs(value);
}

const toMs = (ns: unknown): number => Number((ns as bigint) / NS_PER_MS);

const count = (db: DatabaseSync, table: string): number =>
  Number(db.prepare(`SELECT count(*) AS n FROM "${table}"`).get()?.n);

const tablesOf = (db: DatabaseSync): string[] =>
  db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name));

/**
 * What was written is in the log beside the file until it is closed; it is read with it, and nothing is changed. Only where
 * the kill has left a log that has to be put in order first, that is done, as it will be at the next start.
 */
function reading<T>(file: string, read: (db: DatabaseSync) => T): T {
  try {
    return readingAs(file, true, read);
  } catch {
    return readingAs(file, false, read);
  }
}

function readingAs<T>(file: string, readOnly: boolean, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file, { readOnly });
  try {
    return read(db);
  } finally {
    db.close();
  }
}
