/**
 * List prices as published, each with the page that says it and the date of the copy of that page that was read: what
 * Cloudflare asks on the Workers Paid plan beyond what is included, and what QStash asks as one goes. To change one, read
 * the page again and move its date.
 */
export interface Price {
  readonly name: string;
  readonly dollars: number;
  /** For so many. */
  readonly per: number;
  readonly unit: string;
  readonly source: string;
  /** When the page says that it was last changed; `null` where the copy has no date. */
  readonly pageOf: string | null;
}

const WORKERS = {
  source: "https://developers.cloudflare.com/workers/platform/pricing/",
  pageOf: "2026-07-07",
};
const OBJECTS = {
  source: "https://developers.cloudflare.com/durable-objects/platform/pricing/",
  pageOf: "2026-06-19",
};
const WORKFLOWS = {
  source: "https://developers.cloudflare.com/workflows/reference/pricing/",
  pageOf: "2026-07-21",
};
const QSTASH = { source: "https://upstash.com/docs/qstash/overall/pricing.md", pageOf: null };

/** Says the same price, and the opposite of the page above about retries. */
export const QSTASH_FREE_RETRIES = "https://upstash.com/pricing/qstash.md";

const MILLION = 1_000_000;

export const PRICES = {
  workerRequest: { name: "Worker request", dollars: 0.3, per: MILLION, unit: "requests", ...WORKERS },
  workerCpu: { name: "Worker processor time", dollars: 0.02, per: MILLION, unit: "ms", ...WORKERS },
  objectRequest: {
    name: "object request: call or alarm",
    dollars: 0.15,
    per: MILLION,
    unit: "requests",
    ...OBJECTS,
  },
  objectTime: { name: "object at work", dollars: 12.5, per: MILLION, unit: "GB-s", ...OBJECTS },
  rowRead: { name: "row read", dollars: 0.001, per: MILLION, unit: "rows", ...OBJECTS },
  rowWritten: { name: "row written", dollars: 1, per: MILLION, unit: "rows", ...OBJECTS },
  storage: { name: "storage", dollars: 0.2, per: 1, unit: "GB-month", ...OBJECTS },
  workflowInvocation: {
    name: "Workflow invocation",
    dollars: 0.3,
    per: MILLION,
    unit: "invocations",
    ...WORKFLOWS,
  },
  workflowCpu: { name: "Workflow processor time", dollars: 0.02, per: MILLION, unit: "ms", ...WORKFLOWS },
  workflowStep: {
    name: "Workflow step, billed from 2026-08-10",
    dollars: 0.8,
    per: 100_000,
    unit: "steps",
    ...WORKFLOWS,
  },
  workflowStorage: { name: "Workflow storage", dollars: 0.2, per: 1, unit: "GB-month", ...WORKFLOWS },
  qstashMessage: { name: "QStash message", dollars: 1, per: 100_000, unit: "messages", ...QSTASH },
} as const satisfies Record<string, Price>;

export type Priced = keyof typeof PRICES;

/** An object is billed for that much memory, whatever it takes. */
export const OBJECT_GB = 0.128;
