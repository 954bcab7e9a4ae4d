/**
 * What a route is given.
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
