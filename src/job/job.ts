/**
 * The Durable Object: a thin shell. Its methods load, ask `lifecycle`, save the job and its alarm in one turn; its
 * alarm runs what is due. Whatever the outside world answers, `alarm()` does not throw, and no path leaves a job
 * without its next wake-up. An object hosts one job, or many (`placement`); only `agenda` knows the difference.
 */
import { DurableObject } from "cloudflare:workers";
import { retentionMsOf, secondsPerPollOf } from "../config.ts";
import { type Reach, reaches } from "../crypto/rights.ts";
import { describe, log, logError } from "../log.ts";
import { ManyJobs, OneJob } from "./agenda.ts";
import * as callback from "./callback.ts";
import { type EventRead, readEvent } from "./event-read.ts";
import { isJobId, newEventId } from "./ids.ts";
import { Indexing, type JobEnv } from "./indexing.ts";
import { Keeper } from "./keeper.ts";
import { withLearned } from "./learned-here.ts";
import * as lifecycle from "./lifecycle.ts";
import { called } from "./parking.ts";
import { type Progress, progressSince } from "./progress.ts";
import { isOver, type Job as JobRecord } from "./record.ts";
import type { Callback, Registration } from "./registering.ts";
import { type JobRow, rowOf } from "./row.ts";
import { Shift, UNREADABLE_RETRY_MS } from "./shift.ts";
import { JobStore } from "./store.ts";
import { type JobView, viewOf } from "./view.ts";
import { WakeUp } from "./wake-up.ts";

export type Found = { readonly kind: "found"; readonly view: JobView };
export type NotFound = { readonly kind: "not_found" } | OtherOwner;
/** It is there, but out of the caller's reach. */
export type OtherOwner = { readonly kind: "other_owner" };
/** What is done to a job, or why it is not. */
type Done<Refusal extends string> = Found | NotFound | { readonly kind: Refusal };
export type Registered =
  | {
      readonly kind: "created" | "exists" | "conflict";
      readonly view: JobView;
      /** For the tenant's index: of a job that is new. */
      readonly row: JobRow | null;
    }
  | OtherOwner;

export class Job extends DurableObject<JobEnv> {
  readonly #store = new JobStore(this.ctx.storage);
  readonly #agenda = isJobId(this.ctx.id.name ?? "")
    ? new OneJob(this.#store)
    : new ManyJobs(this.#store, this.ctx.storage.sql);
  readonly #wakeUp = new WakeUp(this.ctx.storage, this.#store, this.#agenda);
  readonly #keeper = new Keeper(this.ctx.storage, this.#store, this.#agenda, this.#wakeUp, () => {
    // Of one job, whoever registers it and each of its runs tell the index themselves.
    if (this.#agenda.isShared) this.#indexing.soon(this.#shift.notice);
  });
  readonly #indexing = new Indexing(this.#keeper, this.#wakeUp, this.env);
  readonly #shift = new Shift(this.#keeper, this.#wakeUp, this.#indexing, this.env);
  #working: Promise<void> | null = null;

  /** Stores the job and its wake-up in one commit; the reply leaves only after it (output gate). */
  async register(registration: Registration): Promise<Registered> {
    await this.#keeper.turn();
    const existing = this.#keeper.load(registration.id);
    const meaning = existing ? callback.again(existing, registration) : "start_anew";
    const now = Date.now();
    if (!existing || meaning === "start_anew") {
      const start = {
        now,
        random: Math.random(),
        eventId: newEventId(),
        retentionMs: retentionMsOf(this.env),
        secondsPerPoll: secondsPerPollOf(this.env),
      };
      const job = lifecycle.begin(callback.ownedAsBefore(existing, withLearned(registration)), start);
      await (existing ? this.#keeper.replace(job) : this.#keeper.save(job, null));
      log("job.registered", { job: job.id, endpoint: job.endpoint, anew: existing !== null });
      // Many jobs' object tells the index itself, many at a time.
      const row = this.#keeper.isShared ? null : rowOf(this.#keeper.load(job.id) ?? job, start.retentionMs);
      return { kind: "created", view: this.#view(job), row };
    }
    if (meaning === "other_owner") return { kind: meaning };
    if (meaning === "set_callback") {
      const answer = this.#keeper.readAnswer(existing);
      const job = callback.withCallback(existing, registration, answer, now);
      await this.#keeper.save(job);
      return { kind: "exists", view: this.#view(job), row: null };
    }
    await this.#wakeUp.repair(existing.id);
    return { kind: meaning === "conflict" ? "conflict" : "exists", view: this.#view(existing), row: null };
  }

  /** The job; with `waitMs`, as it is after its next change or that time, unless it is over already. */
  async read(tenant: string, id: string, waitMs = 0, reach: Reach = {}): Promise<Found | NotFound> {
    const stored = this.#find(tenant, id, reach);
    if (!("kind" in stored)) await this.#wakeUp.repair(stored.id);
    // Loaded anew: no change may fall between this look and the wait.
    const job = this.#find(tenant, id, reach);
    if ("kind" in job) return job;
    if (waitMs <= 0 || isOver(job.state)) return { kind: "found", view: this.#view(job) };
    await this.#keeper.waitForChange(id, waitMs);
    return this.read(tenant, id, 0, reach);
  }

  /** What has happened to the job since the event with that id; held for up to `waitMs` until something does. */
  async progress(
    tenant: string,
    id: string,
    after: string,
    waitMs: number,
    reach: Reach = {},
  ): Promise<Progress | NotFound> {
    for (const until = Date.now() + waitMs; ; ) {
      const job = this.#find(tenant, id, reach);
      if ("kind" in job) return job;
      const progress = progressSince(after, job, this.#keeper.isWatchedByAll(id));
      const restMs = until - Date.now();
      if (progress.events.length > 0 || progress.isOver || progress.isFull || restMs <= 0) return progress;
      await this.#keeper.waitForChange(id, restMs);
    }
  }

  /** The job's event, unless the answer in it has more bytes than that. */
  async event(
    tenant: string,
    id: string,
    maxBytes: number,
    reach: Reach = {},
  ): Promise<EventRead | NotFound> {
    const job = this.#find(tenant, id, reach);
    return "kind" in job ? job : readEvent(job, maxBytes, () => this.#keeper.readAnswer(job));
  }

  async cancel(tenant: string, id: string, reach: Reach = {}): Promise<Done<"already_over">> {
    const job = this.#find(tenant, id, reach);
    if ("kind" in job) return job;
    const canceled = lifecycle.cancel(job, Date.now(), retentionMsOf(this.env));
    if (!canceled) return { kind: "already_over" };
    this.#keeper.leavePark(job);
    await this.#keeper.save(canceled);
    log("job.canceled", { job: id });
    return { kind: "found", view: this.#view(canceled) };
  }

  /** Sends the event again, at once; from now on to `callbackUrl` or `destination`, where one of them is named. */
  async redeliver(
    tenant: string,
    id: string,
    callbackUrl: string | null,
    destination: Callback["destination"] = null,
    reach: Reach = {},
  ): Promise<Done<"nothing_to_deliver">> {
    const job = this.#find(tenant, id, reach);
    if ("kind" in job) return job;
    const to = callbackUrl === null && !destination ? null : { callbackUrl, destination };
    const again = callback.redeliver(job, to, Date.now());
    if (!again) return { kind: "nothing_to_deliver" };
    this.#keeper.leavePark(job);
    await this.#keeper.save(again);
    log("job.redelivered", { job: id });
    return { kind: "found", view: this.#view(again) };
  }

  /** The tenant's object says that a delivery, parked since then, may go out: it asks again. */
  async unpark(
    tenant: string,
    id: string,
    since: number,
  ): Promise<{ readonly kind: "called" | "gone" | "not_found" }> {
    const job = this.#loadFor(tenant, id);
    if (!job) return { kind: "not_found" };
    if (this.#keeper.running.has(id)) {
      // That run may just have been told to park it, and not have stored that yet.
      this.#keeper.called.add(id);
      return { kind: "called" };
    }
    const next = called(job, since, Date.now());
    if (next) await this.#keeper.save(next);
    return { kind: next ? "called" : "gone" };
  }

  /** Polls now if that may help; what is hinted is not believed. */
  async hint(tenant: string, id: string): Promise<{ readonly kind: "hinted" | "not_found" }> {
    const job = this.#loadFor(tenant, id);
    if (!job) return { kind: "not_found" };
    const hinted = lifecycle.hinted(job, Date.now());
    if (hinted) await this.#keeper.save(hinted);
    return { kind: "hinted" };
  }

  async erase(
    tenant: string,
    id: string,
    reach: Reach = {},
  ): Promise<NotFound | { readonly kind: "erased" }> {
    const job = this.#find(tenant, id, reach);
    if ("kind" in job) return job;
    this.#keeper.leavePark(job);
    await this.#keeper.erase(job);
    log("job.erased", { job: id });
    await this.#indexing.tell();
    return { kind: "erased" };
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    this.#working ??= this.#work(info?.isRetry === true).finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  async #work(isRetry: boolean): Promise<void> {
    this.#wakeUp.fired(this.#shift.notice);
    try {
      await this.#shift.work(isRetry);
      this.#wakeUp.ended();
      await this.#wakeUp.arm();
    } catch (error) {
      logError("alarm.failed", { error: describe(error) });
      this.#wakeUp.ended();
      await this.#wakeUp.set(Date.now() + UNREADABLE_RETRY_MS);
    }
  }

  /** Another tenant's job is none; of one that is out of reach nothing is told. */
  #find(tenant: string, id: string, reach: Reach): JobRecord | NotFound {
    const job = this.#loadFor(tenant, id);
    if (!job) return { kind: "not_found" };
    return reaches(reach, job) ? job : { kind: "other_owner" };
  }

  #loadFor(tenant: string, id: string): JobRecord | null {
    const job = this.#keeper.load(id);
    return job?.tenant === tenant ? job : null;
  }

  #view(job: JobRecord): JobView {
    return viewOf(job, this.#keeper.readAnswer(job));
  }
}
