/**
 * The measurements of one running subject: how fast it registers, how much a waiting job weighs, and how fast jobs go
 * through their whole life. Throws when a job is lost, arrives twice, or a signature does not verify.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { cpuSeconds, type Percentiles, percentiles } from "../flow/figures.ts";
import { Child } from "./child.ts";
import type { Load, Registration } from "./load.ts";
import type { Arrival, Origins, PeersAnswer, PeersQuestion, Taken } from "./peers.ts";
import type { Running } from "./subjects.ts";
import { diskBytes, memoryBytes } from "./weight.ts";

export interface Registering {
  readonly connections: number;
  readonly perSecond: number;
  readonly latencyMs: Percentiles;
  /** The subject's processor time, ms for each job; `null` where it cannot be told. */
  readonly cpuMs: number | null;
}

export interface WholeLife {
  readonly jobs: number;
  /** From the first registration sent to the last callback received. */
  readonly perSecond: number;
  /** From the moment a registration was sent, plus its eta, to its callback. */
  readonly lagMs: Percentiles;
  /** From the poll to the callback: without the wait that the subject chooses. */
  readonly afterPollMs: Percentiles;
  readonly polls: number;
  readonly cpuMs: number | null;
}

export interface Waiting {
  readonly jobs: number;
  /** Of each job; `null` where it cannot be told. */
  readonly memoryBytes: number | null;
  readonly diskBytes: number;
}

/** No waiting job comes due while it is looked at. */
const FAR_SECONDS = 80_000;
const WARM_UP_JOBS = 60;
const WARM_UP_CONNECTIONS = 8;
const LIFE_CONNECTIONS = 32;
/** What is written after the answer, to an index and the like, belongs to the job. */
const SETTLE_MS = 3_000;
const LOOK_EVERY_MS = 100;
const ECHO_MS = 500;
/** Nothing new for so long: the rest is lost. Longer than a receiver that was found out of order is left alone. */
const SILENCE_LIMIT_MS = 90_000;
const NO_LIMIT = 1e9;

export class Bench {
  readonly #peers = new Child<PeersQuestion, PeersAnswer>(new URL("peers.ts", import.meta.url));
  readonly #load = new Child<Load, Registration[]>(new URL("load.ts", import.meta.url));
  #nextId = 1;

  origins(): Promise<Origins> {
    return this.#peers.ask("origins") as Promise<Origins>;
  }

  /** Some jobs to their end: code is compiled, connections are there. */
  async warmUp(running: Running): Promise<void> {
    await this.#live(running, WARM_UP_JOBS, WARM_UP_CONNECTIONS, 0.2);
  }

  /** Registers for so long, or so many, jobs that wait. */
  async register(
    running: Running,
    connections: number,
    forMs: number,
    most = NO_LIMIT,
  ): Promise<Registering> {
    const before = cpuSeconds(running.pids());
    const done = await this.#send(running, {
      connections,
      most,
      forMs,
      etaSeconds: [FAR_SECONDS, FAR_SECONDS],
    });
    return {
      connections,
      perSecond: (done.length * 1000) / spanMs(done),
      latencyMs: percentiles(done.map(({ latencyMs }) => latencyMs)),
      cpuMs: cpuPerJob(before, running, done.length),
    };
  }

  /** Measures what the jobs weigh that `register` has left waiting. */
  async waiting(running: Running, register: () => Promise<number>, settleMs = SETTLE_MS): Promise<Waiting> {
    await sleep(settleMs);
    const before = { memory: memoryBytes(running.pids()), disk: await diskBytes(running.disk) };
    const jobs = await register();
    await sleep(settleMs);
    const memory = memoryBytes(running.pids());
    return {
      jobs,
      memoryBytes: memory === null || before.memory === null ? null : (memory - before.memory) / jobs,
      diskBytes: ((await diskBytes(running.disk)) - before.disk) / jobs,
    };
  }

  /** So many jobs whose etas are spread over so long. */
  async wholeLife(running: Running, jobs: number, etasOverSeconds: number): Promise<WholeLife> {
    const before = cpuSeconds(running.pids());
    const { done, taken } = await this.#live(running, jobs, LIFE_CONNECTIONS, etasOverSeconds);
    const cpuMs = cpuPerJob(before, running, jobs);
    const arrivals = new Map(taken.arrivals.map((arrival) => [arrival.requestId, arrival]));
    const lags: number[] = [];
    const afterPoll: number[] = [];
    let lastAt = 0;
    let polls = 0;
    for (const { requestId, sentAt, etaSeconds } of done) {
      const { callbackAt, polledAt, arrival } = onlyOnce(arrivals.get(`${requestId}`), requestId);
      lags.push(callbackAt - sentAt - etaSeconds * 1000);
      afterPoll.push(callbackAt - polledAt);
      polls += arrival.polls.length;
      lastAt = Math.max(lastAt, callbackAt);
    }
    verify(running, taken);
    return {
      jobs,
      perSecond: (jobs * 1000) / (lastAt - firstSent(done)),
      lagMs: percentiles(lags),
      afterPollMs: percentiles(afterPoll),
      polls: polls / jobs,
      cpuMs,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#peers.close(), this.#load.close()]);
  }

  /** Registers, and waits until every job has called back, or nothing has come for long. */
  async #live(running: Running, jobs: number, connections: number, etasOverSeconds: number) {
    await this.#take();
    const done = await this.#send(running, {
      connections,
      most: jobs,
      forMs: NO_LIMIT,
      etaSeconds: [0, etasOverSeconds],
    });
    const all: Taken[] = [];
    const called = new Set<string>();
    const look = async () => {
      const taken = await this.#take();
      all.push(taken);
      for (const { requestId, callbacks } of taken.arrivals) if (callbacks.length > 0) called.add(requestId);
    };
    for (let [before, since] = [0, Date.now()]; called.size < jobs; ) {
      await sleep(LOOK_EVERY_MS);
      await look();
      if (called.size > before) [before, since] = [called.size, Date.now()];
      else if (Date.now() - since > SILENCE_LIMIT_MS)
        throw new Error(`Of ${jobs} jobs only ${called.size} have called back.`);
    }
    // What comes once more would come now.
    await sleep(ECHO_MS);
    await look();
    return { done, taken: together(all) };
  }

  async #send(running: Running, load: Omit<Load, "url" | "token" | "callbackUrl" | "firstId">) {
    const { receiver } = await this.origins();
    const firstId = this.#nextId;
    const { url, token } = running;
    const done = await this.#load.ask({ ...load, url, token, firstId, callbackUrl: `${receiver}/hook` });
    this.#nextId += done.length;
    return done;
  }

  #take(): Promise<Taken> {
    return this.#peers.ask("take") as Promise<Taken>;
  }
}

/** The looks of one measurement as one. */
function together(all: readonly Taken[]): Taken {
  const arrivals = new Map<string, Arrival>();
  for (const { requestId, callbacks, polls } of all.flatMap((taken) => taken.arrivals)) {
    const before = arrivals.get(requestId) ?? { callbacks: [], polls: [] };
    arrivals.set(requestId, {
      requestId,
      callbacks: [...before.callbacks, ...callbacks],
      polls: [...before.polls, ...polls],
    });
  }
  return {
    arrivals: [...arrivals.values()],
    samples: all.flatMap((taken) => taken.samples),
    strange: all.reduce((sum, taken) => sum + taken.strange, 0),
  };
}

function onlyOnce(arrival: Arrival | undefined, requestId: number) {
  const [callbackAt, ...more] = arrival?.callbacks ?? [];
  const polledAt = arrival?.polls.at(-1);
  if (!arrival || callbackAt === undefined || polledAt === undefined)
    throw new Error(`Request ${requestId} was not polled and called back.`);
  if (more.length > 0) throw new Error(`Request ${requestId} was called back ${more.length + 1} times.`);
  return { callbackAt, polledAt, arrival };
}

/** Throws unless every sample verifies, with the Standard Webhooks library, and nothing strange came. */
function verify({ secret }: Running, { samples, strange }: Taken): void {
  if (strange > 0) throw new Error(`${strange} calls named no job.`);
  if (samples.length === 0) throw new Error("There is no delivery to verify.");
  if (secret !== null) for (const { body, headers } of samples) new Webhook(secret).verify(body, headers);
}

const firstSent = (done: readonly Registration[]): number =>
  done.reduce((first, { sentAt }) => Math.min(first, sentAt), Number.POSITIVE_INFINITY);

const spanMs = (done: readonly Registration[]): number =>
  Math.max(1, done.reduce((last, { answeredAt }) => Math.max(last, answeredAt), 0) - firstSent(done));

function cpuPerJob(before: number | null, running: Running, jobs: number): number | null {
  const after = cpuSeconds(running.pids());
  return before === null || after === null ? null : ((after - before) * 1000) / jobs;
}
