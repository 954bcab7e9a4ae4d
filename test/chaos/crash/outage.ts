/**
 * The provider and every receiver are away for longer than the platform repeats an alarm that fails (about 150 s): first
 * nobody listens, then connections are taken and nothing is said; and the node is killed meanwhile. Afterwards all goes
 * on by itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Callers } from "./callers.ts";
import { Client } from "./client.ts";
import { Gate } from "./gate.ts";
import { judge, judgeIndex, settle } from "./judge.ts";
import { type Killed, killAgainAndAgain, walked } from "./kills.ts";
import type { KindName } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { makePlans } from "./plan.ts";
import { Random } from "./random.ts";
import { type Tally, takeStock, tally } from "./tally.ts";
import { World } from "./world.ts";

export interface OutageOptions {
  readonly name: string;
  readonly jobs: number;
  readonly seed: number;
  /** Of each half: refusing, then hanging. */
  readonly halfMs: number;
  readonly killsAHalf: number;
}

/** Those whose end does not depend on how long nobody could be asked. */
const KINDS: readonly KindName[] = [
  "brief",
  "steady",
  "far",
  "sealed",
  "troubled",
  "failing",
  "endless",
  "uncalled",
  "told",
  "large",
  "slowly",
  "canceled",
  "redelivered",
];
/** Some are through before it begins, some are in the middle, some come while it lasts. */
const BEFORE_MS = 6_000;
const SPREAD_MS = 30_000;
const ANSWER_LIMIT_MS = 400_000;
/** A breaker that opened at the beginning probes 30 s, 90 s, 210 s and 450 s later. */
const SETTLE_LIMIT_MS = 400_000;

export async function outage(options: OutageOptions): Promise<Tally> {
  const { name, jobs, seed, halfMs, killsAHalf } = options;
  const random = new Random(seed);
  const plans = makePlans(random, { jobs, spreadMs: SPREAD_MS, isQuick: false, only: KINDS });
  const ledger = new Ledger(plans, seed);
  const gates: Gate[] = [];
  const between = async (origin: string): Promise<string> => {
    const gate = await Gate.before(origin);
    gates.push(gate);
    return gate.origin;
  };
  const turnAll = (mode: Parameters<Gate["turn"]>[0]) => Promise.all(gates.map((gate) => gate.turn(mode)));
  const world = await World.create({ shards: 8, seed, between });
  const client = new Client(world, ledger, ANSWER_LIMIT_MS);
  const callers = new Callers(world, ledger, client);
  try {
    await world.start();
    await world.prepare(random);
    const playing = callers.play();
    await sleep(BEFORE_MS);
    const between = { leastMs: halfMs / killsAHalf / 2, mostMs: halfMs / killsAHalf };
    const killed: Killed = { kills: 0, jobsSeen: 0, alarmsMissing: 0 };
    for (const mode of ["refusing", "hanging"] as const) {
      const over = sleep(halfMs);
      await turnAll(mode);
      add(killed, await killAgainAndAgain(world, ledger, random, { ...between, kills: killsAHalf }));
      await over;
    }
    await turnAll("open");
    await playing;
    await settle(client, ledger, SETTLE_LIMIT_MS, false);
    judge(world, ledger);
    const stock = takeStock(world, ledger, await judgeIndex(client, ledger));
    await world.node.stop("SIGTERM");
    walked(world, ledger, killed);
    return tally(name, world, ledger, { killed, stock, left: null });
  } finally {
    await turnAll("refusing");
    await world.tearDown();
  }
}

function add(all: Killed, more: Killed): void {
  all.kills += more.kills;
  all.jobsSeen += more.jobsSeen;
  all.alarmsMissing += more.alarmsMissing;
}
