/**
 * The whole attack: the tour, then as many calls and raw bytes as are asked for, over many connections at once, then a look
 * at what is left.
 */
import { execFileSync } from "node:child_process";
import { aftermath } from "./aftermath.ts";
import { Attack } from "./attack.ts";
import type { Call } from "./call.ts";
import { Ledger } from "./ledger.ts";
import { Random } from "./random.ts";
import { lookAtRefused, registerRefused } from "./refused-delivery.ts";
import { openScene, type Scene } from "./scene.ts";
import { conflictingCalls, failingCalls, hoard, tourOf, waitingCalls } from "./tour.ts";

export interface StormOptions {
  readonly seed: number;
  /** In all. */
  readonly requests: number;
  readonly callLanes: number;
  readonly rawLanes: number;
  /** Also what takes 10 s, or a thousand calls, for one answer. */
  readonly isWhole: boolean;
  readonly say?: (text: string) => void;
}

export interface Storm {
  readonly ledger: Ledger;
  readonly seconds: number;
  readonly logLines: number;
  readonly deliveries: number;
  readonly providerCalls: number;
  /** Of workerd, in MiB. */
  readonly memory: { readonly before: number; readonly after: number };
}

/** Of all that is sent, in raw bytes. */
const RAW_SHARE = 0.05;
/** What the process may have grown by: objects of thousands of jobs stay in memory for a while. */
export const MOST_GROWTH_MIB = 1_024;
/** Too many: the rest would say the same. */
const ENOUGH_FAILURES = 30;
const SAY_EVERY = 10_000;
/** 32 may watch, and 32 may wait. */
const CROWD = 40;

export async function runStorm(options: StormOptions): Promise<Storm> {
  const { seed, requests, isWhole, say = () => {} } = options;
  const random = new Random(seed);
  const ledger = new Ledger(seed, say);
  const scene = await openScene(ledger, random);
  try {
    const before = memoryOf(scene);
    const startedAt = Date.now();
    const attack = new Attack(scene.world, ledger);
    const lane = (calls: readonly Call[]) => inTurn(attack, calls);
    const refused = await registerRefused(scene);
    await lane(await tourOf(scene.world, random));
    await lane(conflictingCalls(scene.world, random));
    await crowd(attack, scene, random);
    const slow = isWhole
      ? [
          ...failingCalls(scene.world, random).map((call) => lane([call])),
          lane(await hoard(scene.world, random)),
        ]
      : [];
    await Promise.all([...slow, blow(attack, ledger, options, random, requests, say)]);
    const seconds = (Date.now() - startedAt) / 1000;
    const after = memoryOf(scene);
    const left = [...(await lookAtRefused(scene, attack, random, refused)), ...(await aftermath(scene))];
    for (const fault of left) ledger.note(`After the storm ${fault}.`);
    if (after - before > MOST_GROWTH_MIB) ledger.note(`workerd grew from ${before} to ${after} MiB.`);
    return {
      ledger,
      seconds,
      logLines: scene.lines(),
      deliveries: scene.receiver.deliveries().length,
      providerCalls: scene.provider.calls().length,
      memory: { before, after },
    };
  } finally {
    await scene.tearDown();
  }
}

/** All lanes at once, until there are as many requests as were asked for. */
async function blow(
  attack: Attack,
  ledger: Ledger,
  { callLanes, rawLanes }: StormOptions,
  random: Random,
  requests: number,
  say: (text: string) => void,
): Promise<void> {
  const mostRaw = requests * RAW_SHARE;
  let [calls, raw] = [ledger.requests, 0];
  const isOver = () => ledger.failures.length >= ENOUGH_FAILURES;
  const more = (): boolean => {
    if (isOver() || calls + mostRaw >= requests) return false;
    if (++calls % SAY_EVERY === 0) say(`${calls} calls, ${raw} in raw bytes, ${ledger.faults} faults`);
    return true;
  };
  const moreRaw = (): boolean => !isOver() && raw < mostRaw && ++raw > 0;
  const fork = () => new Random(random.below(2 ** 32));
  await Promise.all([
    ...Array.from({ length: callLanes }, () => attack.callLane(fork(), more)),
    ...Array.from({ length: rawLanes }, () => attack.rawLane(fork(), moreRaw)),
  ]);
}

async function inTurn(attack: Attack, calls: readonly Call[]): Promise<void> {
  let kept: Awaited<ReturnType<Attack["send"]>> = null;
  for (const call of calls) kept = await attack.send(call, kept, true);
  kept?.destroy();
}

/** More at one time than may watch one job, to which nothing happens, or wait for the events of one tenant. */
async function crowd(attack: Attack, { world }: Scene, random: Random): Promise<void> {
  const { node } = world.peers;
  const token = world.identities[0]?.token ?? "";
  const registered = await node.call(token, "POST", "/v1/jobs", {
    request_id: "watched-by-many",
    eta: 3_000,
  });
  const { id } = (await registered.json()) as { id: string };
  const calls = () => waitingCalls(world, random, id);
  const held = await Promise.all(
    Array.from({ length: CROWD }, calls)
      .flat()
      .map((call) => attack.hold(call)),
  );
  for (const call of calls()) await attack.send(call, null, true);
  for (const connection of held) connection.destroy();
}

const memoryOf = ({ node }: Scene): number =>
  Math.round(Number(execFileSync("ps", ["-o", "rss=", "-p", String(node.pid)]).toString()) / 1024);
