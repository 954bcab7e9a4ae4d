/**
 * The part of `results.md` on throughput: what was measured, as tables, and the ratios beside what they should be.
 */
import { ROOT } from "../../demo/worker-process.ts";
import type { Section } from "../../report/section.ts";
import { throughputPlots } from "./plots.ts";
import {
  CONNECTIONS,
  RATIO_CONNECTIONS,
  runThroughput,
  type SubjectResult,
  type ThroughputOptions,
  type ThroughputResult,
} from "./run.ts";
import { availableSubjects, type SubjectName } from "./subjects.ts";

/** With all subjects that can run here about 6 minutes on two cores: `npm run bench` is to stay below 10. */
export const FULL = { jobs: 2_000, waiting: 10_000, rounds: 1 } as const;

/** Runs the bench. The numbers stand beside the section, for charts. */
export async function throughputSection(
  options: Partial<ThroughputOptions> = {},
): Promise<Section & { readonly result: ThroughputResult }> {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const result = await runThroughput({
    ...{ subjects: availableSubjects(), ...FULL, root: ROOT, say },
    ...options,
  });
  const plots = throughputPlots(result.subjects);
  const images = plots.map(({ name, alt }) => `![${alt}](plots/${name}.svg)`);
  const body = [throughputBody(result), ...images].join("\n\n");
  return { title: "Throughput and latency", body, plots, result };
}

/** Pure. */
export function throughputBody({ subjects, fsyncMs }: ThroughputResult): string {
  return [
    `Every subject takes the same registration over HTTP on kept connections, polls the same bare provider, which answers \`success\` at once, and calls the same receiver; caller, provider and receiver run in processes of their own on the same machine. Subjects take turns, each on an empty disk; of the rounds the medians. Every job arrived exactly once, and a sample of the signatures was verified. An fsync of 4 KiB took ${ms(fsyncMs.p50)} ms (p99 ${ms(fsyncMs.p99)}) on this disk. Only ratios within one run compare.`,
    `Registrations of jobs that wait, over so many connections: a second, ms from the request to the answer, and the subject's processor time, in ms of one at ${RATIO_CONNECTIONS}.`,
    markdown([
      ["", ...CONNECTIONS.flatMap((n) => [`${n}: a second`, "p50 / p99 ms"]), "CPU ms"],
      ...subjects.map(({ label, registering }) => [
        label,
        ...registering.flatMap(({ perSecond, latencyMs }) => [
          round(perSecond),
          `${ms(latencyMs.p50)} / ${ms(latencyMs.p99)}`,
        ]),
        cpu(registering[CONNECTIONS.indexOf(RATIO_CONNECTIONS)]?.cpuMs),
      ]),
    ]),
    "Whole life, registered over 32 connections with etas spread over 0 to 2 s: jobs a second from the first registration to the last callback; lag from the moment that a registration was sent, plus its eta, to the callback. Pollhook polls when its schedule, which learns, finds that it pays, and at least 1 s ahead: that wait is in its lag, not in the time from the poll to the callback.",
    markdown([
      ["", "jobs", "jobs / s", "lag p50 / p99 ms", "poll to callback p50 / p99 ms", "polls", "CPU ms a job"],
      ...subjects.map(({ label, life }) => [
        label,
        round(life.jobs),
        round(life.perSecond),
        `${round(life.lagMs.p50)} / ${round(life.lagMs.p99)}`,
        `${round(life.afterPollMs.p50)} / ${round(life.afterPollMs.p99)}`,
        life.polls.toFixed(2),
        cpu(life.cpuMs),
      ]),
    ]),
    "A job that waits, by the resident memory and the disk blocks before and after so many were registered.",
    markdown([
      ["", "jobs", "memory KB", "disk KB"],
      ...subjects.map(({ label, waiting }) => [
        label,
        round(waiting.jobs),
        waiting.memoryBytes === null ? "?" : round(waiting.memoryBytes / 1000),
        (waiting.diskBytes / 1000).toFixed(1),
      ]),
    ]),
    ...related(subjects),
  ].join("\n\n");
}

interface Bar {
  readonly of: SubjectName;
  readonly to: SubjectName;
  readonly what: string;
  readonly read: (subject: SubjectResult) => number | null;
  readonly bar: string;
}

const registering = ({ registering }: SubjectResult): number | null =>
  registering[CONNECTIONS.indexOf(RATIO_CONNECTIONS)]?.perSecond ?? null;
const life = ({ life }: SubjectResult): number => life.perSecond;
const memory = ({ waiting }: SubjectResult): number | null => waiting.memoryBytes;
const disk = ({ waiting }: SubjectResult): number => waiting.diskBytes;

const REGISTERING = `registration, ${RATIO_CONNECTIONS} connections`;
const BARS: readonly Bar[] = [
  { of: "single", to: "floor", what: REGISTERING, read: registering, bar: "at least 0.8" },
  { of: "single", to: "workflow", what: "whole life", read: life, bar: "at least 2" },
  { of: "dev", to: "workflow", what: "whole life", read: life, bar: "" },
  { of: "sharded", to: "floor", what: REGISTERING, read: registering, bar: "at least 8" },
  { of: "sharded", to: "floor", what: "whole life", read: life, bar: "at least 5" },
  { of: "sharded", to: "floor", what: "memory of a waiting job", read: memory, bar: "under 0.143" },
  { of: "sharded", to: "floor", what: "disk of a waiting job", read: disk, bar: "under 0.143" },
  { of: "sharded", to: "bullmq", what: "whole life", read: life, bar: "more than 1" },
];

/** Ratios of which both sides were measured, as a table, and what can be reached of them; none without. */
function related(subjects: readonly SubjectResult[]): string[] {
  const rows = BARS.flatMap(({ of, to, what, read, bar }) => {
    const [one, other] = [of, to].map((name) => subjects.find((subject) => subject.name === name));
    const [above, below] = [one && read(one), other && read(other)];
    if (!one || !other || above == null || !below) return [];
    const bare = of === "sharded" ? subjects.find(({ name }) => name === "shared-floor") : undefined;
    const reached = bare && read(bare);
    const ratio = (above / below).toFixed(2);
    return [
      [
        `${one.label} to ${other.label}: ${what}`,
        ratio,
        bar,
        reached == null ? "" : (reached / below).toFixed(2),
      ],
    ];
  });
  return rows.length === 0
    ? []
    : [
        "Ratios beside what they should be, and those of Pollhook in shared objects beside the same of the bare Worker that shares objects as it does: one `put` a job, what comes in one millisecond committed together, and nothing else.",
        markdown([["ratio", "", "should be", "bare, shared"], ...rows]),
      ];
}

const round = (value: number): string => Math.round(value).toString();

/** Short times with a decimal. */
const ms = (value: number): string => (value < 10 ? value.toFixed(1) : round(value));

const cpu = (value: number | null | undefined): string => value?.toFixed(1) ?? "?";

/** Numbers stand to the right. */
function markdown(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const rule = head.map((_, column) => (column === 0 ? "---" : "--:"));
  return [head, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
