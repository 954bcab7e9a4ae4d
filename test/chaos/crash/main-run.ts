/**
 * Jobs in every state, while the node is killed at random moments and its master key is rotated once on the way: until
 * all is over, and then until nothing is left.
 */
import { Callers } from "./callers.ts";
import { Client } from "./client.ts";
import { judge, judgeIndex, settle } from "./judge.ts";
import { killAgainAndAgain } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { makePlans, TENANTS } from "./plan.ts";
import { Random } from "./random.ts";
import { outliveRetention } from "./retention.ts";
import { type Tally, takeStock, tally } from "./tally.ts";
import { World } from "./world.ts";

export interface MainOptions {
  readonly name: string;
  readonly shards: number;
  readonly jobs: number;
  readonly seed: number;
  /** How often it is killed until everything is over, and how often on the way out. */
  readonly kills: number;
  readonly killsAtEnd: number;
  /** The longest time between two kills; jobs are registered over about as long as the kills take. */
  readonly killMostMs: number;
  readonly isQuick: boolean;
  /** Told of each phase that is through. */
  readonly say?: (phase: string) => void;
}

const KILL_LEAST_MS = 300;
/** Longer than all kills take on a busy machine: in between, some call may be cut off again and again. */
const ANSWER_LIMIT_MS = 600_000;
const SETTLE_LIMIT_MS = 300_000;
const GONE_LIMIT_MS = 180_000;

export async function mainRun(options: MainOptions): Promise<Tally> {
  const { name, jobs, seed, kills, killMostMs, isQuick, say = () => {} } = options;
  const random = new Random(seed);
  const spreadMs = (kills * (KILL_LEAST_MS + killMostMs)) / 2;
  const ledger = new Ledger(makePlans(random, { jobs, spreadMs, isQuick }), seed);
  const world = await World.create({ shards: options.shards, seed });
  const client = new Client(world, ledger, ANSWER_LIMIT_MS);
  const callers = new Callers(world, ledger, client);
  try {
    await world.start();
    await world.prepare(random);
    const between = { leastMs: KILL_LEAST_MS, mostMs: killMostMs };
    const [, killed] = await Promise.all([
      callers.play(),
      killAgainAndAgain(world, ledger, random, { ...between, kills, rotateAt: Math.ceil(kills / 2) }),
    ]);
    say("all calls are answered");
    await repair(world);
    await settle(client, ledger, SETTLE_LIMIT_MS);
    say("all jobs are over");
    judge(world, ledger);
    const stock = takeStock(world, ledger, await judgeIndex(client, ledger));
    say("the index shows all of it");
    const out = await outliveRetention(world, client, ledger, random, {
      ...between,
      kills: options.killsAtEnd,
      limitMs: GONE_LIMIT_MS,
    });
    say("nothing is left");
    for (const fault of world.book.faults()) ledger.fault(fault);
    return tally(name, world, ledger, {
      killed: {
        kills: killed.kills + out.killed.kills,
        jobsSeen: killed.jobsSeen + out.killed.jobsSeen,
        alarmsMissing: killed.alarmsMissing + out.killed.alarmsMissing,
      },
      stock,
      left: out.left,
    });
  } finally {
    await world.tearDown();
  }
}

/** What was out of order is mended, and what was paused goes on: by those whose it is, as always. */
export async function repair(world: World): Promise<void> {
  world.receiver("sick").serve({ kind: "normal" });
  for (const tenant of TENANTS) {
    await world.putDestination(tenant, "sick");
    await world.must(tenant, "POST", "/v1/destinations/paused/resume");
  }
}
