/**
 * The end of a run: waits until every job is over, by asking for each, and holds what became of it against what may, what
 * arrived against what was said, and the index against the jobs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { kindOf, TENANTS, type Tenant } from "./plan.ts";
import type { World } from "./world.ts";

/** Who asks at one time. */
const ASKERS = 12;
const ROUND_MS = 1_000;
/** A plain callback's third attempt comes after five minutes: a caller who cannot wait has it sent again. */
const FAR_MS = 30_000;
/** The index is told again a minute after it could not be told. */
const INDEX_LIMIT_MS = 120_000;
const PAGE = 100;

/**
 * Asks until every job has come to an end, `limitMs` at most; what has not is a fault. `isHurried`: what a crash has put
 * off for minutes is sent again by its caller, and counted.
 */
export async function settle(
  client: Client,
  ledger: Ledger,
  limitMs: number,
  isHurried = true,
): Promise<void> {
  const limit = Date.now() + limitMs;
  let open = ledger.entries.filter(({ id }) => id !== null);
  while (open.length > 0 && Date.now() < limit) {
    await eachOf(open, (entry) => look(client, entry, isHurried));
    open = open.filter(({ end }) => end === null);
    if (open.length > 0) await sleep(ROUND_MS);
  }
  for (const entry of open) ledger.faultOf(entry, `it has not ended within ${limitMs / 1000} s`);
}

async function look(client: Client, entry: Entry, isHurried: boolean): Promise<void> {
  const job = await client.insist(entry.plan.tenant, "GET", `/v1/jobs/${entry.id}`);
  if (!job) return;
  const { status, outcome, next_attempt_at: next, polls, error, delivery_error } = job.json;
  entry.polls = polls ?? 0;
  entry.why = error?.reason ?? delivery_error?.reason ?? null;
  if (job.status === 404) entry.end = "gone";
  else if (status !== "waiting" && status !== "delivering") entry.end = `${status} ${outcome}`;
  else if (isHurried && status === "delivering" && next != null && Date.parse(next) > Date.now() + FAR_MS) {
    entry.nudges++;
    await client.insist(entry.plan.tenant, "POST", `/v1/jobs/${entry.id}/redeliver`);
  }
  if (entry.end !== null && job.status !== 404 && job.json.event_id !== entry.eventId)
    entry.end = `another event: ${job.json.event_id}`;
}

/** What became of each, and whether its event arrived where one was to. `mayEnd`: how, by the end that its kind has. */
export function judge(
  world: World,
  ledger: Ledger,
  mayEnd: (ends: string) => readonly string[] = (ends) => [ends],
): void {
  const known = new Set<string>();
  /** Jobs that may have ended badly before their caller heard that they had begun: asked for again, such a job starts anew. */
  const begunTwice = new Set<string | null>();
  for (const entry of ledger.entries) {
    const { plan, end, eventId } = entry;
    for (const event of [...entry.earlierEvents, ...(eventId === null ? [] : [eventId])]) known.add(event);
    if (entry.lost > 0 && !kindOf(plan).ends.endsWith("succeeded")) begunTwice.add(entry.id);
    if (entry.id === null) ledger.faultOf(entry, "it was never accepted");
    else if (!entry.isActed) ledger.faultOf(entry, `its ${plan.act?.kind} was never answered`);
    if (end !== null && !mayEnd(kindOf(plan).ends).includes(end))
      ledger.faultOf(entry, `it ended as ${end} (${entry.why}), not as ${kindOf(plan).ends}`);
    if (end?.startsWith("delivered") && !world.book.isAccepted(eventId ?? ""))
      ledger.faultOf(entry, "it is said to be delivered, and never arrived");
    if (end?.startsWith("canceled") && world.book.of(eventId ?? ""))
      ledger.faultOf(entry, "it was canceled, and its event arrived");
    for (const event of entry.earlierEvents)
      if (world.book.of(event)) ledger.faultOf(entry, "the event of a canceled start arrived");
  }
  for (const id of world.book.ids()) {
    const { path, jobId } = world.book.of(id) ?? { path: "", jobId: null };
    if (!known.has(id) && !begunTwice.has(jobId))
      ledger.fault(`${id} arrived at ${path}, and is no job's event`);
  }
  for (const fault of world.book.faults()) ledger.fault(fault);
  for (const line of world.leaks.slice(0, 5)) ledger.fault(`a secret stands in the log: ${line}`);
}

/** The index shows each job once, as it says of itself; how many are listed as undelivered. */
export async function judgeIndex(client: Client, ledger: Ledger): Promise<number> {
  const limit = Date.now() + INDEX_LIMIT_MS;
  for (;;) {
    const differences: string[] = [];
    let undelivered = 0;
    for (const tenant of TENANTS) {
      const listed = await list(client, tenant);
      undelivered += [...listed.values()].filter((end) => end.startsWith("undelivered")).length;
      const mine = ledger.entries.filter(({ plan, id }) => plan.tenant === tenant && id !== null);
      for (const { id, end, plan } of mine) {
        const shown = listed.get(id ?? "") ?? "gone";
        if (shown !== end)
          differences.push(`${plan.kind} job ${plan.index} is listed as ${shown}, and is ${end}`);
      }
      if (listed.size > mine.length)
        differences.push(`${tenant} has ${listed.size - mine.length} jobs too many listed`);
    }
    if (differences.length === 0) return undelivered;
    if (Date.now() > limit) {
      for (const difference of differences.slice(0, 5)) ledger.fault(difference);
      ledger.fault(`the index differs from ${differences.length} jobs`);
      return undelivered;
    }
    await sleep(ROUND_MS);
  }
}

async function list(client: Client, tenant: Tenant): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const path: string = `/v1/jobs?limit=${PAGE}${cursor && `&cursor=${cursor}`}`;
    const page = await client.insist(tenant, "GET", path);
    for (const { id, status, outcome } of page?.json.jobs ?? []) all.set(id ?? "", `${status} ${outcome}`);
    cursor = page?.json.next_cursor ?? null;
  }
  return all;
}

/** Runs through a list with so many at a time. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: ASKERS }, next));
}
