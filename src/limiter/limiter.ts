/**
 * The Durable Object of one limited provider key, a thin shell around its pace. It is only called while the key is
 * limited, and writes only what an eviction must not lose: after a cut, and a little ahead, so that most places and
 * waits need no row. What it has learned it forgets an hour after the last 429, and itself with it.
 */
import { DurableObject } from "cloudflare:workers";
import type { Variables } from "../config.ts";
import { describe, log, logError } from "../log.ts";
import {
  isForgotten,
  limited,
  type Pace,
  REMEMBERED_MS,
  rateOf,
  type Taken,
  type Turn,
  take,
} from "./pace.ts";

const PACE = "pace";
/**
 * Places that are stored as given before they are: as many as stand in line, or go in so long, so that a line is stored a
 * few times in all. After an eviction those left of them are passed by unused, which must take no longer than that.
 */
const MOST_PLACES_AHEAD = 64;
const AHEAD_SECONDS = 4;
/** The same for the wait that the provider asked for: a burst of 429s moves it by a little each time. */
const WAIT_AHEAD_MS = 1_000;
/** After the storage could not be read or written. */
const RETRY_MS = 60_000;

/** Waits are told as such: the caller's clock may be another. */
export type Told =
  | Exclude<Taken, { kind: "wait" }>
  | { readonly kind: "wait"; readonly turn: Turn; readonly waitMs: number };

export class Limiter extends DurableObject<Variables> {
  /** What is stored, and how it is now. */
  #stored: Pace | null = this.ctx.storage.kv.get<Pace>(PACE) ?? null;
  #pace: Pace | null = this.#stored;

  /** Whether a job may poll; `turn`: what it was told before. */
  async take(turn: Turn | null): Promise<Told> {
    const now = Date.now();
    if (!this.#pace) return { kind: "free" };
    const { pace, taken } = take(this.#pace, turn, now, Math.random());
    await this.#keep(pace);
    return told(taken, now);
  }

  /** A poll that was sent `elapsedMs` ago was refused. `turn` as in `Limit`. */
  async limited(waitSeconds: number, elapsedMs: number, turn: Turn | null): Promise<Told> {
    const now = Date.now();
    const limit = { waitSeconds, sentAt: now - elapsedMs, turn };
    const { pace, taken } = limited(this.#pace, limit, now, Math.random());
    await this.#keep(pace);
    return told(taken, now);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    try {
      if (this.#stored && !isForgotten(this.#stored, now)) return await this.#arm();
      this.#stored = null;
      this.#pace = null;
      await this.ctx.storage.deleteAll();
    } catch (error) {
      logError("limiter.alarm_failed", { error: describe(error) });
      await this.ctx.storage.setAlarm(now + RETRY_MS);
    }
  }

  async #keep(pace: Pace): Promise<void> {
    this.#pace = pace;
    if (this.#stored && covers(this.#stored, pace)) return;
    const { base, ceiling, cutAt, head, tail, notBefore } = pace;
    if (cutAt !== this.#stored?.cutAt) log("limiter.limited", { rate: base, ceiling });
    const places = Math.min(Math.max(tail - head, rateOf(pace) * AHEAD_SECONDS), MOST_PLACES_AHEAD);
    const ahead = { ...pace, tail: tail + Math.ceil(places), notBefore: notBefore + WAIT_AHEAD_MS };
    this.ctx.storage.kv.put(PACE, ahead);
    this.#stored = ahead;
    if ((await this.ctx.storage.getAlarm()) === null) await this.#arm();
  }

  async #arm(): Promise<void> {
    if (this.#stored) await this.ctx.storage.setAlarm(this.#stored.notBefore + REMEMBERED_MS);
  }
}

/** Whether an object that had only the stored pace would let nobody go before his time, and give no place twice. */
const covers = (stored: Pace, { cutAt, tail, notBefore }: Pace): boolean =>
  cutAt === stored.cutAt && tail <= stored.tail && notBefore <= stored.notBefore;

const told = (taken: Taken, now: number): Told =>
  taken.kind === "wait" ? { kind: "wait", turn: taken.turn, waitMs: taken.until - now } : taken;
