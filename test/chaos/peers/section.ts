/**
 * The part of `npm run chaos` on peers that do as they please: every bad answer of the catalogue, against a node whose
 * jobs share objects and one whose jobs have one each.
 */
import { randomInt } from "node:crypto";
import { markdownTable } from "../../report/markdown.ts";
import type { Section } from "../../report/section.ts";
import type { BadAnswer } from "./catalogue/bad-answer.ts";
import { BAD_ANSWERS } from "./catalogue/index.ts";
import { type FloodResult, flood } from "./flood.ts";
import { callHanging, type GenerationsResult, hanging } from "./generations.ts";
import { BOMBS_AT_ONE_TIME, type PeersOptions, type PeersResult, runPeers } from "./run.ts";
import type { Followed } from "./trials.ts";

/** Given for ever, where the provider learns nothing from it; but for what would keep a node busy that long. */
const isStubborn = ({ provider, isBomb, isLong, group, raced }: BadAnswer): boolean => {
  if (isBomb || isLong || raced || group === "waits") return false;
  return provider?.kind === "again" || (provider?.kind === "doubted" && provider.result !== "empty");
};

/** A node whose jobs have objects of their own has ten times as much to write down. */
const RUNS: readonly PeersOptions[] = [
  {
    jobShards: "8",
    slow: () => true,
    stubborn: isStubborn,
    mayWait: true,
    atOneTime: 128,
    generations: Number.POSITIVE_INFINITY,
    roundTrips: 400,
    healthy: 100,
  },
  {
    jobShards: "0",
    slow: () => true,
    stubborn: () => false,
    mayWait: false,
    atOneTime: 48,
    generations: 60,
    roundTrips: 100,
    healthy: 60,
  },
];

export async function peersSection(): Promise<Section> {
  const seed = randomInt(2 ** 31);
  // They take 100 s, and next to nothing of the machine.
  const hung = callHanging("0", hanging(BAD_ANSWERS));
  hung.catch(() => {});
  const nodes: PeersResult[] = [];
  for (const options of RUNS) nodes.push(await runPeers(options, seed));
  const [calls, flooded] = [await hung, await flood("8")];
  return {
    title: "Hostile provider and receiver",
    body: body(nodes, calls, flooded, seed),
    plots: [],
    failures: shown([...nodes.flatMap(({ failures }) => failures), ...calls.failures, ...flooded.failures]),
  };
}

const SHOWN = 50;
const SHOWN_CHARS = 500;

const shown = (failures: readonly string[]): string[] => [
  ...failures.slice(0, SHOWN).map((failure) => failure.slice(0, SHOWN_CHARS)),
  ...(failures.length > SHOWN ? [`And ${failures.length - SHOWN} more.`] : []),
];

function body(
  nodes: readonly PeersResult[],
  hung: GenerationsResult,
  flooded: FloodResult,
  seed: number,
): string {
  const named = nodes.map(({ jobShards }) => `\`JOB_SHARDS=${jobShards}\``);
  const row = (name: string, count: (node: PeersResult) => number | string) => [name, ...nodes.map(count)];
  return [
    `A provider and receivers that write their answers byte for byte onto a socket, against plain workerd. Each bad answer meets a job of its own, as its provider's or its receiver's, and comes once, then good ones; what must become of the job, poll by poll, is in the catalogue (\`test/chaos/peers/catalogue\`). Beside it, jobs with good peers and the same tenant.`,
    groups(),
    "How they ended. Every one as its answer says: with that outcome, through those polls and attempts, and with one signed event.",
    markdownTable([
      ["", ...named],
      row("jobs that met a bad answer", ({ followed }) => followed.length),
      row("provider: it was the answer, as it came", (node) => ended(node, "provider", "succeeded")),
      row("provider: the answer was the end, and bad", (node) => ended(node, "provider", "failed")),
      row("provider: asked again, which brought the success", (node) =>
        ended(node, "provider", "again", "doubted"),
      ),
      row("provider: asked again no sooner than at the deadline", (node) =>
        ended(node, "provider", "at the deadline"),
      ),
      row(
        "provider: bad for ever, expired at the deadline",
        ({ followed }) => followed.filter(({ isStubborn }) => isStubborn).length,
      ),
      row("receiver: accepted", (node) => ended(node, "receiver", "delivered")),
      row("receiver: sent again, the same event", (node) => ended(node, "receiver", "again")),
      row("receiver: to be sent again in a day", (node) => ended(node, "receiver", "in a day")),
      row("receiver: gone", (node) => ended(node, "receiver", "gone")),
      row("did not end as they should, or leaked a key", ({ failures }) => failures.length),
      row("healthy jobs beside them, each by one poll and one attempt", ({ healthy }) => healthy.jobs),
      row("the slowest of them, s behind its eta", ({ healthy }) => seconds(healthy.slowestMs)),
      row("generation calls, each answered in the provider's shape", ({ generations }) => generations.calls),
      row(
        "requests behind bytes that nobody asked for, on the same connection",
        ({ neighbours }) => neighbours.reused,
      ),
      row("answers taken from such bytes", ({ neighbours }) => neighbours.failures.length),
      row("round trips compared byte for byte", ({ roundTrips }) => roundTrips.compared),
      row("of them changed", ({ roundTrips }) => roundTrips.failures.length),
    ]),
    `Memory while the ${nodes[0]?.bombs} answers that would be far too much come, ${BOMBS_AT_ONE_TIME} at a time, among them streams that inflate to 256 MiB, 1 GiB and 10 GiB: of none is more taken than 8 MiB.`,
    markdownTable([
      ["", ...named],
      row("MB resident before", ({ memory }) => (memory ? megabytes(memory.residentBytes) : "?")),
      row("MB at most", ({ memory }) => (memory ? megabytes(memory.peakBytes) : "?")),
    ]),
    `${hung.calls} generation calls that never get to the end of their answer were answered after ${seconds(hung.slowestMs)} s at the latest, by ${[...hung.statuses].map(([status, count]) => `${count} times ${status}`).join(", ")}. Interim answers (1xx) sent as fast as possible, without end, keep workerd itself from looking at anything else until the poll's, or the attempt's, time is over: jobs beside such a flood came ${seconds(flooded.slowestMs)} s after their registration at the latest, and none was lost. The round trips are of seed ${seed}.`,
  ].join("\n\n");
}

function groups(): string {
  const names = [...new Set(BAD_ANSWERS.map(({ group }) => group))];
  const count = (group: string, role: Followed["role"]) =>
    BAD_ANSWERS.filter((answer) => answer.group === group && answer[role]).length;
  const rows = names.map((name) => [name, count(name, "provider"), count(name, "receiver")] as const);
  const sum = (column: 1 | 2) => rows.reduce((all, row) => all + row[column], 0);
  return markdownTable([["bad answers", "of a provider", "of a receiver"], ...rows, ["all", sum(1), sum(2)]]);
}

const ended = ({ followed }: PeersResult, role: Followed["role"], ...kinds: readonly string[]): number =>
  followed.filter(
    (trial) => !trial.isStubborn && trial.role === role && kinds.includes(trial.answer[role]?.kind ?? ""),
  ).length;

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
