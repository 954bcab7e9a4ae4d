/**
 * Whether a step held what is promised, whether memory has stopped growing, and where and why the load bends. Pure.
 */
import { FINDINGS } from "./ledger.ts";
import type { Step } from "./step.ts";
import type { Sample, Use } from "./watch.ts";

/** What holds at any rate: a refusal that says so, and of what was accepted nothing lost, changed or forged. */
export function failuresOf(step: Step, { isOverload = false } = {}): string[] {
  const { perSecond, lost, findings, refused, reads } = step;
  const failures = [...reads.wrong];
  if (lost.length > 0)
    failures.push(`${lost.length} events were lost, of the requests ${lost.slice(0, 5).join(", ")} …`);
  for (const finding of FINDINGS) {
    // Whose answer is not read in time sends its event again.
    if (finding === "again" && isOverload) continue;
    if (findings[finding] > 0) failures.push(`${findings[finding]} events were ${SAYS[finding]}`);
  }
  for (const [status, count] of Object.entries(refused))
    if (!isOverload || status !== "503")
      failures.push(`${count} registrations were answered ${status === "0" ? "not at all" : status}`);
  return failures.map((failure) => `${perSecond} a second: ${failure}`);
}

const SAYS = {
  strange: "of no job",
  uncalled: "of jobs without a callback",
  changed: "another version than the one before",
  wrong: "not what the job's event should be",
  forged: "not signed as they should be",
  again: "sent again though they had been accepted",
} as const satisfies Record<(typeof FINDINGS)[number], string>;

/** Medians of equal parts of the time behind the warm-up. */
export interface Memory {
  readonly beforeBytes: number;
  readonly afterBytes: number;
  /** Of the line that fits best, by the median of all slopes between two samples. */
  readonly bytesPerMinute: number;
  readonly peakBytes: number;
  /** `null` where the warm-up was too short to tell: until then it grows anyway. */
  readonly hasGrown: boolean | null;
}

/**
 * Memory after a warm-up: the first and the last quarter of what follows it. It has grown where the last is above the
 * first by more than garbage that is not collected yet makes it differ, and the line through all samples says so too.
 * What fills and has a bound, the heap and the caches of SQLite, is full after some thousand jobs.
 */
export function memoryOf(samples: readonly Sample[], warmUpSeconds: number, perSecond: number): Memory {
  const [first] = samples;
  const settled = samples.filter(({ at }) => at >= (first?.at ?? 0) + warmUpSeconds * 1000);
  const quarter = Math.max(1, Math.floor(settled.length / 4));
  const [before, after] = [settled.slice(0, quarter), settled.slice(-quarter)].map((part) =>
    median(part.map(({ bytes }) => bytes)),
  );
  const [beforeBytes, afterBytes] = [before ?? 0, after ?? 0];
  const bytesPerMinute = slopeOf(thinned(settled)) * 60_000;
  const minutes = ((settled.at(-1)?.at ?? 0) - (settled[0]?.at ?? 0)) / 60_000;
  const most = Math.max(LEAST_GROWTH_BYTES, beforeBytes * GROWTH_SHARE);
  return {
    beforeBytes,
    afterBytes,
    bytesPerMinute,
    peakBytes: Math.max(0, ...samples.map(({ bytes }) => bytes)),
    hasGrown:
      warmUpSeconds * perSecond < WARM_UP_JOBS
        ? null
        : afterBytes - beforeBytes > most && bytesPerMinute * minutes > most,
  };
}

const WARM_UP_JOBS = 10_000;

const GROWTH_SHARE = 0.1;
const LEAST_GROWTH_BYTES = 16 * 1024 * 1024;
/** All pairs of so many samples. */
const MOST_SAMPLES = 300;

const thinned = <Item>(items: readonly Item[]): Item[] => {
  const every = Math.ceil(items.length / MOST_SAMPLES);
  return items.filter((_, i) => i % every === 0);
};

/** Theil and Sen's: no single jump tilts it. Bytes a ms. */
function slopeOf(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((one, i) =>
    samples
      .slice(i + 1)
      .flatMap((other) => (other.at > one.at ? [(other.bytes - one.bytes) / (other.at - one.at)] : [])),
  );
  return median(slopes);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/** Where a step has bent, in words; `null` where it has not. */
export function bendOf({ latencyMs, jobs, behind, refused }: Step): string | null {
  const faults = [
    latencyMs.p99 > BENT_LATENCY_MS && `the p99 of a registration is ${(latencyMs.p99 / 1000).toFixed(1)} s`,
    behind > jobs * BEHIND_SHARE && `${behind} events were overdue when the last registration was sent`,
    Object.keys(refused).length > 0 && "registrations are refused",
  ].filter((fault) => fault !== false);
  return faults.length === 0 ? null : faults.join(", and ");
}

const BENT_LATENCY_MS = 1_000;
const BEHIND_SHARE = 0.01;
/** Of the time: from here on a thread, or all cores, have nothing left to give. */
const FULL = 0.85;

/** What it is short of, by how workerd's busiest thread and the cores spend their time. */
export function shortageOf({ running, queued, machine, cpu }: Use): string {
  const blocked = Math.max(0, 1 - running - queued);
  const thread = `workerd's busiest thread, which runs all of its JavaScript and SQLite, is on a core ${percent(running)} of the time, waits for one ${percent(queued)}, and for the disk, the network or nothing ${percent(blocked)}`;
  const rest = `the cores are busy ${percent(machine)} (${Object.entries(cpu)
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(", ")}, of one)`;
  const what =
    running >= FULL
      ? "One thread is full"
      : running + queued >= FULL
        ? "The cores are full: the thread would run, and others are on them"
        : "Neither the thread nor the cores are full: it waits for the disk";
  return `${what}: ${thread}; ${rest}.`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
