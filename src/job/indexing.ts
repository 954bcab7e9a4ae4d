/**
 * Tells the tenant's index what has become of an object's jobs. Comes after everything else, is bounded, and what does
 * not get through is tried again by the object's alarm: the index is a projection, and no job waits for it.
 */
import { retentionMsOf, type Variables } from "../config.ts";
import { describe, logError } from "../log.ts";
import { type IndexBindings, putRows, removeRows } from "./index-client.ts";
import { type Keeper, MOST_ROWS } from "./keeper.ts";
import type { LimiterBindings } from "./key-limits.ts";
import type { Job } from "./record.ts";
import { type JobRow, rowOf } from "./row.ts";
import type { WakeUp } from "./wake-up.ts";

export type JobEnv = Variables & IndexBindings & LimiterBindings;

/** What changes at one time is told together, and what changes while that is under way, this much later. */
const TOGETHER_MS = 5;
const BETWEEN_MS = 50;

export class Indexing {
  readonly #keeper: Keeper;
  readonly #wakeUp: WakeUp;
  readonly #env: JobEnv;
  /** Whether the index is about to be told. */
  #isSoon = false;
  #isNew = false;

  constructor(keeper: Keeper, wakeUp: WakeUp, env: JobEnv) {
    this.#keeper = keeper;
    this.#wakeUp = wakeUp;
    this.#env = env;
  }

  get isSoon(): boolean {
    return this.#isSoon;
  }

  /** Brings the index up to date with every job here, and with those that were erased. Never throws. */
  async tell(): Promise<void> {
    try {
      await this.#tell();
    } catch (error) {
      logError("index.failed", { error: describe(error) });
      await this.#wakeUp.indexLater(Date.now());
    }
  }

  /** The same for whoever does not wait for it, with what else changes at the time. `done` is called behind it. */
  soon(done: () => void): void {
    this.#isNew = true;
    if (this.#isSoon) return;
    this.#isSoon = true;
    void this.#tellAll().then(done);
  }

  async #tellAll(): Promise<void> {
    for (let gapMs = TOGETHER_MS; this.#isNew; gapMs = BETWEEN_MS) {
      await scheduler.wait(gapMs);
      this.#isNew = false;
      await this.tell();
    }
    this.#isSoon = false;
  }

  /** Rows and reports go together, those of a tenant in one call. */
  async #tell(): Promise<void> {
    const keeper = this.#keeper;
    const jobs = keeper.toIndex(Date.now());
    const erased = keeper.erased(Date.now());
    const reports = keeper.takeReports();
    if (jobs.length + erased.length + reports.length === 0) return;
    const retentionMs = retentionMsOf(this.#env);
    const tenants = new Set([...jobs, ...erased, ...reports].map(({ tenant }) => tenant));
    const told = await Promise.all(
      [...tenants].map(async (tenant) => {
        const isIts = (what: { readonly tenant: string }): boolean => what.tenant === tenant;
        const itsJobs = jobs.filter(isIts);
        const itsReports = reports.filter(isIts).map(({ report }) => report);
        const itsErased = erased.filter(isIts);
        const rows = itsJobs.flatMap((job) => rowOrNothing(job, retentionMs));
        const [isPut, isRemoved] = await Promise.all([
          rows.length + itsReports.length === 0 || putRows(this.#env, tenant, rows, itsReports),
          itsErased.length === 0 || removeRows(this.#env, tenant, itsErased),
        ]);
        return { jobs: isPut ? itsJobs : [], erased: isRemoved ? itsErased : [] };
      }),
    );
    const toldJobs = told.flatMap((of) => of.jobs);
    const forgotten = told.flatMap((of) => of.erased);
    keeper.indexed(toldJobs);
    if (forgotten.length > 0) await keeper.forgotten(forgotten);
    if (toldJobs.length < jobs.length || forgotten.length < erased.length)
      return this.#wakeUp.indexLater(Date.now());
    // There may be more than can be told at once.
    if (Math.max(jobs.length, erased.length) >= MOST_ROWS) this.#isNew = true;
  }
}

/** A job that cannot be understood must not keep the index from hearing of the others. */
function rowOrNothing(job: Job, retentionMs: number): JobRow[] {
  try {
    return [rowOf(job, retentionMs)];
  } catch (error) {
    logError("index.job_unreadable", { job: job.id, error: describe(error) });
    return [];
  }
}
