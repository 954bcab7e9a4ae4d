/**
 * The part of results.md on load: a table of its steps, what memory and latency do over time, and where it bends.
 */
import type { Percentiles } from "../../bench/flow/figures.ts";
import { markdownTable } from "../../report/markdown.ts";
import type { Section } from "../../report/section.ts";
import { bendOf, failuresOf, type Memory, memoryOf, shortageOf } from "./judge.ts";
import { isUnfaulted, LARGE_BYTES, type Mix, planOf } from "./plan.ts";
import { loadPlots } from "./plots.ts";
import { FULL, type LoadOptions, type LoadResult, runLoad } from "./run.ts";
import type { Step } from "./step.ts";

/** Another placement, or a shorter run, by the environment: the command has no options of its own. */
const fromEnvironment = (): Partial<LoadOptions> => {
  const { LOAD_SHARDS, LOAD_SECONDS, LOAD_RATE, LOAD_RAMP_SECONDS } = process.env;
  return {
    ...(LOAD_SHARDS !== undefined && { shards: LOAD_SHARDS }),
    ...(LOAD_RATE !== undefined && { perSecond: Number(LOAD_RATE) }),
    ...(LOAD_RAMP_SECONDS !== undefined && { rampSeconds: Number(LOAD_RAMP_SECONDS) }),
    ...(LOAD_SECONDS !== undefined && scaledTo(Number(LOAD_SECONDS))),
  };
};

/** What has to do with how long it is, as a share of it. */
const scaledTo = (seconds: number): Partial<LoadOptions> => ({
  seconds,
  warmUpSeconds: (seconds * FULL.warmUpSeconds) / FULL.seconds,
  retentionSeconds: Math.max(LEAST_RETENTION_SECONDS, (seconds * FULL.retentionSeconds) / FULL.seconds),
});

/** Jobs are read within it. */
const LEAST_RETENTION_SECONDS = 20;

export async function loadSection(options: Partial<LoadOptions> = {}): Promise<Section> {
  const say = (text: string) => process.stderr.write(`  ${text}\n`);
  const result = await runLoad({ ...FULL, ...fromEnvironment(), say, ...options });
  return sectionOf(result);
}

/** Pure. */
export function sectionOf(result: LoadResult): Section {
  const { steady, ramp, totals, verified, errors, options } = result;
  const memory = memoryOf(steady.samples, options.warmUpSeconds, steady.perSecond);
  const plots = loadPlots(result);
  const body = [
    intro(options, verified),
    markdownTable([
      [
        "registrations a second",
        "s",
        "jobs",
        "registered",
        "refused",
        "events",
        "lost",
        "again",
        "more attempts",
      ],
      ...stepsOf(result).map(countsOf),
    ]),
    `\`again\`: events that came once more after they had been accepted. \`more attempts\`: beyond those that the receiver's faults make necessary. Over all steps Pollhook's own statistics have ${totals.said.registered} jobs registered and ${totals.said.delivered} delivered; the caller has ${totals.expected.registered} and ${totals.expected.delivered}. ${reads(stepsOf(result))}`,
    "From the moment that a registration was due, not sent, to its answer; lag from the moment that the provider was done to the first POST, of jobs without faults, the waits between two polls included; to the accepted POST from the poll that saw the end, of all. ms.",
    markdownTable([
      [
        "a second",
        "registered p50 / p99 / max",
        "lag p50 / p99",
        "delivered p50 / p99",
        "caller late p99",
        "drained after s",
      ],
      ...stepsOf(result).map(timesOf),
    ]),
    memoryText(memory, result),
    `![${plots[0]?.alt}](plots/${plots[0]?.name}.svg)`,
    markdownTable([["s", "registered p50 / p99 / max, ms", "lag p50 / p99, ms"], ...slicesOf(steady)]),
    `![${plots[1]?.alt}](plots/${plots[1]?.name}.svg)`,
    ...(ramp.length > 0 ? [bendText(result), `![${plots[2]?.alt}](plots/${plots[2]?.name}.svg)`] : []),
    `Error lines in the log: ${Object.keys(errors).length === 0 ? "none" : said(errors)}.`,
  ].join("\n\n");
  return { title: "Load", body, plots, failures: failures(result, memory) };
}

const stepsOf = ({ steady, ramp, recovered }: LoadResult): readonly Step[] => [
  steady,
  ...ramp,
  ...(recovered ? [recovered] : []),
];

function failures({ steady, ramp, recovered, totals, options }: LoadResult, memory: Memory): string[] {
  const { said, expected, isRight } = totals;
  return [
    ...failuresOf(steady),
    ...ramp.flatMap((step) => failuresOf(step, { isOverload: true })),
    ...(recovered ? failuresOf(recovered) : []),
    ...(recovered && bendOf(recovered) ? [`after the bend: ${bendOf(recovered)}`] : []),
    ...(isRight
      ? []
      : [
          `Pollhook counts ${said.registered} registered, ${said.delivered} delivered; the caller ${expected.registered}, ${expected.delivered}`,
        ]),
    ...(memory.hasGrown
      ? [
          `memory grew from ${mega(memory.beforeBytes)} to ${mega(memory.afterBytes)} after ${options.warmUpSeconds} s`,
        ]
      : []),
  ];
}

function intro({ shards, mix, retentionSeconds }: LoadOptions, verified: number): string {
  const { provider, receiver } = mix;
  return `Pollhook on plain workerd, \`JOB_SHARDS=${shards}\`, its storage on disk; caller, and provider and receiver, in processes of their own on the same machine. A registration is sent when it is due, whether or not those before it were answered. Each job's faults follow from a seed: of the provider, for the first polls, 500 (${share(provider.error)}), 429 with \`retry_after\` (${share(provider.rate_limited)}), 2 s of silence (${share(provider.slow)}), a reset (${share(provider.reset)}), HTML (${share(provider.not_json)}); of the receiver, for the first POST, 500 (${share(receiver.error)}), 2.5 s of silence (${share(receiver.slow)}), a reset (${share(receiver.reset)}), 503 with \`Retry-After\` (${share(receiver.retry_after)}), no answer at all (${share(receiver.hang)}). ${share(mix.late)} take several times as long as their eta says, ${share(mix.failed)} fail, ${share(mix.large)} have an answer of ${LARGE_BYTES / 1024} KB, ${share(mix.silent)} have no callback, ${share(mix.batched)} are registered ten at a time; ${share(unfaulted(mix))} meet no fault. Events go to destinations with a short \`retry_schedule\`; ended jobs are kept for ${retentionSeconds} s, so that purging them is a part of the load. Every event is compared with its job and with those before it; of ${verified} the signature was verified.`;
}

const UNFAULTED_OF = 10_000;
const unfaulted = (mix: Mix): number =>
  Array.from({ length: UNFAULTED_OF }, (_, id) => isUnfaulted(planOf(id, mix))).filter((is) => is).length /
  UNFAULTED_OF;

const countsOf = (step: Step): (string | number)[] => [
  step.perSecond,
  step.seconds,
  step.jobs,
  step.accepted,
  Object.keys(step.refused).length === 0 ? 0 : said(step.refused),
  step.delivered,
  step.lost.length,
  step.findings.again,
  step.repeats.more,
];

const timesOf = (step: Step): (string | number)[] => [
  step.perSecond,
  three(step.latencyMs),
  two(step.lagMs),
  two(step.deliveryMs),
  round(step.lateMs.p99),
  (step.drainMs / 1000).toFixed(0),
];

const reads = (steps: readonly Step[]): string => {
  const jobs = steps.reduce((sum, step) => sum + step.reads.jobs, 0);
  return `${jobs} jobs, all of those without a callback among them, were read until they were over, each by its id.`;
};

function memoryText(memory: Memory, { steady, options }: LoadResult): string {
  const { beforeBytes, afterBytes, bytesPerMinute, peakBytes, hasGrown } = memory;
  const verdict =
    hasGrown === null ? "too short to tell whether it grows" : hasGrown ? "it grows" : "it does not grow";
  return `Resident memory of workerd while ${steady.perSecond} a second come, after a warm-up of ${options.warmUpSeconds} s: median of the first quarter ${mega(beforeBytes)}, of the last ${mega(afterBytes)}, ${mega(bytesPerMinute)} a minute along the line through all of it, ${mega(peakBytes)} at most; ${verdict}. By the time at which jobs were due:`;
}

function slicesOf({ slices }: Step): (string | number)[][] {
  return slices.map(({ at, latencyMs, lagMs }) => [round(at), three(latencyMs), two(lagMs)]);
}

function bendText({ steady, ramp, recovered }: LoadResult): string {
  const steps = [steady, ...ramp];
  const last = steps.at(-1) ?? steady;
  const bent = steps.find((step) => bendOf(step) !== null);
  const where = bent
    ? `It bends at ${bent.perSecond} a second: ${bendOf(bent)}. ${shortageOf(bent.use)}`
    : `It does not bend up to ${last.perSecond} a second. ${shortageOf(last.use)}`;
  const after = recovered
    ? ` Behind that, ${recovered.perSecond} a second are registered with a p99 of ${round(recovered.latencyMs.p99)} ms again.`
    : "";
  return where + after;
}

const said = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} × ${name}`)
    .join(", ");

const round = (value: number): string => Math.round(value).toString();
const two = ({ p50, p99 }: Percentiles): string => `${round(p50)} / ${round(p99)}`;
const three = ({ p50, p99, max }: Percentiles): string => `${round(p50)} / ${round(p99)} / ${round(max)}`;
const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const share = (of: number): string => `${Number((of * 100).toFixed(1))} %`;
