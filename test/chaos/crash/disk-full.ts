/**
 * The disk is full for a while, now and then with a few blocks free: nothing that was accepted may be lost by that, callers
 * are refused in clean words, and all goes on without a restart once there is space. Then the same with a kill while it is
 * full: a node that cannot start on a full disk starts when there is space.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Callers } from "./callers.ts";
import { Client } from "./client.ts";
import { judge, judgeIndex, settle } from "./judge.ts";
import { type Killed, walked } from "./kills.ts";
import type { KindName } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { repair } from "./main-run.ts";
import { makePlans } from "./plan.ts";
import { Random } from "./random.ts";
import { SmallDisk } from "./small-disk.ts";
import { type Tally, takeStock, tally } from "./tally.ts";
import { World } from "./world.ts";

export interface DiskFullOptions {
  readonly name: string;
  readonly shards: number;
  readonly jobs: number;
  readonly seed: number;
  /** How long it is full, each time. */
  readonly fullMs: number;
}

/** Such that nothing of what they may end as hangs on when they are polled. */
const KINDS: readonly KindName[] = [
  "brief",
  "far",
  "steady",
  "troubled",
  "limited",
  "sealed",
  "failing",
  "uncalled",
  "told",
  "large",
  "flaky",
  "slowly",
  "paced",
  "gone",
  "canceled",
  "restarted",
  "erased",
  "redelivered",
  "paused",
];
const DISK_MEGABYTES = 96;
const BEFORE_MS = 5_000;
const BETWEEN_MS = 10_000;
const BREATH_MS = 1_500;
/** The platform repeats what failed ever later, at the latest after about as long as it has failed. */
const ANSWER_LIMIT_MS = 240_000;
const SETTLE_LIMIT_MS = 300_000;

export interface DiskFullTally extends Tally {
  /** Whether it can be started on a full disk, in words. */
  readonly starts: string;
}

/** `null` where no tmpfs may be mounted. */
export async function diskFull(options: DiskFullOptions): Promise<DiskFullTally | null> {
  const disk = SmallDisk.mount(DISK_MEGABYTES);
  if (!disk) return null;
  try {
    return await onDisk(disk, options);
  } finally {
    disk.unmount();
  }
}

async function onDisk(
  disk: SmallDisk,
  { name, shards, jobs, seed, fullMs }: DiskFullOptions,
): Promise<DiskFullTally> {
  const random = new Random(seed);
  const spreadMs = BEFORE_MS + 2 * fullMs + BETWEEN_MS;
  const ledger = new Ledger(makePlans(random, { jobs, spreadMs, isQuick: false, only: KINDS }), seed);
  const world = await World.create({ shards, seed, persistTo: disk.folder });
  const client = new Client(world, ledger, ANSWER_LIMIT_MS);
  const callers = new Callers(world, ledger, client);
  const killed: Killed = { kills: 0, jobsSeen: 0, alarmsMissing: 0 };
  try {
    await world.start();
    await world.prepare(random);
    const playing = callers.play();
    await sleep(BEFORE_MS);
    await full(disk, random, fullMs);
    disk.free();
    const refusedAtFirst = ledger.refused;
    if (refusedAtFirst === 0) ledger.fault("nobody was refused while the disk was full");
    await sleep(BETWEEN_MS);
    await full(disk, random, fullMs / 2);
    await world.node.stop("SIGKILL");
    killed.kills++;
    const startsFull = await world.start().then(
      () => true,
      () => false,
    );
    if (startsFull) await full(disk, random, fullMs / 2);
    disk.free();
    if (!startsFull) await world.start();
    await playing;
    await repair(world);
    await settle(client, ledger, SETTLE_LIMIT_MS);
    judge(world, ledger);
    const stock = takeStock(world, ledger, await judgeIndex(client, ledger));
    await world.node.stop("SIGTERM");
    walked(world, ledger, killed);
    const counted = { killed, stock, left: null };
    const starts = startsFull ? "It starts on a full disk, too." : "It does not start on a full disk.";
    return { ...tally(name, world, ledger, counted), starts };
  } finally {
    await world.tearDown();
  }
}

/** Full for so long; every now and then some blocks are free, so that one of two writes may succeed. */
async function full(disk: SmallDisk, random: Random, ms: number): Promise<void> {
  for (const until = Date.now() + ms; Date.now() < until; ) {
    disk.fill();
    await sleep(random.between(BREATH_MS / 2, BREATH_MS));
    disk.giveBack(random.whole(1, 12));
    await sleep(random.between(0, BREATH_MS / 5));
  }
  disk.fill();
}
