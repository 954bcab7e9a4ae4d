/**
 * The throughput's plots: jobs a second, registered and through their whole life, and what a job that waits weighs. Pure.
 */
import type { Plot } from "../../report/section.ts";
import { barChart } from "../svg.ts";
import { CONNECTIONS, RATIO_CONNECTIONS, type SubjectResult } from "./run.ts";

export function throughputPlots(subjects: readonly SubjectResult[]): Plot[] {
  const at = CONNECTIONS.indexOf(RATIO_CONNECTIONS);
  return [
    plot("throughput-jobs", "Jobs a second", "a second", subjects, {
      [`registered, ${RATIO_CONNECTIONS} connections`]: ({ registering }) =>
        registering[at]?.perSecond ?? null,
      "through their whole life": ({ life }) => life.perSecond,
    }),
    plot("throughput-weight", "What a waiting job weighs", "KB a job", subjects, {
      memory: ({ waiting }) => (waiting.memoryBytes === null ? null : waiting.memoryBytes / 1000),
      disk: ({ waiting }) => waiting.diskBytes / 1000,
    }),
  ];
}

function plot(
  name: string,
  title: string,
  yTitle: string,
  subjects: readonly SubjectResult[],
  groups: Readonly<Record<string, (subject: SubjectResult) => number | null>>,
): Plot {
  const reads = Object.values(groups);
  const series = ourselvesFirst(subjects).map((subject) => ({
    name: subject.label,
    values: reads.map((read) => read(subject)),
  }));
  const description = series.map(
    (one) => `${one.name}: ${one.values.map((value) => value?.toPrecision(3) ?? "unknown").join(", ")}`,
  );
  return {
    name,
    alt: title,
    svg: barChart({
      title,
      description: `${Object.keys(groups).join("; ")}. ${description.join("; ")}.`,
      yTitle,
      groups: Object.keys(groups),
      series,
    }),
  };
}

const OURSELVES: readonly SubjectResult["name"][] = ["sharded", "single"];

const ourselvesFirst = (subjects: readonly SubjectResult[]): readonly SubjectResult[] => [
  ...OURSELVES.flatMap((name) => subjects.filter((subject) => subject.name === name)),
  ...subjects.filter(({ name }) => !OURSELVES.includes(name)),
];
