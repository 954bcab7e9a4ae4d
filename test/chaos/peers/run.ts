/**
 * One node against all bad answers: first those that are far too much, a few at a time, with an eye on its memory; then
 * the others, with jobs beside them that have nothing to do with them; then what else peers can do.
 */
import { healthOf } from "../../demo/process-group.ts";
import { type BadAnswer, whole } from "./catalogue/bad-answer.ts";
import { BAD_ANSWERS } from "./catalogue/index.ts";
import { redirectsTo } from "./catalogue/redirects.ts";
import { Field, GOOD_ANSWER, KEYS } from "./field.ts";
import { callGenerations, forGenerations, type GenerationsResult, openGenerator } from "./generations.ts";
import { type Healthy, runHealthy } from "./healthy.ts";
import { judge } from "./judging.ts";
import { growthDuring, type Memory } from "./memory.ts";
import { type NeighboursResult, prepareNeighbours } from "./neighbours.ts";
import { compareRoundTrips, type RoundTripsResult } from "./round-trips.ts";
import { type Followed, follow, prepare, type Trial } from "./trials.ts";

export interface PeersOptions {
  readonly jobShards: string;
  /** Of the answers that only a time limit ends. */
  readonly slow: (answer: BadAnswer) => boolean;
  /** Of those that are given again and again until the deadline, 30 s on. */
  readonly stubborn: (answer: BadAnswer) => boolean;
  /** Whether jobs are followed to a deadline that they wait for. */
  readonly mayWait: boolean;
  readonly generations: number;
  readonly roundTrips: number;
  readonly healthy: number;
  /** Trials under way, but for those that only wait. */
  readonly atOneTime: number;
}

export interface PeersResult {
  readonly jobShards: string;
  readonly followed: readonly Followed[];
  readonly memory: Memory | null;
  readonly bombs: number;
  readonly healthy: Healthy;
  readonly generations: GenerationsResult;
  readonly neighbours: NeighboursResult;
  readonly roundTrips: RoundTripsResult;
  readonly failures: readonly string[];
}

/** Bombs that go off at one time: an isolate has so many answers in its hands. */
export const BOMBS_AT_ONE_TIME = 6;
/** Of 8 MiB each may hold one, and one more while its pieces are joined; the rest is the engine's, which is in no hurry. */
const GROWTH_LIMIT_BYTES = 320 * 1024 * 1024;
const LIMIT_MS = 120_000;

/** `seed`: for the round trips; a failure names it. */
export async function runPeers(options: PeersOptions, seed: number): Promise<PeersResult> {
  const field = await Field.create(options.jobShards);
  try {
    return await meet(field, options, seed);
  } finally {
    await field.tearDown();
  }
}

async function meet(field: Field, options: PeersOptions, seed: number): Promise<PeersResult> {
  const { mayWait } = options;
  const called = forGenerations(BAD_ANSWERS.filter(({ isSlow, isBomb }) => !isSlow && !isBomb)).slice(
    0,
    options.generations,
  );
  const trap = await field.open(() => ({ script: whole(GOOD_ANSWER) }));
  const answers = [...BAD_ANSWERS, ...redirectsTo(`${trap.origin}/metadata`)];
  const { bombs, idle, others } = await prepareTrials(field, answers, options);
  const generator = await openGenerator(field, called);
  const neighbours = await prepareNeighbours(field);
  const peers = [...bombs, ...idle, ...others].map(({ server }) => server.origin);
  await field.start([generator.origin, ...peers, ...neighbours.origins]);
  const { pid } = field.node;

  const followed: Followed[] = [];
  const memory = await growthDuring(pid, async () => {
    const following = { limitMs: LIMIT_MS, atOneTime: BOMBS_AT_ONE_TIME, mayWait };
    followed.push(...(await follow(field, bombs, following)));
  });
  const [waited, met, healthy, generations, attacked, roundTrips] = await Promise.all([
    follow(field, idle, { limitMs: LIMIT_MS, atOneTime: idle.length, mayWait }),
    follow(field, others, { limitMs: LIMIT_MS, atOneTime: options.atOneTime, mayWait }),
    runHealthy(field, options.healthy),
    callGenerations(field, called),
    neighbours.attack(),
    compareRoundTrips(field, options.roundTrips, seed),
  ]);
  followed.push(...waited, ...met);
  const results = { healthy, generations, neighbours: attacked, roundTrips };
  const failures = [
    ...followed.flatMap((trial) => judge(field, trial)),
    ...Object.values(results).flatMap(({ failures }) => failures),
    ...(await faultsOfNode(field, pid)),
    ...leaks(field, followed),
    ...(trap.connections > 0 ? [`A redirect was followed ${trap.connections} times.`] : []),
    ...(memory && memory.peakBytes - memory.residentBytes > GROWTH_LIMIT_BYTES
      ? [`The node grew from ${memory.residentBytes} to ${memory.peakBytes} bytes while bombs went off.`]
      : []),
  ].map((failure) => `JOB_SHARDS=${options.jobShards}: ${failure}`);
  return { jobShards: options.jobShards, followed, memory, bombs: bombs.length, ...results, failures };
}

interface Trials {
  readonly bombs: Trial[];
  /** Which wait for most of their time. */
  readonly idle: Trial[];
  readonly others: Trial[];
}

async function prepareTrials(
  field: Field,
  answers: readonly BadAnswer[],
  { slow, stubborn, mayWait }: PeersOptions,
): Promise<Trials> {
  const [bombs, idle, others]: [Trial[], Trial[], Trial[]] = [[], [], []];
  for (const answer of answers.filter(stubborn))
    idle.push(await prepare(field, answer, "provider", { isStubborn: true }));
  for (const answer of answers.filter((answer) => !answer.isSlow || slow(answer))) {
    const isIdle = answer.isSlow || (mayWait && answer.provider?.kind === "at the deadline");
    const trials = answer.isBomb ? bombs : isIdle ? idle : others;
    if (answer.provider) trials.push(await prepare(field, answer, "provider"));
    if (answer.receiver) trials.push(await prepare(field, answer, "receiver"));
  }
  return { bombs, idle, others };
}

/** The process is the one that was started, and answers. */
async function faultsOfNode(field: Field, pid: number): Promise<string[]> {
  const health = await healthOf(field.node.origin);
  return field.node.pid === pid && health?.status === 200
    ? []
    : [`The node is not healthy: ${health?.status}.`];
}

/** Keys are said to their provider, and to nobody else. */
function leaks(field: Field, trials: readonly Trial[]): string[] {
  const places: readonly (readonly [string, string])[] = [
    ["The log", field.log],
    ...field.receiver.deliveries().map(({ path, body }) => [`The event to ${path}`, body] as const),
    ...trials.flatMap(({ role, server, answer }) =>
      role === "receiver"
        ? server.requests.map(({ body }) => [`The event to ${answer.name}`, body] as const)
        : [],
    ),
  ];
  const found = places.flatMap(([place, text]) =>
    KEYS.some((key) => text.includes(key)) ? [`${place} holds a provider key.`] : [],
  );
  return [...field.spills, ...found];
}
