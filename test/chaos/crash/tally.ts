/**
 * What a scenario counted: a row of the table, and what of it did not hold.
 */
import type { Killed } from "./kills.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { kindOf } from "./plan.ts";
import type { World } from "./world.ts";

export interface Tally {
  readonly name: string;
  readonly jobs: number;
  readonly kills: number;
  /** Registrations that were repeated because no answer came, or a 5xx. */
  readonly repeated: number;
  readonly unanswered: number;
  readonly refused: number;
  /** Events that were due, of those that arrived, and of those the ones that are listed as undelivered. */
  readonly expected: number;
  readonly arrived: number;
  readonly undelivered: number;
  /** POSTs of an event that had come before: the same id and body, or another. */
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

export interface Counted {
  readonly killed: Killed;
  readonly undelivered: number;
  /** POSTs of events that had come before, in the time when nobody asked for any. */
  readonly repeatedPosts: number;
  readonly left: number | null;
}

export function tally(name: string, world: World, ledger: Ledger, counted: Counted): Tally {
  const { entries } = ledger;
  const withEvent = entries.filter(hasEvent);
  const ends: Record<string, number> = {};
  for (const { end } of entries) {
    const outcome = end?.split(" ")[1] ?? end ?? "none";
    ends[outcome] = (ends[outcome] ?? 0) + 1;
  }
  return {
    name,
    jobs: entries.length,
    kills: counted.killed.kills,
    repeated: entries.reduce((sum, { lost }) => sum + lost, 0),
    unanswered: ledger.unanswered,
    refused: ledger.refused,
    expected: withEvent.length,
    arrived: withEvent.filter(({ eventId }) => world.book.isAccepted(eventId ?? "")).length,
    undelivered: counted.undelivered,
    duplicates: counted.repeatedPosts,
    different: world.book.different,
    cutOff: world.book.cutOff,
    ends,
    nudges: entries.reduce((sum, { nudges }) => sum + nudges, 0),
    jobsSeen: counted.killed.jobsSeen,
    alarmsMissing: counted.killed.alarmsMissing,
    left: counted.left,
    failures: ledger.faults().map((fault) => `${name} (seed ${ledger.seed}): ${fault}`),
  };
}

/** Whether somebody is to be told of the job's end: not of one that was canceled, erased, or is read by its caller. */
export const hasEvent = ({ plan }: Entry): boolean => {
  const { ends, to } = kindOf(plan);
  return to !== "nobody" && !ends.startsWith("canceled") && ends !== "gone";
};
