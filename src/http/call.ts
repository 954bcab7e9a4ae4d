/**
 * What a route is given, and how it calls a job's object. A call that the platform lost is made again, with a fresh
 * stub: repeating any of them does no harm, though the answer may then speak of what the lost call did (a second
 * cancel says that the job is over). An overloaded object is never asked again.
 */
import type { Config, Variables } from "../config.ts";
import type { Claims } from "../crypto/token.ts";
import type { Generation } from "../generation/generation.ts";
import type { Job } from "../job/job.ts";
import type { Limiter } from "../limiter/limiter.ts";
import type { Tenant } from "../tenant/tenant.ts";
import type { Problem } from "./problem.ts";

/** What wrangler binds. */
export interface Bindings extends Variables {
  readonly JOB: DurableObjectNamespace<Job>;
  readonly GENERATION: DurableObjectNamespace<Generation>;
  readonly TENANT: DurableObjectNamespace<Tenant>;
  readonly LIMITER: DurableObjectNamespace<Limiter>;
  /** Counts the calls of each token, if there is one. */
  readonly RATE_LIMIT?: RateLimit;
}

/** What a route is given. */
export interface Call {
  readonly request: Request;
  readonly env: Bindings;
  readonly config: Config;
  /** The path's `{id}`; empty where it has none. */
  readonly jobId: string;
  /** The path's `{name}`; empty where it has none. */
  readonly name: string;
  /** Lets work go on when the caller has been answered, or has gone. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

/** Answers for a caller whose token has been checked. */
export type Route = (call: Call, claims: Claims) => Promise<Response | Problem>;

/** The object's methods, as the Worker uses them: what they return is plain data. */
export type JobStub = Pick<
  Job,
  "register" | "read" | "progress" | "event" | "cancel" | "redeliver" | "erase"
>;

/** The first call included. */
const MAX_TRIES = 3;

/** The one place that says where a job lives: an object of its own, named by its id. */
export async function withJob<T>(env: Bindings, id: string, ask: (job: JobStub) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await ask(env.JOB.getByName(id) as unknown as JobStub);
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
      if (!retryable || overloaded || tried === MAX_TRIES) throw error;
    }
  }
}
