/**
 * Ends the node with SIGKILL at random moments and starts it again, so often. While it is dead its disk is walked: at
 * every moment each job that was accepted has to have its alarm there, committed with it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { walk } from "./disk.ts";
import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface KillOptions {
  readonly kills: number;
  /** Between a start and the next kill. */
  readonly leastMs: number;
  readonly mostMs: number;
  /** Behind this one a new master key stands in front. */
  readonly rotateAt?: number;
  /** By how much the node's clock is ahead of ours. */
  readonly aheadMs?: number;
  /** What it is started with each time. */
  readonly vars?: Readonly<Record<string, string>>;
}

export interface Killed {
  kills: number;
  /** Jobs that were found on the disk, over all walks, and their alarms that were not. */
  jobsSeen: number;
  alarmsMissing: number;
}

export async function killAgainAndAgain(
  world: World,
  ledger: Ledger,
  random: Random,
  options: KillOptions,
): Promise<Killed> {
  const killed: Killed = { kills: 0, jobsSeen: 0, alarmsMissing: 0 };
  while (killed.kills < options.kills) {
    await sleep(random.between(options.leastMs, options.mostMs));
    await world.node.stop("SIGKILL");
    killed.kills++;
    walked(world, ledger, killed, options.aheadMs);
    const isRotation = killed.kills === options.rotateAt;
    if (isRotation) world.node.rotate();
    await world.start(options.vars);
    if (isRotation) await world.learnSecrets();
  }
  return killed;
}

/** Walks the disk of a node that does not run. */
export function walked(world: World, ledger: Ledger, killed: Killed, aheadMs = 0): void {
  const { jobs, missing } = walk(world.node.dataFolder, Date.now() + aheadMs);
  killed.jobsSeen += jobs;
  killed.alarmsMissing += missing.length;
  for (const line of missing.slice(0, 5)) ledger.fault(`behind kill ${killed.kills}: ${line}`);
}
