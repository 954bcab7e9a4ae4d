/**
 * The Durable Object of one tenant: an index of its jobs, for whoever must find one. A projection off the critical path:
 * jobs are registered, polled and delivered without it, and bring it up to date afterwards, late or twice as it may be.
 */
import { DurableObject } from "cloudflare:workers";
import type { Variables } from "../config.ts";
import { describe, logError } from "../log.ts";
import { JobTable, type Page } from "./job-table.ts";
import type { Cursor, JobFilter } from "./query.ts";
import type { JobRow } from "./row.ts";

/** How often rows whose time is over are looked for; until then a list leaves them out. */
const EXPIRE_EVERY_MS = 3_600_000;

export class Tenant extends DurableObject<Variables> {
  readonly #jobs = new JobTable(this.ctx.storage.sql);

  /** Takes over what is newer than what it has. */
  async put(rows: readonly JobRow[]): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#jobs.put(rows));
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + EXPIRE_EVERY_MS);
  }

  /** Forgets these jobs. */
  async remove(keys: readonly Cursor[]): Promise<void> {
    this.#jobs.remove(keys);
  }

  async list(filter: JobFilter, cursor: Cursor | null, limit: number): Promise<Page> {
    return this.#jobs.list(filter, cursor, limit, Date.now());
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    try {
      if (this.#jobs.expire(now)) await this.ctx.storage.setAlarm(now + EXPIRE_EVERY_MS);
      else await this.ctx.storage.deleteAll();
    } catch (error) {
      logError("tenant.alarm_failed", { error: describe(error) });
      await this.ctx.storage.setAlarm(now + EXPIRE_EVERY_MS);
    }
  }
}
