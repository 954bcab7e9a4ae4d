/**
 * The wall clock jumps an hour ahead and back again under a running node. Jobs whose deadline has passed by that expire
 * after one last poll; nothing runs hot; what was planned in the hour that was none waits until its time has come, and
 * nothing else does. In the end the clock is put behind the retention of all there was, and nothing is left.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import type { Delivery } from "../../simulator/receiver.ts";
import { Book } from "./book.ts";
import { Callers } from "./callers.ts";
import { Client } from "./client.ts";
import { walk } from "./disk.ts";
import { eachOf, judge, judgeIndex, settle } from "./judge.ts";
import { type Killed, walked } from "./kills.ts";
import type { KindName } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { makePlans } from "./plan.ts";
import { Random } from "./random.ts";
import { type Tally, takeStock, tally } from "./tally.ts";
import { WallClock } from "./wall-clock.ts";
import { World } from "./world.ts";

export interface ClockOptions {
  readonly name: string;
  readonly shards: number;
  readonly jobs: number;
  readonly seed: number;
}

export interface ClockTally extends Tally {
  readonly expired: number;
  /** Polls of one request, and POSTs of one event, at most, in the seconds behind the jump back. */
  readonly mostPolls: number;
  readonly mostPosts: number;
  readonly backSeconds: number;
  /** Events under a time that a receiver with a right clock would not take: of objects that lived through the jump back. */
  readonly untimely: number;
}

const KINDS: readonly KindName[] = [
  "brief",
  "far",
  "steady",
  "dripping",
  "sealed",
  "failing",
  "uncalled",
  "told",
  "large",
  "slowly",
];
const HOUR_MS = 3_600_000;
/** Behind the default retention, and what a tenant's index, a limiter or a generation call is kept for. */
const LONG_AFTER_MS = 9 * 24 * HOUR_MS;
const BEFORE_MS = 8_000;
const AHEAD_MS = 12_000;
const BACK_MS = 12_000;
const RIGHT_MS = 10_000;
const TOLERANCE_SECONDS = 300;
const ANSWER_LIMIT_MS = 240_000;
const SETTLE_LIMIT_MS = 180_000;
const GONE_LIMIT_MS = 90_000;

/** `null` where the clock cannot be moved. */
export async function clockJumps(options: ClockOptions): Promise<ClockTally | null> {
  const clock = WallClock.create();
  if (!clock) return null;
  try {
    return await underClock(clock, options);
  } finally {
    clock.remove();
  }
}

async function underClock(clock: WallClock, { name, shards, jobs, seed }: ClockOptions): Promise<ClockTally> {
  const random = new Random(seed);
  const spreadMs = BEFORE_MS + AHEAD_MS + BACK_MS + RIGHT_MS / 2;
  const made = makePlans(random, { jobs, spreadMs, isQuick: false, only: KINDS });
  // Registered again, one that has expired would start anew.
  const plans = made.map((plan) => ({ ...plan, againMs: null }));
  const ledger = new Ledger(plans, seed);
  let untimely = 0;
  const book = new Book((delivery) => {
    const offBy = Number(delivery.headers["webhook-timestamp"]) - clock.now() / 1000;
    if (Math.abs(offBy) > TOLERANCE_SECONDS) untimely++;
    return holdsAt(delivery, world.secrets);
  });
  const world = await World.create({ shards, seed, book, env: clock.env, judgesTime: false });
  const client = new Client(world, ledger, ANSWER_LIMIT_MS);
  const callers = new Callers(world, ledger, client);
  const killed: Killed = { kills: 0, jobsSeen: 0, alarmsMissing: 0 };
  const restartAt = async (aheadMs: number): Promise<void> => {
    await world.node.stop("SIGKILL");
    killed.kills++;
    walked(world, ledger, killed, clock.aheadMs);
    clock.jumpTo(aheadMs);
    await world.start();
  };
  try {
    await world.start();
    await world.prepare(random);
    const playing = callers.play();
    await sleep(BEFORE_MS);
    clock.jumpTo(HOUR_MS);
    await sleep(AHEAD_MS);
    clock.jumpTo(0);
    const backAt = Date.now();
    const postsBefore = new Map(book.ids().map((id) => [id, book.of(id)?.count ?? 0]));
    await sleep(BACK_MS);
    const { mostPolls, mostPosts } = judgeHeat(world, ledger, backAt, postsBefore);
    await restartAt(0);
    await playing;
    await sleep(RIGHT_MS);
    // The hour has come.
    await restartAt(HOUR_MS);
    await settle(client, ledger, SETTLE_LIMIT_MS);
    const mayExpire = (end: string) => end.replace("succeeded", "expired");
    judge(world, ledger, (ends) => [ends, mayExpire(ends)]);
    const overtaken = ledger.entries.filter(({ end }) => end?.endsWith("expired"));
    if (overtaken.length === 0) ledger.fault("no job has expired in the hour that was left out");
    for (const entry of overtaken)
      if (entry.polls === 0) ledger.faultOf(entry, "it expired without a last poll");
    const stock = takeStock(world, ledger, await judgeIndex(client, ledger));
    await world.node.stop("SIGTERM");
    walked(world, ledger, killed, clock.aheadMs);
    const left = await longAfter(world, client, ledger, clock);
    const counted = { killed, stock, left };
    const more = { expired: overtaken.length, mostPolls, mostPosts, backSeconds: BACK_MS / 1000, untimely };
    return { ...tally(name, world, ledger, counted), ...more };
  } finally {
    await world.tearDown();
  }
}

/** No request is polled, and no event sent, more often than once a second: more would be a loop that a clock has made hot. */
function judgeHeat(
  world: World,
  ledger: Ledger,
  from: number,
  postsBefore: ReadonlyMap<string, number>,
): { mostPolls: number; mostPosts: number } {
  const polls = new Map<string, number>();
  for (const { at, path } of world.provider.calls())
    if (at >= from) polls.set(path, (polls.get(path) ?? 0) + 1);
  const posts = world.book.ids().map((id) => (world.book.of(id)?.count ?? 0) - (postsBefore.get(id) ?? 0));
  const mostPolls = Math.max(0, ...polls.values());
  const mostPosts = Math.max(0, ...posts);
  const most = BACK_MS / 1000 + 1;
  if (mostPolls > most) ledger.fault(`a request was polled ${mostPolls} times in ${BACK_MS / 1000} s`);
  if (mostPosts > most) ledger.fault(`an event was sent ${mostPosts} times in ${BACK_MS / 1000} s`);
  return { mostPolls, mostPosts };
}

/** Whether the library, asked to sign the same at the time that the event names, comes to one of its signatures. */
function holdsAt({ headers, body }: Delivery, secrets: readonly string[]): boolean {
  const id = headers["webhook-id"] ?? "";
  const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
  const signatures = (headers["webhook-signature"] ?? "").split(" ");
  return secrets.some((secret) => signatures.includes(new Webhook(secret).sign(id, at, body)));
}

/** Starts the node behind all retention, and waits until it has forgotten all jobs; what it has left of them. */
async function longAfter(world: World, client: Client, ledger: Ledger, clock: WallClock): Promise<number> {
  clock.jumpTo(LONG_AFTER_MS);
  await world.start();
  const limit = Date.now() + GONE_LIMIT_MS;
  let open = ledger.entries.filter(({ id }) => id !== null);
  while (open.length > 0 && Date.now() < limit) {
    const still: typeof open = [];
    await eachOf(open, async (entry) => {
      const job = await client.insist(entry.plan.tenant, "GET", `/v1/jobs/${entry.id}`);
      if (job?.status !== 404) still.push(entry);
    });
    open = still;
    await sleep(1_000);
  }
  await world.node.stop("SIGTERM");
  const { rows } = walk(world.node.dataFolder, clock.now());
  // What their owners have set up does not expire, and neither does when to look next, and what endpoints are like.
  const kept = ["pollhook-Tenant destinations", "pollhook-Tenant _cf_KV"];
  const left = Object.entries(rows).filter(([name, count]) => count > 0 && !kept.includes(name));
  for (const [name, count] of left) ledger.fault(`${count} rows of ${name} are left long after retention`);
  return left.reduce((sum, [, count]) => sum + count, 0);
}
