/**
 * One limited key and the calls of its limiter, one after the other.
 */
import { limited, type Pace, rateOf, type Taken, type Turn, take } from "../../src/limiter/pace.ts";

export const NOW = Date.UTC(2026, 10, 20, 12);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

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

  /** Keeps the line full until `to`; when each poll was let go. */
  busy(from: number, to: number): number[] {
    const times: number[] = [];
    for (let next = this.goOf(from); next.at <= to; next = this.goOf(next.at)) times.push(next.at);
    return times;
  }
}

/** A line that knows a rate that was too much: 4 a second, halved. */
export function settled(): Line {
  const line = new Line();
  line.limited(NOW);
  line.busy(NOW, NOW + 5 * SECOND);
  const { turn } = line.goOf(NOW + 5 * SECOND);
  line.limited(NOW + 5_400, 1, turn, NOW + 5_350);
  return line;
}
