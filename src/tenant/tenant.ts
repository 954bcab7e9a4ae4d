/**
 * The Durable Object of one tenant: its destinations, flow control of what is sent to them, and an index of its jobs,
 * for whoever must find one, see what failed, and repair it. All of it is off the critical path: jobs are registered,
 * polled and delivered while it is down, and bring it up to date afterwards, late or twice as it may be.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig, retentionMsOf, type Variables } from "../config.ts";
import type { Admission, AdmissionAsk, Gatekeeper } from "../job/admission.ts";
import type { AttemptReport, JobIndex, PutAnswer } from "../job/index-client.ts";
import type { JobBinding } from "../job/placement.ts";
import type { JobKey, JobRow } from "../job/row.ts";
import { describe, log, logError } from "../log.ts";
import { Together } from "../together.ts";
import type { DestinationRead } from "../webhook/destination.ts";
import {
  type DestinationInput,
  DestinationKeeper,
  type PutResult,
  type RotateResult,
} from "./destination-keeper.ts";
import { type DestinationPage, readOf, type StoredDestination } from "./destinations.ts";
import { Durations } from "./durations.ts";
import type { FeedPage } from "./feed.ts";
import { Flow } from "./flow.ts";
import { Followers } from "./followers.ts";
import { JobCalls } from "./job-calls.ts";
import { JobTable, type Page } from "./job-table.ts";
import { makeStep } from "./operation-step.ts";
import { type Operation, type OperationKind, Operations } from "./operations.ts";
import type { ParkedGroup } from "./parked-table.ts";
import type { Cursor, JobFilter } from "./query.ts";
import type { FlowState } from "./rules.ts";
import type { Stats } from "./stats.ts";

/** How often rows whose time is over are looked for; until then a list leaves them out. */
const EXPIRE_EVERY_MS = 3_600_000;
/** The same where there are no jobs, but destinations, which do not expire. */
const IDLE_EVERY_MS = 24 * EXPIRE_EVERY_MS;
/** After an attempt has ended, those who wait for its place are called together with others' soon after. */
const CALL_DELAY_MS = 20;
/** After a step that could not even be stored. */
const RETRY_MS = 10_000;

const EXPIRE_AT = "expire_at";

export interface TenantEnv extends Variables, JobBinding {}

/** A destination as its owner sees it. */
export type ShownDestination = StoredDestination & { readonly flow: FlowState };

export class Tenant extends DurableObject<TenantEnv> implements JobIndex, Gatekeeper {
  readonly #tenant = this.ctx.id.name ?? "";
  readonly #jobs = new JobTable(this.ctx.storage.sql);
  readonly #operations = new Operations(this.ctx.storage.sql);
  readonly #destinations = new DestinationKeeper(this.ctx.storage.sql, this.#tenant, () => {
    const result = readConfig(this.env);
    return result.ok ? result.config.masterKeys : [];
  });
  readonly #flow = new Flow(this.ctx.storage.sql, (name) => this.#destinations.table.rulesOf(name));
  readonly #calls = new JobCalls(this.env, this.#tenant);
  readonly #followers = new Followers();
  readonly #together = new Together();
  readonly #durations = new Durations(this.ctx.storage.kv, this.#jobs);
  /** Where the alarm stands; `null` when it has fired since, or when nothing is known. */
  #armedAt: number | null = null;

  /** Takes over what is newer than what it has, and what has come of attempts. A version before asks for the hosts only. */
  async put(
    rows: readonly JobRow[],
    reports: readonly AttemptReport[] = [],
    asksAll = false,
  ): Promise<PutAnswer | readonly string[]> {
    await this.#together.turn();
    if (rows.length > 0) {
      const entries = this.ctx.storage.transactionSync(() => this.#jobs.put(rows, Date.now()));
      this.#jobs.entered(entries);
      this.#durations.learn(rows, entries);
      this.#followers.tell(entries);
    }
    if (this.#flow.report(reports, Date.now())) await this.#callSoon();
    await this.#wakeWithin(EXPIRE_EVERY_MS);
    const troubled = reports.flatMap(({ host }) => (this.#flow.isOpen(host) ? [host] : []));
    return asksAll ? { troubled, learned: this.#durations.of(rows) } : troubled;
  }

  /** Whether a delivery may go out now, and where its destination is. */
  async admit(ask: AdmissionAsk): Promise<Admission> {
    const admission = await this.#flow.admit(ask, Date.now);
    if (admission.kind === "park") await this.#callSoon([{ ...admission, destination: ask.destination }]);
    return admission;
  }

  /** Forgets these jobs. */
  async remove(keys: readonly JobKey[]): Promise<void> {
    // Not before the rows that came before.
    await this.#together.turn();
    this.#jobs.remove(keys);
  }

  async list(filter: JobFilter, cursor: Cursor | null, limit: number): Promise<Page> {
    return this.#jobs.list(filter, cursor, limit, Date.now());
  }

  async count(filter: JobFilter): Promise<number> {
    return this.#jobs.count(filter, Date.now());
  }

  /**
   * The feed behind `after`; with `waitMs`, as it is once something is there, or after that time. `isFull`: as many wait
   * already as may, those of one owner apart from others, so that it was not waited for.
   */
  async events(
    after: number | null,
    limit: number,
    waitMs: number,
    owner?: string,
  ): Promise<FeedPage & { readonly isFull: boolean }> {
    const until = Date.now() + waitMs;
    for (let from = after; ; ) {
      const page = this.#jobs.events(from, limit, owner, Date.now());
      const restMs = until - Date.now();
      const isFull = page.entries.length === 0 && this.#followers.isFull(owner);
      if (page.entries.length > 0 || restMs <= 0 || isFull) return { ...page, isFull };
      from = page.next;
      await this.#followers.wait(owner, restMs);
    }
  }

  /** Figures from `from` to `to` (epoch ms); a Worker of the version before says only from when. */
  async stats(from: number, to = Date.now()): Promise<Stats> {
    return this.#jobs.stats(from, to);
  }

  /** Begins an operation on every job that fits, under this id. */
  async start(id: string, kind: OperationKind, filter: JobFilter): Promise<Operation> {
    const now = Date.now();
    const operation = this.#operations.start(id, kind, filter, this.#jobs.count(filter, now), now);
    await this.#arm(now);
    log("operation.started", { operation: id, kind, total: operation.total });
    return operation;
  }

  async operation(id: string): Promise<Operation | null> {
    return this.#operations.find(id);
  }

  /** What a job is told, at each attempt. */
  async destination(name: string): Promise<{ kind: "found"; read: DestinationRead } | { kind: "missing" }> {
    const stored = await this.#destinations.find(name);
    if (!stored) return { kind: "missing" };
    return { kind: "found", read: readOf(stored) };
  }

  /** What its owner is told. */
  async findDestination(name: string): Promise<ShownDestination | null> {
    const stored = await this.#destinations.find(name);
    return stored && this.#shown(stored);
  }

  async listDestinations(
    after: string | null,
    limit: number,
  ): Promise<DestinationPage & { readonly destinations: readonly ShownDestination[] }> {
    const page = await this.#destinations.list(after, limit);
    return { ...page, destinations: page.destinations.map((stored) => this.#shown(stored)) };
  }

  async putDestination(name: string, input: DestinationInput): Promise<PutResult<ShownDestination>> {
    const result = await this.#destinations.put(name, input);
    await this.#wakeWithin(IDLE_EVERY_MS);
    if (result.kind === "limit" || result.kind === "headers_needed") return result;
    // Who waits for it may try at once whether that has helped.
    this.#flow.repaired(result.destination.host, Date.now());
    await this.#callSoon();
    return { ...result, destination: this.#shown(result.destination) };
  }

  async rotateSecret(name: string, overlapMs: number, secret: string | null = null): Promise<RotateResult> {
    return this.#destinations.rotate(name, overlapMs, secret);
  }

  async pauseDestination(name: string, isPaused: boolean): Promise<ShownDestination | null> {
    const stored = this.#destinations.table.pause(name, isPaused, Date.now());
    await this.#callSoon();
    return stored && this.#shown(stored);
  }

  /** Whether it was there. */
  async removeDestination(name: string): Promise<boolean> {
    const isRemoved = this.#destinations.table.remove(name);
    await this.#callSoon();
    return isRemoved;
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#armedAt = null;
    try {
      const work = this.#operations.next();
      await Promise.all([
        work && makeStep(work, { jobs: this.#jobs, operations: this.#operations }, this.#calls),
        ...this.#flow.toCall(now).map(async (row) => {
          this.#flow.answered(row, await this.#calls.unpark(row), Date.now());
        }),
      ]);
      const isDue = now >= this.#expireAt(0);
      if (isDue) await this.#destinations.resealAll(now);
      const isEmpty = isDue && !this.#expire(now);
      if (!isEmpty) return await this.#arm(Date.now());
      this.#armedAt = null;
      this.#durations.forget();
      await this.ctx.storage.deleteAll();
    } catch (error) {
      logError("tenant.alarm_failed", { error: describe(error) });
      await this.#setAlarm(now + RETRY_MS);
    }
  }

  /** Forgets what is past its time; whether anything is left. */
  #expire(now: number): boolean {
    const retentionMs = retentionMsOf(this.env);
    const isIndex = [
      this.#jobs.expire(now, retentionMs),
      this.#operations.expire(now),
      this.#flow.expire(now),
    ].includes(true);
    if (isIndex) this.#durations.save();
    this.ctx.storage.kv.put(EXPIRE_AT, now + (isIndex ? EXPIRE_EVERY_MS : IDLE_EVERY_MS));
    return isIndex || !this.#destinations.table.isEmpty();
  }

  /** Sees to an alarm at the latest in `ms` from now. */
  async #wakeWithin(ms: number): Promise<void> {
    const now = Date.now();
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm !== null && alarm <= now + ms) return;
    if (this.#expireAt(0) > now + ms) this.ctx.storage.kv.put(EXPIRE_AT, now + ms);
    await this.#arm(now);
  }

  #shown(stored: StoredDestination): ShownDestination {
    return { ...stored, flow: this.#flow.stateOf(stored.name, stored.host, Date.now()) };
  }

  /** Sees to an alarm for those who are parked, should one of them be due before the one that is set. */
  async #callSoon(groups?: readonly ParkedGroup[]): Promise<void> {
    const now = Date.now();
    // Many may end at one time: one look is enough for all of them.
    if (this.#armedAt !== null && this.#armedAt <= now + CALL_DELAY_MS) return;
    const wakeAt = this.#flow.wakeAt(now, groups);
    const alarm = await this.ctx.storage.getAlarm();
    if (wakeAt === null || (alarm !== null && alarm <= wakeAt)) return;
    await this.#setAlarm(Math.max(wakeAt, now + CALL_DELAY_MS));
  }

  async #setAlarm(at: number): Promise<void> {
    this.#armedAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  /** When rows are next looked at (epoch ms). */
  #expireAt(unset: number): number {
    return this.ctx.storage.kv.get<number>(EXPIRE_AT) ?? unset;
  }

  /** At once while there is work, else when rows may be past their time. */
  async #arm(now: number): Promise<void> {
    const expireAt = this.#expireAt(now + EXPIRE_EVERY_MS);
    const callAt = this.#flow.wakeAt(now) ?? expireAt;
    const at = Math.min(Math.max(expireAt, now + 1_000), Math.max(callAt, now + CALL_DELAY_MS));
    await this.#setAlarm(this.#operations.next() ? now : at);
  }
}
