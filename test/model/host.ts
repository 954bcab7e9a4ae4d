/**
 * A job's object as it is run here: in its own storage, by instances of the class that the test makes, so that losing its
 * memory costs nothing, and a new one may have other variables, as after a deployment.
 */
import type { JobEnv } from "../../src/job/indexing.ts";
import { Job } from "../../src/job/job.ts";
import type { JobStub } from "../../src/job/placement.ts";

export class Host {
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

  /**
   * Runs the alarm, and calls `begun` as soon as it waits for the first time; `died`: {@link die} was called meanwhile,
   * and nothing more comes of that run.
   */
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

  /** The alarm comes while it runs. */
  alarmAgain(): Promise<void> {
    return this.#job.alarm();
  }

  /** Only from within a request that the alarm's run has made. */
  die(): void {
    this.#die();
  }

  /** Memory is lost. */
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
