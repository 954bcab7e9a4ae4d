/**
 * What came of it, counted; and every fault with all that is needed to send the same request again.
 */
import { Coverage } from "./coverage.ts";

/** More of them say nothing new. */
const MOST_FAILURES = 40;
const SHOWN_REQUEST = 6_000;
const SHOWN_ANSWER = 1_500;

export class Ledger {
  readonly seed: number;
  readonly coverage = new Coverage();
  readonly failures: string[] = [];
  /** What was sent, by kind. */
  readonly kinds = new Map<string, number>();
  /** What came of what is owed no answer. */
  readonly unanswered = new Map<string, number>();
  faults = 0;
  leaks = 0;
  hangs = 0;
  serverErrors = 0;
  /** Answers that were held against their schemas. */
  described = 0;

  readonly #say: (text: string) => void;

  constructor(seed: number, say: (text: string) => void) {
    this.seed = seed;
    this.#say = say;
  }

  get requests(): number {
    return [...this.kinds.values()].reduce((sum, count) => sum + count, 0);
  }

  sent(kind: string): void {
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
  }

  silent(how: string): void {
    this.unanswered.set(how, (this.unanswered.get(how) ?? 0) + 1);
  }

  fail(kind: string, request: Buffer, faults: readonly string[], answer: string): void {
    this.faults += faults.length;
    this.leaks += faults.filter((fault) => /^(it shows|it has|it knows|done)/.test(fault)).length;
    this.hangs += faults.filter((fault) => fault.startsWith("no answer")).length;
    this.serverErrors += faults.filter((fault) => /^a 5\d\d$/.test(fault)).length;
    this.note(
      `${faults.join("; ")} (${kind}, seed ${this.seed})\nrequest ${shown(request.toString("latin1"), SHOWN_REQUEST)}\nanswer ${shown(answer, SHOWN_ANSWER)}`,
    );
  }

  /** A fault of something else than an answer. */
  note(failure: string): void {
    this.#say(failure);
    if (this.failures.length < MOST_FAILURES) this.failures.push(failure);
  }
}

/** As one line that JSON.parse turns into the bytes again. */
const shown = (text: string, most: number): string =>
  JSON.stringify(text.slice(0, most)) + (text.length > most ? ` … ${text.length} bytes` : "");
