/**
 * Statistics of a tenant's jobs over a window that ends now: counted by SQLite, in groups of an endpoint and a histogram
 * bucket, so that memory is bounded whatever the number of jobs.
 */
import type { State } from "../job/record.ts";
import { type Counts, merge, percentile } from "./histogram.ts";

/** Of a window, as it is drawn. */
const PARTS = 48;

export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface Figures {
  /** Registered in the window. */
  readonly registered: number;
  /** Of jobs that ended in the window. */
  readonly outcomes: Readonly<Record<"succeeded" | "failed" | "expired" | "canceled", number>>;
  /** Delivered in the window. */
  readonly delivered: number;
  /** Ended in the window, and not delivered in the end. */
  readonly undelivered: number;
  readonly attempts_per_delivery: number | null;
  readonly polls_per_job: number | null;
  /** From the last poll that saw the request unfinished to the one that saw it finished: at most the true lag. */
  readonly detection_lag_ms: Percentiles;
  /** From the outcome to the delivery. */
  readonly delivery_ms: Percentiles;
}

type Outcomes = Figures["outcomes"];

export interface Stats {
  /** Jobs that are kept at the moment, whenever they were registered. */
  readonly statuses: Readonly<Record<State["status"], number>>;
  /** The window in equal parts, the oldest first: how the jobs that ended in each did end. */
  readonly series: readonly (Outcomes & { readonly at: string })[];
  readonly total: Figures;
  readonly endpoints: Readonly<Record<string, Figures>>;
}

interface Sums {
  registered: number;
  succeeded: number;
  failed: number;
  expired: number;
  canceled: number;
  delivered: number;
  undelivered: number;
  attempts: number;
  polls: number;
  lag: Counts;
  delivery: Counts;
}

const SUMS = `SELECT endpoint, total(registered_at > ?1) AS registered,
  total(finished_at > ?1 AND outcome = 'succeeded') AS succeeded, total(finished_at > ?1 AND outcome = 'failed') AS failed,
  total(finished_at > ?1 AND outcome = 'expired') AS expired, total(finished_at > ?1 AND outcome = 'canceled') AS canceled,
  total(delivered_at > ?1) AS delivered, total(finished_at > ?1 AND status = 'undelivered') AS undelivered,
  total(CASE WHEN delivered_at > ?1 THEN attempts END) AS attempts,
  total(CASE WHEN finished_at > ?1 AND outcome <> 'canceled' THEN polls END) AS polls
  FROM jobs GROUP BY endpoint`;

const buckets = (column: string, time: string): string =>
  `SELECT endpoint, ${column} AS bucket, count(*) AS n FROM jobs WHERE ${time} > ?1 AND ${column} IS NOT NULL
   GROUP BY endpoint, ${column}`;

const STATUSES = "SELECT status, count(*) AS n FROM jobs WHERE keep_until > ? GROUP BY status";

const SERIES = `SELECT CAST((finished_at - ?1) / ?2 AS INTEGER) AS part, outcome, count(*) AS n FROM jobs
  WHERE finished_at > ?1 GROUP BY part, outcome`;

/** The figures from `from` to `now` (epoch ms), of a table that exists. */
export function readStats(sql: SqlStorage, from: number, now: number): Stats {
  const lag = histograms(sql, buckets("lag_bucket", "finished_at"), from);
  const delivery = histograms(sql, buckets("delivery_bucket", "delivered_at"), from);
  const sums = new Map<string, Sums>();
  for (const { endpoint, ...row } of sql.exec(SUMS, from)) {
    const name = String(endpoint);
    const numbers = Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number(value)]));
    const counts = { lag: lag.get(name) ?? new Map(), delivery: delivery.get(name) ?? new Map() };
    sums.set(name, { ...(numbers as unknown as Omit<Sums, "lag" | "delivery">), ...counts });
  }
  const partMs = (now - from) / PARTS;
  const series = new Map<number, Record<string, number>>();
  for (const { part, outcome, n } of sql.exec(SERIES, from, partMs)) {
    // Of one that ended while this was asked.
    const i = Math.min(Number(part), PARTS - 1);
    const counts = series.get(i) ?? {};
    counts[String(outcome)] = Number(n) + (counts[String(outcome)] ?? 0);
    series.set(i, counts);
  }
  const statuses = Object.fromEntries([...sql.exec(STATUSES, now)].map(({ status, n }) => [status, n]));
  return { ...statsOf(sums, from, now, series), statuses: { ...NO_STATUSES, ...statuses } };
}

/** `series`: by part, what is not zero. */
export const statsOf = (
  sums: ReadonlyMap<string, Sums>,
  from: number,
  now: number,
  series: ReadonlyMap<number, Record<string, number>>,
): Stats => ({
  statuses: NO_STATUSES,
  series: Array.from({ length: PARTS }, (_, i) => ({
    at: new Date(from + (i * (now - from)) / PARTS).toISOString(),
    ...NO_OUTCOMES,
    ...series.get(i),
  })),
  total: toFigures([...sums.values()].reduce(add, NOTHING)),
  endpoints: Object.fromEntries(
    [...sums]
      .map(([endpoint, sum]) => [endpoint, toFigures(sum)] as const)
      .filter(([, { registered, ...f }]) => registered + f.delivered + sumOf(f.outcomes) > 0),
  ),
});

const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, n) => sum + n, 0);

function histograms(sql: SqlStorage, query: string, from: number): Map<string, Map<number, number>> {
  const found = new Map<string, Map<number, number>>();
  for (const { endpoint, bucket, n } of sql.exec(query, from)) {
    const counts = found.get(String(endpoint)) ?? new Map<number, number>();
    counts.set(Number(bucket), Number(n));
    found.set(String(endpoint), counts);
  }
  return found;
}

const NO_OUTCOMES: Outcomes = { succeeded: 0, failed: 0, expired: 0, canceled: 0 };
const NO_STATUSES: Stats["statuses"] = {
  waiting: 0,
  delivering: 0,
  delivered: 0,
  undelivered: 0,
  finished: 0,
  canceled: 0,
};

const NOTHING: Sums = {
  registered: 0,
  ...NO_OUTCOMES,
  delivered: 0,
  undelivered: 0,
  attempts: 0,
  polls: 0,
  lag: new Map(),
  delivery: new Map(),
};

const add = (a: Sums, b: Sums): Sums => ({
  registered: a.registered + b.registered,
  succeeded: a.succeeded + b.succeeded,
  failed: a.failed + b.failed,
  expired: a.expired + b.expired,
  canceled: a.canceled + b.canceled,
  delivered: a.delivered + b.delivered,
  undelivered: a.undelivered + b.undelivered,
  attempts: a.attempts + b.attempts,
  polls: a.polls + b.polls,
  lag: merge(a.lag, b.lag),
  delivery: merge(a.delivery, b.delivery),
});

function toFigures(sums: Sums): Figures {
  const { succeeded, failed, expired, canceled } = sums;
  return {
    registered: sums.registered,
    outcomes: { succeeded, failed, expired, canceled },
    delivered: sums.delivered,
    undelivered: sums.undelivered,
    attempts_per_delivery: ratio(sums.attempts, sums.delivered),
    polls_per_job: ratio(sums.polls, succeeded + failed + expired),
    detection_lag_ms: percentiles(sums.lag),
    delivery_ms: percentiles(sums.delivery),
  };
}

const ratio = (a: number, b: number): number | null => (b === 0 ? null : Math.round((a / b) * 1000) / 1000);

const percentiles = (counts: Counts): Percentiles => ({
  p50: percentile(counts, 0.5),
  p95: percentile(counts, 0.95),
  p99: percentile(counts, 0.99),
});
