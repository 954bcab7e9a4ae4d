/**
 * Where a job lives, and how its object is called. It has an object of its own, named by its id, or shares one of a fixed
 * number with others of its tenant. `JOB_SHARDS` says which; it is a list, the newest first, so that what was placed
 * before a change is found where it is.
 */
import { jobShardsOf, type Variables } from "../config.ts";
import { shareOf } from "./ids.ts";
import type { Job } from "./job.ts";
import type { Registration } from "./registering.ts";

export interface JobBinding extends Variables {
  readonly JOB: { getByName(name: string): unknown };
}

/** The object's methods, as others use them: what they return is plain data. */
export type JobStub = Pick<
  Job,
  "register" | "read" | "progress" | "event" | "cancel" | "redeliver" | "erase" | "unpark" | "hint"
>;

/** The first call included. */
const MAX_TRIES = 3;

/** The names of the objects in which a job may be. `shards`: numbers of objects a tenant, 0 for one for each job. */
export const objectNames = (shards: readonly number[], tenant: string, id: string): string[] =>
  shards.map((count) => (count === 0 ? id : `shard/${count}/${shareOf(id, count)}/${tenant}`));

/** Asks the object that has the job; where none has, the answer is the last one's. */
export async function withJob<T extends { readonly kind: string }>(
  env: JobBinding,
  tenant: string,
  id: string,
  ask: (job: JobStub) => Promise<T>,
): Promise<T> {
  const [first = id, ...older] = objectNames(jobShardsOf(env), tenant, id);
  let answer = await call(env, first, ask);
  for (const name of older) {
    if (answer.kind !== "not_found") break;
    answer = await call(env, name, ask);
  }
  return answer;
}

/** Registers the job where it is already, or else where new ones are placed. */
export async function registerJob(
  env: JobBinding,
  registration: Registration,
): ReturnType<JobStub["register"]> {
  const { tenant, id } = registration;
  const names = objectNames(jobShardsOf(env), tenant, id);
  const [newest = id] = names;
  for (const name of names.length > 1 ? names : []) {
    const found = await call(env, name, (job) => job.read(tenant, id));
    if (found.kind !== "not_found") return call(env, name, (job) => job.register(registration));
  }
  return call(env, newest, (job) => job.register(registration));
}

/**
 * A call that the platform lost is made again, with a fresh stub: repeating any of them does no harm, though the answer
 * may then speak of what the lost call did (a second cancel says that the job is over). An overloaded object is never
 * asked again.
 */
async function call<T>(env: JobBinding, name: string, ask: (job: JobStub) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await ask(env.JOB.getByName(name) as JobStub);
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
      if (!retryable || overloaded || tried === MAX_TRIES) throw error;
    }
  }
}
