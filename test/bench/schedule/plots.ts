/**
 * The schedules' plots: what every way to poll costs beside the optimum, and for one workload what it pays with, polls or
 * lag. Pure.
 */
import type { Plot } from "../../report/section.ts";
import { barChart, lineChart } from "../svg.ts";
import { OPTIMUM, ORACLE, POLL_COSTS, POLLHOOK, type Row, type WorkloadFigures } from "./measure.ts";

const TELLING = "noisy";
/** Where what has no lag at all is drawn: logarithms have no place for zero. */
const NO_LAG_SECONDS = 1;

export function schedulePlots(workloads: readonly WorkloadFigures[]): Plot[] {
  const telling = workloads.find(({ workload }) => workload.name === TELLING);
  return [costPlot(workloads), ...(telling ? [tradePlot(telling)] : [])];
}

function costPlot(workloads: readonly WorkloadFigures[]): Plot {
  const title = "J = mean lag + polls (c = 1 s), as a multiple of the best that is possible";
  const names = ourselvesFirst(workloads[0]?.rows ?? [])
    .map(({ name }) => name)
    .filter((name) => name !== OPTIMUM && name !== ORACLE);
  const series = names.map((name) => ({
    name,
    values: workloads.map(({ rows }) => {
      const [one, best] = [name, OPTIMUM].map((which) => costOf(rows, which));
      return one && best ? one / best : null;
    }),
  }));
  const ours = workloads.map(
    ({ workload }, i) => `${workload.name} ${(series[0]?.values[i] ?? Number.NaN).toFixed(2)}`,
  );
  return {
    name: "schedule-cost",
    alt: title,
    svg: barChart({
      title,
      description: `Logarithmic; 1 is the optimum of one who knows the law. Pollhook: ${ours.join(", ")}. All loops are above.`,
      yTitle: "times the optimum's J",
      groups: workloads.map(({ workload }) => workload.name),
      series,
      isLog: true,
    }),
  };
}

function tradePlot({ workload, rows }: WorkloadFigures): Plot {
  const title = `Polls against lag, ${workload.name} etas (${workload.says})`;
  const shown = ourselvesFirst(rows);
  return {
    name: "schedule-trade",
    alt: title,
    svg: lineChart({
      title,
      description: `In the mean of a job, logarithmic. ${shown.map(({ name, polls, lag }) => `${name}: ${polls.toFixed(2)} polls, ${lag.mean.toFixed(1)} s`).join("; ")}.`,
      x: { title: "polls a job", isLog: true },
      y: { title: "mean lag, s (of a job given up: to its deadline)", isLog: true },
      series: shown.map(({ name, polls, lag }) => ({
        name: lag.mean > 0 ? name : `${name}: no lag (drawn at ${NO_LAG_SECONDS} s)`,
        points: [[polls, lag.mean || NO_LAG_SECONDS]],
      })),
    }),
  };
}

const costOf = (rows: readonly Row[], which: string): number | undefined =>
  rows.find(({ name }) => name === which)?.costs[POLL_COSTS.indexOf(1)];

/** So it has the same colour in all plots. */
const ourselvesFirst = (rows: readonly Row[]): readonly Row[] => [
  ...rows.filter(({ name }) => name === POLLHOOK),
  ...rows.filter(({ name }) => name !== POLLHOOK),
];
