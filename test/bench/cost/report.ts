/**
 * What was counted, as tables and plots: per job, in dollars for a million of them, and beside the same job as a Workflow
 * and as messages.
 */
import { markdownTable } from "../../report/markdown.ts";
import type { Plot, Section } from "../../report/section.ts";
import { barChart } from "../svg.ts";
import { type Bill, billOf, messagesBill, storageBill, totalOf, workflowBill } from "./bill.ts";
import {
  type CostRun,
  type Counts,
  LATENCY,
  ofAll,
  SCENARIOS,
  SLEEPY,
  type WorkflowCounts,
} from "./counts.ts";
import { PRICES, type Price, QSTASH_FREE_RETRIES } from "./prices.ts";

/** `RETENTION_HOURS` as it is by default, for Workflows too: theirs is 30 days unless one says so. */
const RETENTION_DAYS = 7;
const LOOKS_PER_DAY = 24;
/** A million of them. */
const STEP_DOLLARS = (PRICES.workflowStep.dollars * 1_000_000) / PRICES.workflowStep.per;

export interface Counted {
  readonly cost: CostRun;
  readonly workflows: Readonly<Record<string, WorkflowCounts>>;
}

export function sectionOf({ cost, workflows }: Counted): Section {
  const { lives, purge, storedBytes } = cost;
  const rows: readonly Row[] = [
    ...[...SCENARIOS, SLEEPY].map(({ name }) => [name, countsOf(lives, name)] as const),
    ["purge after retention", purge],
  ];
  const storage = storageBill(storedBytes.job + storedBytes.indexRow, RETENTION_DAYS);
  const compared = comparedOf(lives, workflows, totalOf(billOf(purge), storage));
  const body = [countsPart(rows, cost), dollarsPart(rows, storage), elsewherePart(compared), pricesPart()];
  const shown = compared.filter(({ workflow }) => workflow !== null);
  return {
    title: "Cost",
    body: body.join("\n\n"),
    plots: [partsPlot(rows.map(([name, counts]) => [name, billOf(counts)] as const)), comparedPlot(shown)],
  };
}

type Row = readonly [name: string, counts: Counts];

function countsPart(rows: readonly Row[], { hourlyLook, storedBytes }: CostRun): string {
  const { providerMs, receiverMs } = LATENCY;
  const looks = LOOKS_PER_DAY * RETENTION_DAYS;
  const looked = ofAll(hourlyLook.counts, "rowsRead");
  const dollars = ((billOf(hourlyLook.counts).rowRead ?? 0) * looks) / hourlyLook.jobs;
  return [
    `One job of each kind, counted from the running classes inside workerd, its objects put away before each alarm; every call, alarm, row and millisecond is noted where it happens. The provider answers in ${providerMs} ms, the receiver in ${receiverMs} ms: an object is at work while it waits for them. Rows read are SQLite's own count, and one for each \`get\` of a key; rows written are SQLite's, and one for each \`put\`, \`delete\`, \`setAlarm\` and \`deleteAll\`.`,
    markdownTable([
      [
        "one job",
        "Worker requests",
        "object requests",
        "rows read",
        "rows written",
        "object at work",
        "outbound requests",
      ],
      ...rows.map(([name, counts]) => [
        name,
        counts.workerRequests,
        ofAll(counts, "requests"),
        ofAll(counts, "rowsRead"),
        ofAll(counts, "rowsWritten"),
        `${(ofAll(counts, "busyMs") / 1_000).toFixed(2)} s`,
        counts.outbound,
      ]),
    ]),
    `"Tenant asleep": the tenant's object sleeps between jobs, has ${grouped(SLEEPY.indexed ?? 0)} of them in its index, and reads them all when it starts. A delivered job takes ${grouped(storedBytes.job)} bytes in its own object and ${storedBytes.indexRow} in the index. Beyond that, a tenant's object looks once an hour for what is past its time: ${grouped(looked)} rows read with ${grouped(hourlyLook.jobs)} jobs, ${money(dollars)} over the ${RETENTION_DAYS} days of a million jobs.`,
  ].join("\n\n");
}

const dollarsPart = (rows: readonly Row[], storage: Bill): string =>
  [
    "**Dollars for a million jobs**, by Cloudflare's list; what a plan includes is not taken off. The Worker's processor time is taken to be all the time in which it waited for no object, which is more than it used.",
    markdownTable([
      ["a million jobs", ...PARTS.map(([, title]) => title), "together"],
      ...rows.map(([name, counts]) => billRow(name, billOf(counts))),
      billRow(`${RETENTION_DAYS} days of storage`, storage),
    ]),
    "![What a million jobs cost on Pollhook, and what for](plots/cost-parts.svg)",
  ].join("\n\n");

/** Dollars for a million jobs; `null` where there is nothing that would do it. */
interface Compared {
  readonly name: string;
  readonly pollhook: number;
  readonly workflow: number | null;
  readonly steps: number | null;
  readonly messages: number | null;
  readonly messagesRetriesFree: number | null;
}

/** `later`: what comes after every life. */
const comparedOf = (
  lives: CostRun["lives"],
  workflows: Counted["workflows"],
  later: number,
): readonly Compared[] =>
  SCENARIOS.map(({ name, polls, failedAttempts }) => {
    const workflow = workflows[name];
    return {
      name,
      pollhook: totalOf(billOf(countsOf(lives, name))) + later,
      workflow: workflow ? totalOf(workflowBill(workflow, RETENTION_DAYS)) : null,
      steps: workflow?.steps ?? null,
      messages: workflow ? totalOf(messagesBill(polls + 1 + failedAttempts)) : null,
      messagesRetriesFree: workflow ? totalOf(messagesBill(polls + 1)) : null,
    };
  });

const elsewherePart = (compared: readonly Compared[]): string =>
  [
    `**The same job elsewhere**, Pollhook with its purge and its storage. A Workflow sleeps, polls in a step, and delivers in a step that the platform retries; its steps were counted in a run of it on the engine that workerd has locally, by the published rule: a sleep is a step, a retry is none. It has neither signatures nor an index, and nobody can watch it live. Before 2026-08-10 steps cost nothing: take off ${money(STEP_DOLLARS)} for each. Messages, as QStash sells them: one, delayed, for each poll and one for each delivery attempt, without the endpoint of your own that they call in order to poll. One of its pages says that retries are billed, [another](${QSTASH_FREE_RETRIES}) that they are free.`,
    markdownTable([
      ["dollars for a million jobs", "Pollhook", "Workflow", "its steps", "messages", "with free retries"],
      ...compared.map((row) => [
        row.name,
        money(row.pollhook),
        orNone(row.workflow, money),
        orNone(row.steps, String),
        orNone(row.messages, money),
        orNone(row.messagesRetriesFree, money),
      ]),
    ]),
    "![A million jobs, by list price](plots/cost-compared.svg)",
  ].join("\n\n");

const pricesPart = (): string =>
  [
    "List prices as published, seen in a copy of the page; the date is that of the page's last change, as the copy has it.",
    markdownTable([
      ["", "list price", "page", "changed"],
      ...Object.values(PRICES).map((price: Price) => [
        price.name,
        `$${price.dollars.toFixed(price.dollars < 0.01 ? 3 : 2)} / ${amount(price)}`,
        `<${price.source}>`,
        price.pageOf ?? "not dated",
      ]),
    ]),
  ].join("\n\n");

const PARTS: readonly (readonly [(keyof Bill)[], string])[] = [
  [["rowWritten"], "rows written"],
  [["objectTime"], "objects at work"],
  [["objectRequest"], "object requests"],
  [["workerRequest", "workerCpu"], "Worker"],
  [["rowRead", "storage"], "rows read, storage"],
];

const partOf = (bill: Bill, names: readonly (keyof Bill)[]): number =>
  names.reduce((sum, name) => sum + (bill[name] ?? 0), 0);

const billRow = (name: string, bill: Bill): string[] => [
  name,
  ...PARTS.map(([names]) => money(partOf(bill, names))),
  money(totalOf(bill)),
];

function comparedPlot(rows: readonly Compared[]): Plot {
  const description = rows
    .map(({ name, pollhook, workflow, messages }) => {
      const [ours, steps, posts] = [pollhook, workflow, messages].map((value) => orNone(value, money));
      return `${name}: Pollhook ${ours}, Workflow ${steps}, messages ${posts}`;
    })
    .join("; ");
  const title = "A million jobs, by list price";
  return {
    name: "cost-compared",
    alt: title,
    svg: barChart({
      title,
      description,
      yTitle: "US dollars for a million jobs",
      groups: rows.map(({ name }) => name),
      series: [
        { name: "Pollhook, with purge and storage", values: rows.map(({ pollhook }) => pollhook) },
        { name: "Cloudflare Workflow", values: rows.map(({ workflow }) => workflow) },
        { name: "messages (QStash)", values: rows.map(({ messages }) => messages) },
      ],
    }),
  };
}

function partsPlot(rows: readonly (readonly [string, Bill])[]): Plot {
  const shown = rows.filter(([name]) => !name.startsWith("watched"));
  const title = "What a million jobs cost on Pollhook, and what for";
  return {
    name: "cost-parts",
    alt: title,
    svg: barChart({
      title,
      description: shown.map(([name, bill]) => `${name}: ${money(totalOf(bill))}`).join("; "),
      yTitle: "US dollars for a million jobs",
      groups: shown.map(([name]) => name),
      series: PARTS.map(([names, name]) => ({
        name,
        values: shown.map(([, bill]) => partOf(bill, names)),
      })),
      isStacked: true,
    }),
  };
}

function countsOf(lives: CostRun["lives"], name: string): Counts {
  const counts = lives[name];
  if (!counts) throw new Error(`Nobody has counted ${name}.`);
  return counts;
}

const grouped = (count: number): string => count.toLocaleString("en-US");
const money = (dollars: number): string => `$${dollars.toFixed(2)}`;
const orNone = <Value>(value: Value | null, show: (value: Value) => string): string =>
  value === null ? "–" : show(value);
const amount = ({ per, unit }: Price): string => (per === 1 ? unit : `${grouped(per)} ${unit}`);
