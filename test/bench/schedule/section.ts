/**
 * The schedules' part of results.md: a table for each workload, how fast Pollhook learns, and the plots.
 */
import type { Section } from "../../report/section.ts";
import {
  betterThanPollhook,
  type Learning,
  measureSchedule,
  type Options,
  POLL_COSTS,
  type ScheduleFigures,
  STEP_AT,
  type WorkloadFigures,
} from "./measure.ts";
import { schedulePlots } from "./plots.ts";

export const FULL: Options = { seeds: [1, 2, 3, 4, 5, 6, 7, 8], jobs: 400 };

export async function scheduleSection(
  options = FULL,
): Promise<Section & { readonly figures: ScheduleFigures }> {
  const figures = measureSchedule(options);
  const plots = schedulePlots(figures.workloads);
  const images = plots.map(({ name, alt }) => `![${alt}](plots/${name}.svg)`);
  return { title: "Schedules", body: [scheduleBody(figures), ...images].join("\n\n"), plots, figures };
}

/** Pure. */
export function scheduleBody({ seeds, jobs, workloads, learning, recovery }: ScheduleFigures): string {
  const better = workloads.flatMap((each) =>
    betterThanPollhook(each).map((loop) => `${loop} (${each.workload.name})`),
  );
  return `A simulation in virtual time of the real \`schedule.ts\`, its jitter included; ${seeds} seeds of ${jobs} jobs each, one every 10 s,
with a deadline of an hour. Every way to poll is given the same jobs, and polls take no time. **Pollhook** begins with nothing
learned, and a job knows only what those have taught that were over when it came. *Lag* is from a job's end to the
poll that sees it; of a job that a loop gives up, to its deadline. J is the mean lag + c × the mean polls, and c what a poll is worth in
seconds (\`SECONDS_PER_POLL\`); for each c Pollhook and the optimum are asked anew, and their polls and lag are those of c = 1. The
*optimum* knows each job's law, and finds its polls by dynamic programming, at least 1 s apart; the *oracle* knows its end.

${workloads.map(workloadTable).join("\n\n")}

Loops with both fewer polls and less mean lag than Pollhook: ${better.join(", ") || "none"}.

Learning: Pollhook's J as a multiple of the optimum's (c = 1), of the jobs with these numbers.

${learningTable(learning, 0)}

A provider that changes after ${STEP_AT} jobs, all with an eta of 20 s: the same, by how many jobs ago that was.

${learningTable(recovery, STEP_AT)}`;
}

function workloadTable({ workload, rows }: WorkloadFigures): string {
  const heads = ["polls", "lag, s", "p50", "p95", "p99", "given up", ...POLL_COSTS.map((c) => `J, c ${c}`)];
  return markdown([
    [`**${workload.name}**: ${workload.says}`, ...heads],
    ...rows.map(({ name, polls, lag, givenUp, costs }) => [
      name,
      polls.toFixed(2),
      ...[lag.mean, lag.p50, lag.p95, lag.p99].map(shown),
      givenUp === 0 ? "0" : `${(givenUp * 100).toFixed(1)} %`,
      ...costs.map(shown),
    ]),
  ]);
}

const learningTable = (rows: readonly Learning[], since: number): string =>
  markdown([
    ["", ...(rows[0]?.stretches ?? []).map(({ from, to }) => `${from - since} to ${to - since}`)],
    ...rows.map(({ workload, stretches }) => [
      `${workload.name}${since > 0 ? `: ${workload.says}` : ""}`,
      ...stretches.map(({ ratio }) => ratio.toFixed(2)),
    ]),
  ]);

/** Three digits at the least. */
const shown = (seconds: number): string => seconds.toFixed(seconds < 10 ? 2 : seconds < 100 ? 1 : 0);

/** The first row holds the heads; numbers stand to the right. */
function markdown([heads = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
