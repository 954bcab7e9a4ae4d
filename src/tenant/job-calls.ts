/**
 * Calls of a tenant's jobs: bounded, and never thrown.
 */
import { type JobBinding, type JobStub, withJob } from "../job/placement.ts";
import { describe, logError } from "../log.ts";
import { within } from "../net/bounded.ts";
import type { OperationKind } from "./operations.ts";
import type { ParkedRow } from "./parked-table.ts";

/** A job that does not answer within this has failed, as far as an operation is concerned. */
const OPERATION_LIMIT_MS = 10_000;
/** Everybody else who is parked waits for it. */
const UNPARK_LIMIT_MS = 2_000;

export class JobCalls {
  readonly #env: JobBinding;
  readonly #tenant: string;

  constructor(env: JobBinding, tenant: string) {
    this.#env = env;
    this.#tenant = tenant;
  }

  /** Whether the job has done it. That nothing was left to cancel is no failure. */
  async operate(kind: OperationKind, id: string): Promise<boolean> {
    const answered = await this.#call(
      id,
      OPERATION_LIMIT_MS,
      (job): Promise<{ readonly kind: string }> =>
        kind === "cancel" ? job.cancel(this.#tenant, id) : job.redeliver(this.#tenant, id, null),
    );
    return answered === "found" || answered === "already_over";
  }

  /** Tells a parked delivery to ask again. `gone`: it is not parked there any more. */
  async unpark({ job: id, since }: ParkedRow): Promise<"called" | "gone" | "failed"> {
    const answered = await this.#call(id, UNPARK_LIMIT_MS, (job) => job.unpark(this.#tenant, id, since));
    return answered === "not_found"
      ? "gone"
      : answered === "called" || answered === "gone"
        ? answered
        : "failed";
  }

  /** The kind of the job's answer; `null` where none came. */
  async #call(
    id: string,
    limitMs: number,
    ask: (job: JobStub) => Promise<{ readonly kind: string }>,
  ): Promise<string | null> {
    try {
      const answer = await within(limitMs, withJob(this.#env, this.#tenant, id, ask), null);
      return answer?.kind ?? null;
    } catch (error) {
      logError("tenant.job_call_failed", { job: id, error: describe(error) });
      return null;
    }
  }
}
