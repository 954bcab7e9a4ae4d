/**
 * The part of results.md on hostile callers: what they sent, what came back, and what did not hold.
 */
import { markdownTable } from "../../report/markdown.ts";
import type { Section } from "../../report/section.ts";
import { Coverage } from "./coverage.ts";
import { MOST_GROWTH_MIB, runStorm, type Storm } from "./storm.ts";

export const FULL = { requests: 200_000, callLanes: 32, rawLanes: 8, isWhole: true } as const;

/** With a new seed each time, which stands in the report. */
export async function callersSection(seed = Date.now() % 2 ** 31): Promise<Section> {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const storm = await runStorm({ ...FULL, seed, say });
  return {
    title: "Hostile callers",
    body: callersBody(storm),
    plots: [],
    failures: failuresOf(storm, Coverage.reachable),
  };
}

/** What did not hold; `reachable` are the answers that must have been seen, such as `registerJob 202`. */
export function failuresOf({ ledger }: Storm, reachable: readonly string[]): string[] {
  const missed = ledger.coverage.missed.filter((name) => reachable.includes(name));
  return [
    ...ledger.failures,
    ...(missed.length > 0 ? [`Never answered (seed ${ledger.seed}): ${missed.join(", ")}.`] : []),
  ];
}

/** Pure. */
export function callersBody(storm: Storm): string {
  const { ledger, memory } = storm;
  const { coverage } = ledger;
  const [kinds, silent] = [[...ledger.kinds].sort(), [...ledger.unanswered].sort()];
  const reached = Coverage.reachable.length - coverage.missed.length;
  return [
    `${count(ledger.requests)} requests in ${Math.round(storm.seconds)} s, to Pollhook on plain workerd with \`JOB_SHARDS=8\`, by callers of two tenants and of two owners in each, and by callers who are nobody; seed ${ledger.seed}. They are made of the OpenAPI document: its paths, parameters, schemas and examples, with ids, cursors and tokens out of earlier answers, a quarter of them another caller's. ${count(kinds.find(([name]) => name === "as the document says")?.[1] ?? 0)} are sent as they are; the others are spoiled in one to three ways, or are bytes that are no HTTP.`,
    markdownTable([
      ["", "count"],
      ["requests", count(ledger.requests)],
      ["answers with a 5xx that blames nobody else", ledger.serverErrors],
      ["no answer in time", ledger.hangs],
      ["secrets, or data of others, in answers, deliveries or log lines", ledger.leaks],
      [
        "other faults of an answer",
        Math.max(0, ledger.faults - ledger.serverErrors - ledger.hangs - ledger.leaks),
      ],
      ["answers held against their schemas", count(ledger.described)],
      ["log lines searched", count(storm.logLines)],
      ["deliveries and provider calls searched", count(storm.deliveries + storm.providerCalls)],
      [
        "(operation, status) of the document that a caller can cause, reached",
        `${reached} of ${Coverage.reachable.length}`,
      ],
    ]),
    markdownTable([["sent", "count"], ...kinds.map(([name, sent]) => [name, count(sent)])]),
    markdownTable([
      ["answered", "count"],
      ...coverage.byStatus.map(([status, answers]) => [String(status), count(answers)]),
      ...silent.map(([how, times]) => [how, count(times)]),
    ]),
    `A 502 or 504 is allowed where the provider was told to fail, a 503 where as many watch a job or wait for events as may. workerd itself answers, before any Worker runs, 400 and 414 to what is no HTTP, 501 to methods that it does not know and 500 to \`CONNECT\`. Beyond a caller here, and so not counted as reachable: 500; 503 elsewhere; 429 of our own (plain workerd has no binding that counts), and of generations; 502 and 504 of generations; 409 of a destination whose master key is gone.`,
    `Afterwards \`/healthz\` answers 200, and a job of somebody else is registered, polled, delivered and verified. workerd took ${memory.before} MiB before and ${memory.after} MiB after (at most ${count(MOST_GROWTH_MIB)} more).`,
  ].join("\n\n");
}

const count = (n: number): string => n.toLocaleString("en-US");
