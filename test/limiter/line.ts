/**
 * One limited key and the calls of its limiter, one after the other.
 */
import { limited, type Pace, rateOf, type Taken, type Turn, take } from "../../src/limiter/pace.ts";

export const NOW = Date.UTC(2026, 10, 20, 12);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** More than are let go in a second. */
const CROWD = 150;

export class Line {
  pace: Pace | null = null;
  readonly random: number;

  constructor(random = 0.5) {
    this.random = random;
  }

  limited(at: number, waitSeconds = 1, turn: Turn | null = null, sentAt = at - 50) {
    const { pace, taken } = limited(this.pace, { waitSeconds, sentAt, turn }, at, this.random);
    this.pace = pace;
    return taken;
  }

  take(at: number, turn: Turn | null = null): Taken {
    if (!this.pace) return { kind: "free" };
    const { pace, taken } = take(this.pace, turn, at, this.random);
    this.pace = pace;
    return taken;
  }

  /** As a job does: asks at the times that it is told, until it may go. */
  goOf(at: number, turn: Turn | null = null): { readonly at: number; readonly turn: Turn } {
    const taken = this.take(at, turn);
    if (taken.kind === "free") throw new Error("Nothing limits the key.");
    if (taken.kind === "go") return { at, turn: taken.turn };
    return this.goOf(taken.until, taken.turn);
  }

  get rate(): number {
    return this.pace ? rateOf(this.pace) : Number.POSITIVE_INFINITY;
  }

  /** Keeps a crowd in line until `to`, each of whom asks as he is told; when polls were let go. */
  busy(from: number, to: number): number[] {
    const crowd = Array.from({ length: CROWD }, () => ({ at: from, turn: null as Turn | null }));
    const times: number[] = [];
    for (;;) {
      const next = crowd.reduce((first, one) => (one.at < first.at ? one : first));
      if (next.at > to) return times;
      const taken = this.take(next.at, next.turn);
      if (taken.kind === "free") throw new Error("Nothing limits the key.");
      if (taken.kind === "go") times.push(next.at);
      else next.at = taken.until;
      next.turn = taken.turn;
    }
  }
}

/** A line that knows a rate that was too much: 4 a second, halved. Its wait is over at `NOW + 6_400`. */
export function settled(): Line {
  const line = new Line();
  const over = NOW + 6_400;
  line.pace = {
    episode: NOW,
    base: 2,
    ceiling: 4,
    ageMs: 0,
    holdMs: 20 * SECOND,
    head: 10,
    headAt: over,
    tail: 10,
    nextGoAt: over,
    gapOverAt: over,
    notBefore: over,
    cutAt: NOW + 5_400,
  };
  return line;
}
