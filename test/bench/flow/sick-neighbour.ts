/**
 * How long a healthy receiver's events take from the outcome to their delivery, alone or beside as many for another
 * receiver, which hangs or, to tell what the mere number of jobs costs, is as healthy. Requests are ready in the provider from the start; etas spread the outcomes evenly, so that what is
 * measured is the delivery and not a queue of polls.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Setting } from "../../e2e/setting.ts";
import { type Delivery, type Receiver, startReceiver } from "../../simulator/receiver.ts";
import { aim, flowOf, type ListedJob, listAll, type Naming, registerAll } from "./caller.ts";
import { countBy, cpuSeconds, machineTime, type Percentiles, percentiles } from "./figures.ts";

export type Neighbour = "none" | "hanging" | "healthy";

export interface NeighbourOptions {
  /** For each of the receivers. */
  readonly jobs: number;
  /** The outcomes of each receiver's jobs are spread over so long. */
  readonly overMs: number;
  readonly neighbour: Neighbour;
  readonly naming: Naming;
}

export interface NeighbourResult {
  /** ms, by the jobs' own `finished_at` and `delivered_at`. */
  readonly finishedToDelivered: Percentiles;
  /** ms, from `finished_at` to the receiver's clock. */
  readonly finishedToArrival: Percentiles;
  /** Of the measured jobs, which go to the healthy receiver. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly neighbour: NeighbourSeen | null;
  /** Of one core, while outcomes came in; `null` where it cannot be told. */
  readonly workerBusy: number | null;
  /** Of all cores, by whatever program, in the same time: much more than the Worker's share means a disturbed run. */
  readonly machineBusy: number;
}

/** The other receiver, and its jobs. */
export interface NeighbourSeen {
  readonly posts: number;
  readonly maxInFlight: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Why deliveries do not go out; empty where there is no flow control. */
  readonly parked: Readonly<Record<string, number>>;
  readonly flow: Readonly<Record<string, unknown>> | null;
}

/** Left for registering before the first eta: twice what it takes on two cores. */
const REGISTERING_MS_PER_JOB = 15;
const LEAST_REGISTERING_MS = 3_000;
/** From the last eta until all of the measured events are there, and the index has heard of it. */
const SETTLE_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 500;
const FIRST_ID = { measured: 1_000_000, neighbour: 2_000_000 };

/** One run, with a Worker and storage of its own. */
export async function measureNeighbour(options: NeighbourOptions): Promise<NeighbourResult> {
  const setting = await Setting.create();
  const other = await startReceiver();
  try {
    if (options.neighbour === "hanging") other.serve({ kind: "hang" });
    await setting.start();
    return await measure(options, setting, other);
  } finally {
    await setting.tearDown();
    await other.close();
  }
}

async function measure(
  { jobs, overMs, neighbour, naming }: NeighbourOptions,
  setting: Setting,
  other: Receiver,
): Promise<NeighbourResult> {
  const kinds = neighbour === "none" ? (["measured"] as const) : (["measured", "neighbour"] as const);
  const targets = {
    measured: await aim(setting, setting.receiver, "measured", naming),
    neighbour: await aim(setting, other, "neighbour", naming),
  };
  const total = jobs * kinds.length;
  const firstAt = Date.now() + Math.max(LEAST_REGISTERING_MS, total * REGISTERING_MS_PER_JOB);
  const kindOf = (index: number) => kinds[index % kinds.length] ?? "measured";
  const ids = await registerAll(setting, total, (index) => {
    const kind = kindOf(index);
    const nth = Math.floor(index / kinds.length);
    const id = FIRST_ID[kind] + nth;
    setting.provider.add({ endpoint: "v3", id });
    const eta = (firstAt + (index / total) * overMs - Date.now()) / 1000;
    return { endpoint: "v3", request_id: id, eta: Math.max(eta, 0), ...targets[kind] };
  });
  if (Date.now() > firstAt) throw new Error("Registering took longer than was left for it: take fewer jobs.");

  await sleep(firstAt - Date.now());
  const pids = setting.worker.workerdPids();
  const before = { worker: cpuSeconds(pids), ...machineTime() };
  await sleep(overMs);
  const after = { worker: cpuSeconds(pids), ...machineTime() };
  const measuredIds = new Set(ids.filter((_, index) => kindOf(index) === "measured"));
  const all = await settled(setting, measuredIds);
  const measured = all.filter(({ id }) => measuredIds.has(id));
  const others = all.filter(({ id }) => !measuredIds.has(id));
  return {
    finishedToDelivered: percentiles(measured.flatMap(deliveryMs)),
    finishedToArrival: percentiles(arrivalsMs(setting.receiver.deliveries())),
    statuses: countBy(measured, ({ status }) => status),
    neighbour: neighbour === "none" ? null : await seenOf(setting, other, others),
    workerBusy:
      before.worker === null || after.worker === null
        ? null
        : ((after.worker - before.worker) * 1000) / overMs,
    machineBusy: (after.busyMs - before.busyMs) / Math.max(1, after.totalMs - before.totalMs),
  };
}

/** All jobs, once the measured ones are delivered and the index knows; as they are when the time is up. */
async function settled(setting: Setting, measuredIds: ReadonlySet<string>): Promise<ListedJob[]> {
  const limit = Date.now() + SETTLE_LIMIT_MS;
  while (setting.receiver.deliveries().length < measuredIds.size && Date.now() < limit)
    await sleep(LOOK_EVERY_MS);
  for (;;) {
    const all = await listAll(setting);
    const known = all.filter(({ id, delivered_at }) => measuredIds.has(id) && delivered_at !== null);
    if (known.length === measuredIds.size || Date.now() > limit) return all;
    await sleep(LOOK_EVERY_MS);
  }
}

async function seenOf(setting: Setting, other: Receiver, jobs: readonly ListedJob[]): Promise<NeighbourSeen> {
  return {
    posts: other.deliveries().length,
    maxInFlight: other.inFlight().max,
    statuses: countBy(jobs, ({ status }) => status),
    parked: countBy(
      jobs.filter(({ parked }) => typeof parked === "string"),
      ({ parked }) => parked ?? "",
    ),
    flow: await flowOf(setting, "neighbour"),
  };
}

const deliveryMs = ({ finished_at, delivered_at }: ListedJob): number[] =>
  finished_at === null || delivered_at === null ? [] : [Date.parse(delivered_at) - Date.parse(finished_at)];

/** Of every event that was accepted. */
function arrivalsMs(deliveries: readonly Delivery[]): number[] {
  const seen = new Map<string, number>();
  for (const { at, body, status } of deliveries) {
    if (status !== 204) continue;
    const { data } = JSON.parse(body) as { data: { job_id: string; finished_at: string } };
    if (!seen.has(data.job_id)) seen.set(data.job_id, at - Date.parse(data.finished_at));
  }
  return [...seen.values()];
}
