/**
 * The load's plots: memory and latency while it is held, and latency against the rate while it is doubled. Pure.
 */
import { lineChart } from "../../bench/svg.ts";
import type { Plot } from "../../report/section.ts";
import { median } from "./judge.ts";
import type { LoadResult } from "./run.ts";
import type { Sample } from "./watch.ts";

const MOST_POINTS = 120;
const MEGA = 1e6;
/** Logarithms have no place for zero. */
const LEAST_MS = 1;

export function loadPlots(result: LoadResult): Plot[] {
  return [memoryPlot(result), latencyPlot(result), ...(result.ramp.length > 0 ? [rampPlot(result)] : [])];
}

function memoryPlot({ steady, options }: LoadResult): Plot {
  const title = `Resident memory of workerd, ${steady.perSecond} registrations a second`;
  const points = bySeconds(steady.samples).map(([at, bytes]) => [at, bytes / MEGA] as const);
  const [first, last] = [points[0]?.[1] ?? 0, points.at(-1)?.[1] ?? 0];
  return {
    name: "load-memory",
    alt: title,
    svg: lineChart({
      title,
      description: `From ${first.toFixed(0)} MB to ${last.toFixed(0)} MB; ended jobs are kept for ${options.retentionSeconds} s.`,
      x: { title: "s" },
      y: { title: "MB" },
      series: [{ name: "resident", points, isLine: true }],
    }),
  };
}

function latencyPlot({ steady: { perSecond, slices } }: LoadResult): Plot {
  const title = `Latency of a registration and lag of an event, ${perSecond} a second`;
  const series = (name: string, read: (slice: (typeof slices)[number]) => number) => ({
    name,
    isLine: true,
    points: slices.map((slice) => [slice.at, Math.max(LEAST_MS, read(slice))] as const),
  });
  return {
    name: "load-latency",
    alt: title,
    svg: lineChart({
      title,
      description: "By the time at which the job was due; logarithmic.",
      x: { title: "s" },
      y: { title: "ms", isLog: true },
      series: [
        series("registered, p50", ({ latencyMs }) => latencyMs.p50),
        series("registered, p99", ({ latencyMs }) => latencyMs.p99),
        series("lag, p50", ({ lagMs }) => lagMs.p50),
        series("lag, p99", ({ lagMs }) => lagMs.p99),
      ],
    }),
  };
}

function rampPlot({ steady, ramp }: LoadResult): Plot {
  const title = "Latency of a registration and lag of an event, twice the rate with each step";
  const steps = [steady, ...ramp];
  const series = (name: string, read: (step: (typeof steps)[number]) => number) => ({
    name,
    isLine: true,
    points: steps.map((step) => [step.perSecond, Math.max(LEAST_MS, read(step))] as const),
  });
  return {
    name: "load-ramp",
    alt: title,
    svg: lineChart({
      title,
      description: `${steps.map((step) => `${step.perSecond} a second: p99 ${step.latencyMs.p99.toFixed(0)} ms`).join("; ")}. Both axes are logarithmic.`,
      x: { title: "registrations a second", isLog: true },
      y: { title: "ms", isLog: true },
      series: [
        series("registered, p50", ({ latencyMs }) => latencyMs.p50),
        series("registered, p99", ({ latencyMs }) => latencyMs.p99),
        series("lag, p50", ({ lagMs }) => lagMs.p50),
        series("lag, p99", ({ lagMs }) => lagMs.p99),
      ],
    }),
  };
}

/** Medians of neighbours, by seconds from the first sample. */
function bySeconds(samples: readonly Sample[]): (readonly [seconds: number, bytes: number])[] {
  const startAt = samples[0]?.at ?? 0;
  const size = Math.ceil(samples.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, i) => {
    const part = samples.slice(i * size, (i + 1) * size);
    return [((part[0]?.at ?? startAt) - startAt) / 1000, median(part.map(({ bytes }) => bytes))] as const;
  });
}
