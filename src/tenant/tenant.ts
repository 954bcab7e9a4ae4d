/**
 * The Durable Object of one tenant: its destinations, and an index of its jobs, for whoever must find one, see what
 * failed, and repair it. The index is a projection off the critical path: jobs are registered, polled and delivered
 * without it, and bring it up to date afterwards, late or twice as it may be.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig, type Variables } from "../config.ts";
import type { JobIndex } from "../job/index-client.ts";
import type { JobKey, JobRow } from "../job/row.ts";
import { describe, log, logError } from "../log.ts";
import type { DestinationRead } from "../webhook/destination.ts";
import {
  type DestinationInput,
  DestinationKeeper,
  type PutResult,
  type RotateResult,
} from "./destination-keeper.ts";
import type { DestinationPage, StoredDestination } from "./destinations.ts";
import { JobTable, type Page } from "./job-table.ts";
import { type JobBinding, makeStep } from "./operation-step.ts";
import { type Operation, type OperationKind, Operations } from "./operations.ts";
import type { Cursor, JobFilter } from "./query.ts";
import type { Stats } from "./stats.ts";

/** How often rows whose time is over are looked for; until then a list leaves them out. */
const EXPIRE_EVERY_MS = 3_600_000;
/** The same where there are no jobs, but destinations, which do not expire. */
const IDLE_EVERY_MS = 24 * EXPIRE_EVERY_MS;
/** After a step that could not even be stored. */
const RETRY_MS = 10_000;

const EXPIRE_AT = "expire_at";

export interface TenantEnv extends Variables, JobBinding {}

export class Tenant extends DurableObject<TenantEnv> implements JobIndex {
  readonly #tenant = this.ctx.id.name ?? "";
  readonly #jobs = new JobTable(this.ctx.storage.sql);
  readonly #operations = new Operations(this.ctx.storage.sql);
  readonly #destinations = new DestinationKeeper(this.ctx.storage.sql, this.#tenant, () => {
    const result = readConfig(this.env);
    return result.ok ? result.config.masterKeys : [];
  });

  /** Takes over what is newer than what it has. */
  async put(rows: readonly JobRow[]): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#jobs.put(rows));
    await this.#wakeWithin(EXPIRE_EVERY_MS);
  }

  /** Forgets these jobs. */
  async remove(keys: readonly JobKey[]): Promise<void> {
    this.#jobs.remove(keys);
  }

  async list(filter: JobFilter, cursor: Cursor | null, limit: number): Promise<Page> {
    return this.#jobs.list(filter, cursor, limit, Date.now());
  }

  async count(filter: JobFilter): Promise<number> {
    return this.#jobs.count(filter, Date.now());
  }

  /** Figures since `from` (epoch ms). */
  async stats(from: number): Promise<Stats> {
    return this.#jobs.stats(from);
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
    const { sealed, host, retrySchedule, format } = stored;
    return { kind: "found", read: { copy: { sealed, host, retrySchedule }, format } };
  }

  /** What its owner is told. */
  async findDestination(name: string): Promise<StoredDestination | null> {
    return this.#destinations.find(name);
  }

  async listDestinations(after: string | null, limit: number): Promise<DestinationPage> {
    return this.#destinations.list(after, limit);
  }

  async putDestination(name: string, input: DestinationInput): Promise<PutResult> {
    const result = await this.#destinations.put(name, input);
    await this.#wakeWithin(IDLE_EVERY_MS);
    return result;
  }

  async rotateSecret(name: string, overlapMs: number): Promise<RotateResult> {
    return this.#destinations.rotate(name, overlapMs);
  }

  async pauseDestination(name: string, isPaused: boolean): Promise<StoredDestination | null> {
    return this.#destinations.table.pause(name, isPaused, Date.now());
  }

  /** Whether it was there. */
  async removeDestination(name: string): Promise<boolean> {
    return this.#destinations.table.remove(name);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    try {
      const work = this.#operations.next();
      if (work)
        await makeStep(work, { jobs: this.#jobs, operations: this.#operations }, this.env, this.#tenant);
      const isDue = now >= this.#expireAt(0);
      if (isDue) await this.#destinations.resealAll(now);
      const isEmpty = isDue && !this.#expire(now);
      await (isEmpty ? this.ctx.storage.deleteAll() : this.#arm(Date.now()));
    } catch (error) {
      logError("tenant.alarm_failed", { error: describe(error) });
      await this.ctx.storage.setAlarm(now + RETRY_MS);
    }
  }

  /** Forgets what is past its time; whether anything is left. */
  #expire(now: number): boolean {
    const isIndex = [this.#jobs.expire(now), this.#operations.expire(now)].includes(true);
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

  /** When rows are next looked at (epoch ms). */
  #expireAt(unset: number): number {
    return this.ctx.storage.kv.get<number>(EXPIRE_AT) ?? unset;
  }

  /** At once while there is work, else when rows may be past their time. */
  async #arm(now: number): Promise<void> {
    const expireAt = this.#expireAt(now + EXPIRE_EVERY_MS);
    await this.ctx.storage.setAlarm(this.#operations.next() ? now : Math.max(expireAt, now + 1_000));
  }
}
