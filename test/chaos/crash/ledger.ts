/**
 * What the callers know: of each job whether and as what it was accepted, and what they did to it. An answer that was
 * lost is in it only as lost; what it did is found out by asking again.
 */
import type { Plan } from "./plan.ts";

export interface Entry {
  readonly plan: Plan;
  /** `null` until a registration was answered with 200 or 202. */
  id: string | null;
  /** As the newest registration that began something answered. */
  eventId: string | null;
  /** Of starts that came before: their events are not expected, and no fault. */
  readonly earlierEvents: string[];
  /** Registrations that got no answer, or a 5xx. */
  lost: number;
  /** What was asked for has been answered. */
  isActed: boolean;
  /** The caller had it sent again because a crash had put it off for minutes. */
  nudges: number;
  /** As it ended; `gone` when there is no such job. */
  end: string | null;
  /** The reason of a bad end. */
  why: string | null;
  polls: number;
}

export class Ledger {
  readonly entries: readonly Entry[];
  readonly #faults: string[] = [];
  readonly seed: number;
  /** Answers that never came: the node died, or was not there. */
  unanswered = 0;
  /** 5xx answers. */
  refused = 0;

  constructor(plans: readonly Plan[], seed: number) {
    this.seed = seed;
    this.entries = plans.map((plan) => ({
      plan,
      id: null,
      eventId: null,
      earlierEvents: [],
      lost: 0,
      isActed: plan.act === null,
      nudges: 0,
      end: null,
      why: null,
      polls: 0,
    }));
  }

  /** Something that must not be; the seed repeats it, as far as chance allows. */
  fault(text: string): void {
    if (!this.#faults.includes(text)) this.#faults.push(text);
  }

  /** The same of one job. */
  faultOf({ plan, id }: Entry, text: string): void {
    this.fault(`${plan.kind} job ${plan.index} (${id ?? "no id"}): ${text}`);
  }

  faults(): string[] {
    return this.#faults;
  }
}
