/**
 * What a scenario counted: a row of the table, and what of it did not hold.
 */
import type { Killed } from "./kills.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { kindOf } from "./plan.ts";
import type { World } from "./world.ts";

/** Of thousands of jobs, what one fault does to all may be told of some. */
const MOST_FAULTS = 40;

export interface Tally {
  readonly name: string;
  readonly jobs: number;
  readonly kills: number;
  /** Registrations that were repeated because no answer came, or a 5xx. */
  readonly repeated: number;
  readonly unanswered: number;
  readonly refused: number;
  /** Events that were due, how many of those arrived, and how many did not and are listed as undelivered. */
  readonly expected: number;
  readonly arrived: number;
  readonly undelivered: number;
  /** What is neither. */
  readonly lost: number;
  /** POSTs of an event that had come before, under the same id: of the same bytes, or of others. */
  readonly duplicates: number;
  readonly different: number;
  readonly cutOff: number;
  /** By outcome, and what was erased. */
  readonly ends: Readonly<Record<string, number>>;
  readonly nudges: number;
  readonly jobsSeen: number;
  readonly alarmsMissing: number;
  /** Jobs, and rows of them, that were there after retention; `null` where that was not waited for. */
  readonly left: number | null;
  readonly failures: readonly string[];
}

/** What of the events is counted when all jobs are over, before anything is sent again on purpose. */
export type Stock = Pick<Tally, "expected" | "arrived" | "undelivered" | "lost" | "duplicates" | "ends">;

export function takeStock(world: World, ledger: Ledger, undelivered: number): Stock {
  const due = ledger.entries.filter(hasEvent);
  const arrived = due.filter(({ eventId }) => world.book.isAccepted(eventId ?? "")).length;
  const lost = due.length - arrived - undelivered;
  if (lost !== 0)
    ledger.fault(`of ${due.length} events ${arrived} arrived and ${undelivered} are undelivered`);
  const ends: Record<string, number> = {};
  for (const { end } of ledger.entries) {
    const outcome = end?.split(" ")[1] ?? end ?? "none";
    ends[outcome] = (ends[outcome] ?? 0) + 1;
  }
  const { repeated: duplicates } = world.book.totals();
  return { expected: due.length, arrived, undelivered, lost, duplicates, ends };
}

export interface Counted {
  readonly stock: Stock;
  readonly killed: Killed;
  readonly left: number | null;
}

export function tally(name: string, world: World, ledger: Ledger, counted: Counted): Tally {
  const { stock, killed, left } = counted;
  return {
    name,
    jobs: ledger.entries.length,
    kills: killed.kills,
    repeated: ledger.entries.reduce((sum, { lost }) => sum + lost, 0),
    unanswered: ledger.unanswered,
    refused: ledger.refused,
    ...stock,
    different: world.book.different,
    cutOff: world.book.cutOff,
    nudges: ledger.entries.reduce((sum, { nudges }) => sum + nudges, 0),
    jobsSeen: killed.jobsSeen,
    alarmsMissing: killed.alarmsMissing,
    left,
    failures: shortened(ledger.faults()).map((fault) => `${name} (seed ${ledger.seed}): ${fault}`),
  };
}

const shortened = (faults: readonly string[]): readonly string[] =>
  faults.length > MOST_FAULTS
    ? [...faults.slice(0, MOST_FAULTS), `and ${faults.length - MOST_FAULTS} faults more`]
    : faults;

/** Whether somebody is to be told of the job's end: not of one that was canceled, erased, or is read by its caller. */
export const hasEvent = ({ plan }: Entry): boolean => {
  const { ends, to } = kindOf(plan);
  return to !== "nobody" && !ends.startsWith("canceled") && ends !== "gone";
};
