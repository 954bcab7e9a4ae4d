/**
 * What counts cost by the list, in dollars for a million jobs that are alike. Nothing of what is included in a plan, or
 * free, is taken off.
 */
import { type Counts, ofAll, type WorkflowCounts } from "./counts.ts";
import { OBJECT_GB, PRICES, type Priced } from "./prices.ts";

const JOBS = 1_000_000;
const BYTES_PER_GB = 1e9;
const DAYS_PER_MONTH = 30;

/** Dollars by what they are for. */
export type Bill = Readonly<Partial<Record<Priced, number>>>;

const dollars = (name: Priced, ofOneJob: number): number =>
  (ofOneJob * JOBS * PRICES[name].dollars) / PRICES[name].per;

export const billOf = (counts: Counts): Bill => ({
  workerRequest: dollars("workerRequest", counts.workerRequests),
  workerCpu: dollars("workerCpu", counts.workerMs),
  objectRequest: dollars("objectRequest", ofAll(counts, "requests")),
  objectTime: dollars("objectTime", (ofAll(counts, "busyMs") / 1_000) * OBJECT_GB),
  rowRead: dollars("rowRead", ofAll(counts, "rowsRead")),
  rowWritten: dollars("rowWritten", ofAll(counts, "rowsWritten")),
});

export const storageBill = (bytes: number, days: number): Bill => ({
  storage: dollars("storage", gbMonths(bytes, days)),
});

export const workflowBill = (counts: WorkflowCounts, days: number): Bill => ({
  workerRequest: dollars("workerRequest", counts.workerRequests),
  workflowInvocation: dollars("workflowInvocation", counts.invocations),
  workflowCpu: dollars("workflowCpu", counts.cpuMs),
  workflowStep: dollars("workflowStep", counts.steps),
  workflowStorage: dollars("workflowStorage", gbMonths(counts.storedBytes, days)),
});

export const messagesBill = (messages: number): Bill => ({
  qstashMessage: dollars("qstashMessage", messages),
});

export const totalOf = (...bills: readonly Bill[]): number =>
  bills.flatMap((bill) => Object.values(bill)).reduce((sum, part) => sum + part, 0);

const gbMonths = (bytes: number, days: number): number => (bytes / BYTES_PER_GB) * (days / DAYS_PER_MONTH);
