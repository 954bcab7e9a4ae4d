/**
 * Two ways of having a job's object run. In place: in its own storage, by instances of the class that the test makes, so
 * that a new one costs nothing and may have other variables, as after a deployment. By the platform: called over RPC,
 * evicted and killed as in earnest, at some ten times the cost.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { JobEnv } from "../../src/job/indexing.ts";
import { Job } from "../../src/job/job.ts";
import type { JobStub } from "../../src/job/placement.ts";

export interface Host {
  /** By the test's own instances: each may have other variables. */
  readonly isInPlace: boolean;
  call<T>(ask: (job: JobStub) => Promise<T>): Promise<T>;
  storage<T>(work: (storage: DurableObjectStorage) => Promise<T>): Promise<T>;
  /** Runs the alarm, and calls `begun` as soon as it waits for the first time; `died`: {@link die} was called meanwhile, and nothing more comes of that run. */
  alarm(info: AlarmInvocationInfo, begun?: () => void): Promise<"ended" | "died">;
  /** The alarm comes while it runs. */
  alarmAgain(): Promise<void>;
  /** Only from within a request that the alarm's run has made. */
  die(): void;
  /** Memory is lost. */
  restart(env: JobEnv): Promise<void>;
}

export class InPlace implements Host {
  readonly isInPlace = true;
  readonly #ctx: DurableObjectState;
  #env: JobEnv;
  #job: Job;
  #die: () => void = () => {};

  constructor(ctx: DurableObjectState, variables: JobEnv) {
    this.#ctx = ctx;
    this.#env = variables;
    this.#job = new Job(ctx, variables);
  }

  async call<T>(ask: (job: JobStub) => Promise<T>): Promise<T> {
    return ask(this.#job);
  }

  async storage<T>(work: (storage: DurableObjectStorage) => Promise<T>): Promise<T> {
    return work(this.#ctx.storage);
  }

  async alarm(info: AlarmInvocationInfo, begun = () => {}): Promise<"ended" | "died"> {
    const death = Promise.withResolvers<"died">();
    this.#die = () => death.resolve("died");
    const timers = new Timers();
    const run = this.#job.alarm(info).then(() => "ended" as const);
    begun();
    const ended = await Promise.race([run, death.promise]).finally(() => timers.release());
    if (ended === "ended") return ended;
    // It waits for an answer that never comes, and must not find that out.
    timers.clear();
    this.#job = new Job(this.#ctx, this.#env);
    return ended;
  }

  alarmAgain(): Promise<void> {
    return this.#job.alarm();
  }

  die(): void {
    this.#die();
  }

  async restart(variables: JobEnv): Promise<void> {
    this.#env = variables;
    this.#job = new Job(this.#ctx, variables);
  }
}

/** The timers that are set until they are let go. */
class Timers {
  readonly #set: number[] = [];
  readonly #original = globalThis.setTimeout;

  constructor() {
    const original = this.#original;
    globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
      const timer = original(...args);
      this.#set.push(timer);
      return timer;
    }) as typeof setTimeout;
  }

  release(): void {
    globalThis.setTimeout = this.#original;
  }

  clear(): void {
    for (const timer of this.#set) clearTimeout(timer);
  }
}

const DEATH = "dies";

export class ByPlatform implements Host {
  readonly isInPlace = false;
  readonly #name: string;
  #die: () => void = () => {};

  constructor(name: string) {
    this.#name = name;
  }

  // A stub of an object that has died is of no use any more.
  get #stub() {
    return env.JOB.getByName(this.#name);
  }

  call<T>(ask: (job: JobStub) => Promise<T>): Promise<T> {
    return ask(this.#stub as unknown as JobStub);
  }

  storage<T>(work: (storage: DurableObjectStorage) => Promise<T>): Promise<T> {
    return runInDurableObject(this.#stub, (_, { storage }) => work(storage));
  }

  async alarm(info: AlarmInvocationInfo): Promise<"ended" | "died"> {
    try {
      return await runInDurableObject(this.#stub, async (job, ctx) => {
        const death = Promise.withResolvers<"died">();
        this.#die = () => death.resolve("died");
        const ended = await Promise.race([job.alarm(info).then(() => "ended" as const), death.promise]);
        if (ended === "died") ctx.abort(DEATH);
        return ended;
      });
    } catch (error) {
      if (error instanceof Error && error.message === DEATH) return "died";
      throw error;
    }
  }

  alarmAgain(): Promise<void> {
    return runInDurableObject(this.#stub, (job) => job.alarm());
  }

  die(): void {
    this.#die();
  }

  async restart(): Promise<void> {
    await evictDurableObject(this.#stub);
  }
}
