/**
 * A client as a good one is: whatever is not answered, or with a 5xx, is asked again until it is. Every refusal is looked
 * at: it has to be a problem, and to tell nothing of what is wrong inside.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "./ledger.ts";
import type { Plan, Tenant } from "./plan.ts";
import type { World } from "./world.ts";

/** A call that is not answered by then is given up, and made again. */
const CALL_LIMIT_MS = 10_000;
export const REPEAT_MS = 150;

export interface Answered {
  readonly status: number;
  readonly json: JobJson;
  /** Calls before this one that were not answered, or with a 5xx. */
  readonly lost: number;
}

/** What of an answer is looked at; a problem has a `code`. */
export interface JobJson {
  readonly id?: string;
  readonly event_id?: string;
  readonly status?: string;
  readonly outcome?: string | null;
  readonly next_attempt_at?: string | null;
  readonly polls?: number;
  readonly error?: { readonly reason: string } | null;
  readonly delivery_error?: { readonly reason: string } | null;
  readonly code?: string;
  readonly jobs?: readonly JobJson[];
  readonly next_cursor?: string | null;
  readonly operation?: { readonly id: string; readonly status: string };
  readonly results?: readonly {
    readonly status: number;
    readonly job?: JobJson;
    readonly problem?: JobJson;
  }[];
}

/** At one time, as any client has its limit: thousands that repeat at once would be all that a node just started does. */
const MOST_CALLS = 100;

export class Client {
  readonly #world: World;
  readonly #places: (() => void)[] = [];
  #underWay = 0;
  readonly #ledger: Ledger;
  /** When a call that nobody answers is a fault. */
  readonly limitMs: number;

  constructor(world: World, ledger: Ledger, limitMs: number) {
    this.#world = world;
    this.#ledger = ledger;
    this.limitMs = limitMs;
  }

  /** Repeats a call until it is answered with anything but a 5xx. `null` where that never happens. */
  async insist(by: Tenant | Plan, method: string, path: string, body?: unknown): Promise<Answered | null> {
    const limit = Date.now() + this.limitMs;
    for (let lost = 0; Date.now() < limit; lost++) {
      const answer = await this.#once(by, method, path, body);
      if (answer && answer.status < 500) return { ...answer, lost };
      await sleep(REPEAT_MS * (1 + Math.min(lost, 5)));
    }
    this.#ledger.fault(`${method} ${path} was not answered within ${this.limitMs / 1000} s`);
    return null;
  }

  /** One call, when there is a place for it; `null` where it was not answered. */
  async #once(
    by: Tenant | Plan,
    method: string,
    path: string,
    body: unknown,
  ): Promise<Omit<Answered, "lost"> | null> {
    if (this.#underWay >= MOST_CALLS) await new Promise<void>((resolve) => this.#places.push(resolve));
    else this.#underWay++;
    try {
      return await this.#call(by, method, path, body);
    } finally {
      const next = this.#places.shift();
      if (next) next();
      else this.#underWay--;
    }
  }

  async #call(
    by: Tenant | Plan,
    method: string,
    path: string,
    body: unknown,
  ): Promise<Omit<Answered, "lost"> | null> {
    const late = new AbortController();
    try {
      const text = await Promise.race([
        this.#world.call(by, method, path, body).then(async (response) => ({
          status: response.status,
          type: response.headers.get("content-type"),
          text: await response.text(),
        })),
        sleep(CALL_LIMIT_MS, null, { signal: late.signal, ref: false }),
      ]);
      if (!text) throw new Error("too late");
      return this.#judged(method, path, text);
    } catch {
      this.#ledger.unanswered++;
      return null;
    } finally {
      late.abort();
    }
  }

  /** A refusal of ours is a problem, and tells nothing of what is wrong inside. */
  #judged(
    method: string,
    path: string,
    { status, type, text }: { status: number; type: string | null; text: string },
  ): Omit<Answered, "lost"> {
    if (status >= 500) {
      this.#ledger.refused++;
      if (type !== "application/problem+json" || /sqlite|disk|workerd|\bat \w+ \(/i.test(text))
        this.#ledger.fault(
          `${method} of ${path.replace(/job_\w+/, "{id}")} was refused with ${type}: ${text}`,
        );
    }
    return { status, json: text === "" ? {} : (JSON.parse(text) as JobJson) };
  }
}
