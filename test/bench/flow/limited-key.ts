/**
 * Many jobs on one provider key that is limited to a few fetches a second: how many polls it takes until all have
 * ended, and how many of them were refused. Counts are the provider's own, so that no number of calls is too many.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Setting } from "../../e2e/setting.ts";
import { aim, type Naming, registerAll } from "./caller.ts";

export interface LimitedKeyOptions {
  readonly jobs: number;
  readonly perSecond: number;
  readonly retryAfterSeconds: number;
  /** The etas are spread over so long. */
  readonly etasOverMs: number;
  /** The requests are ready within so long of the first eta, in no order. */
  readonly readyOverMs: number;
  /** When to give up. */
  readonly limitMs: number;
  readonly naming: Naming;
}

export interface LimitedKeyResult {
  /** Jobs whose event has arrived; all of them, unless the time was up. */
  readonly ended: number;
  readonly succeeded: number;
  /** From the first eta to the last event. */
  readonly tookMs: number;
  readonly polls: number;
  readonly refused: number;
  /** From 10 s after the first refusal on. */
  readonly late: { readonly polls: number; readonly refused: number; readonly share: number };
  /** Polls that were not refused, by the time that it took. */
  readonly servedPerSecond: number;
  /** Of one job that has ended. */
  readonly pollsOfOne: { readonly mean: number; readonly most: number };
}

const KEY = "limited-key";
const FIRST_ID = 3_000_000;
const HOOK = "limited";
/** Left for registering before the first eta: twice what it takes on two cores. */
const REGISTERING_MS_PER_JOB = 15;
const LEAST_REGISTERING_MS = 2_000;
/** How long a limiter may take to learn the limit. */
const LEARNING_MS = 10_000;
const LOOK_EVERY_MS = 50;
/** A prime that makes the order of readiness unlike that of the etas. */
const STRIDE = 7_919;

interface Counts {
  readonly served: number;
  readonly refused: number;
}

/** Uses the setting's provider and receiver, with a key and a path of its own. */
export async function measureLimitedKey(
  setting: Setting,
  options: LimitedKeyOptions,
): Promise<LimitedKeyResult> {
  const { jobs, perSecond, retryAfterSeconds, etasOverMs, readyOverMs, naming } = options;
  const { provider, receiver } = setting;
  const target = await aim(setting, receiver, HOOK, naming);
  provider.limit({ key: KEY, perSecond, retryAfterSeconds });
  const firstAt = Date.now() + Math.max(LEAST_REGISTERING_MS, jobs * REGISTERING_MS_PER_JOB);
  await registerAll(setting, jobs, (index) => {
    const id = FIRST_ID + index;
    const readyAt = firstAt + (((index * STRIDE) % jobs) / jobs) * readyOverMs;
    provider.add({ endpoint: "v3", id, key: KEY, readyAfterMs: Math.max(0, readyAt - Date.now()) });
    const eta = Math.max(0, firstAt + (index / jobs) * etasOverMs - Date.now()) / 1000;
    return { endpoint: "v3", request_id: id, key: KEY, eta, ...target };
  });
  const counts = (): Counts => provider.limits().find(({ key }) => key === KEY) ?? { served: 0, refused: 0 };
  const events = () => eventsOf(setting, `/hook/${HOOK}`);
  let refusedAt: number | null = null;
  let learned: Counts | null = null;
  // Parsed only once there may be enough of them: looking must cost nothing.
  const all = () => receiver.deliveries(`/hook/${HOOK}`).length >= jobs && events().size >= jobs;
  while (!all() && Date.now() < firstAt + options.limitMs) {
    await sleep(LOOK_EVERY_MS);
    const now = Date.now();
    if (refusedAt === null && counts().refused > 0) refusedAt = now;
    if (learned === null && refusedAt !== null && now >= refusedAt + LEARNING_MS) learned = counts();
  }
  return result([...events().values()], firstAt, counts(), learned);
}

interface Ended {
  readonly at: number;
  readonly type: string;
  readonly polls: number;
}

/** Each job's first event. */
function eventsOf({ receiver }: Setting, path: string): Map<string, Ended> {
  const ended = new Map<string, Ended>();
  for (const { at, body, status } of receiver.deliveries(path)) {
    if (status !== 204) continue;
    const { type, data } = JSON.parse(body) as { type: string; data: { job_id: string; polls: number } };
    if (!ended.has(data.job_id)) ended.set(data.job_id, { at, type, polls: data.polls });
  }
  return ended;
}

function result(
  ended: readonly Ended[],
  firstAt: number,
  { served, refused }: Counts,
  learned: Counts | null,
): LimitedKeyResult {
  const tookMs = Math.max(1, ...ended.map(({ at }) => at - firstAt));
  const lateRefused = learned ? refused - learned.refused : 0;
  const latePolls = learned ? served - learned.served + lateRefused : 0;
  const polls = ended.map((event) => event.polls);
  return {
    ended: ended.length,
    succeeded: ended.filter(({ type }) => type === "job.succeeded").length,
    tookMs,
    polls: served + refused,
    refused,
    late: { polls: latePolls, refused: lateRefused, share: latePolls > 0 ? lateRefused / latePolls : 0 },
    servedPerSecond: (served * 1000) / tookMs,
    pollsOfOne: {
      mean: polls.reduce((sum, n) => sum + n, 0) / Math.max(1, polls.length),
      most: Math.max(0, ...polls),
    },
  };
}
