/**
 * The Durable Object of one generation call, a thin shell: the intent is stored, then the call forwarded, the answer
 * stored with the registration that follows from it, the job registered, the caller answered. The caller may be gone
 * by then. A call is never forwarded twice.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig } from "../config.ts";
import { type IndexBindings, putRows } from "../job/index-client.ts";
import type { Registered } from "../job/job.ts";
import { type JobBinding, registerJob, withJob } from "../job/placement.ts";
import { makeRegistration } from "../job/registering.ts";
import { describe, log, logError } from "../log.ts";
import { exchange } from "../provider/client.ts";
import * as lifecycle from "./lifecycle.ts";
import { type GenerationRecord, GenerationStore, type Outcome } from "./record.ts";

/** When the object tries again after its storage could not be read. */
const UNREADABLE_RETRY_MS = 60_000;

export interface GenerationBindings extends JobBinding, IndexBindings {}

/** What the caller is told. */
export type Forwarded =
  | {
      readonly kind: "done";
      readonly outcome: Outcome;
      /** The answer's JSON object; `null` beside a fault. */
      readonly body: Uint8Array | null;
      /** `null` where nothing is watched. */
      readonly jobId: string | null;
    }
  /** The `Idempotency-Key` was used for another call. */
  | { readonly kind: "other_call" }
  /** The object died with the call under way: nobody knows what came of it. */
  | { readonly kind: "unknown" };

export class Generation extends DurableObject<GenerationBindings> {
  readonly #store = new GenerationStore(this.ctx.storage.kv);
  #running: Promise<Forwarded> | null = null;

  /** Forwards the call, once; a repetition gets what came of it, or waits for that. */
  async forward(intent: lifecycle.Intent): Promise<Forwarded> {
    const record = this.#store.load();
    if (record && record.digest !== intent.digest) return { kind: "other_call" };
    if (this.#running) return this.#running;
    if (record) return this.#known(record);
    // Held by the object, not by the caller who asked: whoever hangs up ends nothing.
    this.#running = this.#run(intent);
    try {
      return await this.#running;
    } finally {
      this.#running = null;
    }
  }

  /** The provider says that something has happened: believed only so far that the job looks. */
  async hint(): Promise<void> {
    const record = this.#store.load();
    if (!record) return;
    if (!record.job || record.pending) {
      if (!record.hinted) this.#store.save({ ...record, hinted: true });
      return;
    }
    await this.#passHint(record.job);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    try {
      const record = this.#store.load();
      if (!record) return;
      // The call sets its own alarm when it ends; until then this one must not be used up, should the object die.
      if (this.#running) return await this.ctx.storage.setAlarm(now + lifecycle.RUNNING_RETRY_MS);
      if (record.pending) await this.#register(record);
      await this.#armOrForget(now);
    } catch (error) {
      logError("generation.alarm_failed", { error: describe(error) });
      await this.ctx.storage.setAlarm(now + UNREADABLE_RETRY_MS);
    }
  }

  async #run(intent: lifecycle.Intent): Promise<Forwarded> {
    const result = readConfig(this.env);
    // The Worker has read the same variables a moment ago.
    if (!result.ok) throw new Error("The configuration cannot be used.");
    const { config } = result;
    const begun = lifecycle.begin(intent, Date.now());
    this.#store.save(begun);
    await this.ctx.storage.setAlarm(lifecycle.wakeAt(begun, begun.startedAt));
    const call = { url: `${config.providerOrigins[0]}/api/${intent.path}`, body: intent.body };
    const limits = { timeoutMs: lifecycle.CALL_TIMEOUT_MS, maxBytes: config.maxOutputBytes };
    const seen = await exchange(call, intent.providerKey, limits);
    const judged = lifecycle.judge(seen, Date.now());
    log("generation.forwarded", {
      generation: intent.name,
      result: judged.verdict?.kind ?? "fault",
      status: seen.kind === "answer" ? seen.status : null,
      duration_ms: seen.durationMs,
    });
    const wish = lifecycle.wishFor(intent, seen, judged.verdict, config.providerOrigins);
    const registration = wish && (await makeRegistration(wish, config));
    const record = lifecycle.answered(this.#store.load() ?? begun, judged.outcome, registration, Date.now());
    if (!lifecycle.mayBeRepeated(judged)) return done(await this.#settle(record, judged.body), judged.body);
    await this.ctx.storage.deleteAll();
    return done(record, judged.body);
  }

  /** Stores the outcome and what is to be registered in one commit; then registers. Answers with what came of that. */
  async #settle(record: GenerationRecord, body: Uint8Array | null): Promise<GenerationRecord> {
    if (body && (record.repeatable || record.pending?.hasFinalAnswer)) this.#store.saveWithBody(record, body);
    else this.#store.save(record);
    await this.ctx.storage.setAlarm(lifecycle.wakeAt(record, Date.now()));
    const stored = this.#store.load();
    if (stored?.pending) await this.#register(stored);
    const settled = this.#store.load() ?? record;
    await this.#armOrForget(Date.now());
    return settled;
  }

  /** Hands the registration to the job's object; what does not get through is tried again by the alarm. */
  async #register(record: GenerationRecord): Promise<void> {
    const { pending } = record;
    if (!pending) return;
    const finalAnswer = pending.hasFinalAnswer ? this.#store.readBody(record) : null;
    const { id } = pending.registration;
    let kind: Registered["kind"];
    try {
      const result = await registerJob(this.env, { ...pending.registration, finalAnswer });
      kind = result.kind;
      log("generation.registered", { job: id, result: kind });
      // Not waited for, and never thrown: the job itself tells the index too.
      if (result.kind !== "other_owner" && result.row)
        void putRows(this.env, pending.registration.tenant, [result.row]);
    } catch (error) {
      logError("generation.register_failed", { job: id, error: describe(error) });
      this.#store.save(lifecycle.triedInVain(this.#store.load() ?? record, Date.now()));
      return;
    }
    if (kind === "conflict" || kind === "other_owner") logError("generation.conflict", { job: id });
    const done = lifecycle.registered(this.#store.load() ?? record, kind);
    if (done.repeatable) this.#store.save(done);
    else this.#store.saveWithoutBody(done);
    if (done.hinted && done.job) await this.#passHint(done.job);
  }

  async #passHint({ tenant, id }: { readonly tenant: string; readonly id: string }): Promise<void> {
    try {
      await withJob(this.env, tenant, id, (job) => job.hint(tenant, id));
    } catch (error) {
      // The job polls by itself all the same.
      logError("generation.hint_failed", { job: id, error: describe(error) });
    }
  }

  async #armOrForget(now: number): Promise<void> {
    const record = this.#store.load();
    if (!record) return;
    if (lifecycle.isStale(record, now)) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(Math.max(lifecycle.wakeAt(record, now), now));
  }

  #known(record: GenerationRecord): Forwarded {
    const body = record.outcome?.kind === "answer" ? this.#store.readBody(record) : null;
    if (record.outcome?.kind === "answer" && !body) return { kind: "unknown" };
    return done(record, body);
  }
}

function done({ outcome, job }: GenerationRecord, body: Uint8Array | null): Forwarded {
  return outcome ? { kind: "done", outcome, body, jobId: job?.id ?? null } : { kind: "unknown" };
}
