/**
 * `npm run bench:flow`: what flow control is worth, on the real Worker with its storage on disk. Prints figures beside
 * what they should be; fails only when a job is lost, never for being slow.
 */
import { parseArgs } from "node:util";
import { runCommand } from "../demo/worker-process.ts";
import { Setting } from "../e2e/setting.ts";
import type { Naming } from "./flow/caller.ts";
import { percent, table } from "./flow/figures.ts";
import { type LimitedKeyOptions, measureLimitedKey } from "./flow/limited-key.ts";
import { measureNeighbour, type Neighbour, type NeighbourSeen } from "./flow/sick-neighbour.ts";

const USAGE = `Usage: npm run bench:flow -- [sick-neighbour] [limited-key] [options]

Both unless one is named. On two cores that do nothing else: about 9 and 5 minutes.

sick-neighbour: a healthy receiver's events, alone and beside as many for one that hangs
  --jobs <n>          for each receiver (default: 2500)
  --seconds <n>       over which their outcomes are spread (default: 250)
  --control           a third kind of run, beside as many for a second healthy one: what the number of jobs costs
  --runs <n>          of each kind, alternating; the ratio is of the median p99s (default: 1)
limited-key: many jobs on one provider key
  --jobs <n>          (default: 1000)
  --per-second <n>    fetches that the provider answers (default: 5)
  --limit-seconds <n> when to give up (default: 900)

  --callback-url      register with callback_url instead of named destinations
  --help              this text
`;

const DEFAULT_JOBS = { neighbour: 2500, limited: 1000 };
const LIMITED = { retryAfterSeconds: 1, etasOverMs: 5_000, readyOverMs: 20_000 };
const PARTS = ["sick-neighbour", "limited-key"];

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Throws an error fit to be shown unless it is a whole number from 1 up. */
function positive(flag: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${flag} must be a whole number, 1 or more.\n\n${USAGE}`);
  return Number(text);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      jobs: { type: "string" },
      seconds: { type: "string", default: "250" },
      control: { type: "boolean", default: false },
      runs: { type: "string", default: "1" },
      "per-second": { type: "string", default: "5" },
      "limit-seconds": { type: "string", default: "900" },
      "callback-url": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`There is no ${unknown}.\n\n${USAGE}`);
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const wants = (part: string) => positionals.length === 0 || positionals.includes(part);
  const jobs = values.jobs === undefined ? undefined : positive("--jobs", values.jobs);
  const naming: Naming = values["callback-url"] ? "callback_url" : "destination";
  let lost = 0;
  if (wants("sick-neighbour")) {
    const overMs = positive("--seconds", values.seconds) * 1000;
    const kinds: Neighbour[] = ["none", ...(values.control ? (["healthy"] as const) : []), "hanging"];
    const runs = Array.from({ length: positive("--runs", values.runs) }, () => kinds).flat();
    lost += await sickNeighbour({ jobs: jobs ?? DEFAULT_JOBS.neighbour, overMs, naming }, runs);
  }
  if (wants("limited-key")) {
    const perSecond = positive("--per-second", values["per-second"]);
    const limitMs = positive("--limit-seconds", values["limit-seconds"]) * 1000;
    lost += await limitedKey({ ...LIMITED, jobs: jobs ?? DEFAULT_JOBS.limited, perSecond, limitMs, naming });
  }
  return lost > 0 ? 1 : 0;
}

/** Measures every kind in the order given. Returns how many of the measured jobs were not delivered. */
async function sickNeighbour(
  options: { readonly jobs: number; readonly overMs: number; readonly naming: Naming },
  runs: readonly Neighbour[],
): Promise<number> {
  const { jobs, overMs } = options;
  say(`${jobs} jobs for a healthy receiver over ${overMs / 1000} s, alone and beside as many for another`);
  const rows: (string | number)[][] = [
    [
      "neighbour",
      "ms to delivered: p50",
      "p99",
      "max",
      "to arrival: p50",
      "p99",
      "max",
      "jobs",
      "worker busy",
      "machine busy",
    ],
  ];
  const p99s: Record<Neighbour, number[]> = { none: [], healthy: [], hanging: [] };
  const hanging: NeighbourSeen[] = [];
  let lost = 0;
  for (const neighbour of runs) {
    const measured = await measureNeighbour({ ...options, neighbour });
    const { finishedToDelivered: delivered, finishedToArrival: arrived, workerBusy, machineBusy } = measured;
    p99s[neighbour].push(delivered.p99);
    lost += jobs - delivered.count;
    if (neighbour === "hanging" && measured.neighbour) hanging.push(measured.neighbour);
    rows.push([
      neighbour,
      ...[delivered.p50, delivered.p99, delivered.max, arrived.p50, arrived.p99, arrived.max],
      delivered.count,
      workerBusy === null ? "?" : percent(workerBusy),
      percent(machineBusy),
    ]);
  }
  say(table(rows));
  const ratio = (kind: Neighbour) => (median(p99s[kind]) / median(p99s.none)).toFixed(2);
  if (p99s.healthy.length > 0) say(`p99 beside a healthy one / alone: ${ratio("healthy")}`);
  say(`p99 beside the hanging one / alone: ${ratio("hanging")}, should be at most 2`);
  for (const { posts, maxInFlight, statuses, parked, flow } of hanging) {
    say(`the hanging one: ${posts} POSTs, ${maxInFlight} in flight at most, should be at most 10`);
    say(`  its jobs: ${JSON.stringify(statuses)}, parked: ${JSON.stringify(parked)}`);
    say(`  its flow: ${JSON.stringify(flow)}`);
  }
  say("");
  return lost;
}

/** Returns how many jobs have not ended. */
async function limitedKey(options: LimitedKeyOptions): Promise<number> {
  const { jobs, perSecond } = options;
  say(`${jobs} jobs on a provider key that is limited to ${perSecond} fetches a second`);
  const setting = await Setting.create();
  try {
    await setting.start();
    const { ended, succeeded, tookMs, polls, refused, late, servedPerSecond, pollsOfOne } =
      await measureLimitedKey(setting, options);
    say(
      table([
        ["", "", "should be"],
        ["jobs that ended", ended, jobs],
        ["of them succeeded", succeeded, jobs],
        ["seconds until all had", (tookMs / 1000).toFixed(1), `${jobs / perSecond} or more`],
        ["polls", polls, ""],
        ["of them answered 429", refused, ""],
        ["polls from 10 s after the first 429 on", late.polls, ""],
        ["of them answered 429", late.refused, ""],
        ["their share", percent(late.share), "under 5 %"],
        ["polls served a second", servedPerSecond.toFixed(2), `up to ${perSecond}`],
        ["polls of one job: mean", pollsOfOne.mean.toFixed(1), ""],
        ["most", pollsOfOne.most, ""],
      ]),
    );
    return jobs - ended;
  } finally {
    await setting.tearDown();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

await runCommand(main);
