/**
 * Pollhook under load: one node on plain workerd, the caller and the peers in processes of their own, and steps of load,
 * one after the other. What it has registered is counted over all steps, and held against what Pollhook itself says.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "../../bench/throughput/child.ts";
import { PollhookNode } from "../node.ts";
import type { Called, Load } from "./caller.ts";
import type { Taken, Timing } from "./ledger.ts";
import type { Origins, PeersAnswer, PeersQuestion, Progress } from "./peers.ts";
import { BATCH, DESTINATIONS, type Mix, planOf, RETRY_SCHEDULE } from "./plan.ts";
import { type Step, stepOf } from "./step.ts";
import { Watch } from "./watch.ts";

export interface SubjectOptions {
  readonly mix: Mix;
  /** As `JOB_SHARDS` has it. */
  readonly shards: string;
  /** As `RETENTION_HOURS` has it, but in seconds: how long an ended job is kept. */
  readonly retentionSeconds: number;
  /** More of workerd's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Jobs, over all steps. */
export interface Totals {
  readonly registered: number;
  readonly delivered: number;
}

const TENANT = "load";
const LEAD_MS = 500;
const LOOK_MS = 250;
/** Nothing new for so long: the rest is lost. Longer than a receiver that was found out of order is left alone. */
const SILENCE_LIMIT_MS = 180_000;
/** A second version of an event, or one of nobody, is waited for that long. */
const ECHO_MS = 1_000;
const INDEX_LIMIT_MS = 90_000;
const MOST_IN_FLIGHT = 1_000;

export class Subject {
  readonly #node: PollhookNode;
  readonly #token: string;
  readonly #mix: Mix;
  readonly #peers: Child<PeersQuestion, PeersAnswer>;
  readonly #caller: Child<Load, Called>;
  readonly #watch: Watch;
  /** Error lines that Pollhook has logged, by their event. */
  readonly errors: Record<string, number>;
  #nextId = BATCH;
  /** As the caller knows: registered for certain, with a callback, and those that may have been. */
  #known = { registered: 0, delivered: 0, unanswered: 0 };

  private constructor(parts: {
    node: PollhookNode;
    token: string;
    mix: Mix;
    peers: Child<PeersQuestion, PeersAnswer>;
    errors: Record<string, number>;
  }) {
    this.#node = parts.node;
    this.#token = parts.token;
    this.#mix = parts.mix;
    this.#peers = parts.peers;
    this.errors = parts.errors;
    this.#caller = new Child(new URL("caller.ts", import.meta.url));
    this.#watch = new Watch(this.#node.pid, {
      caller: this.#caller.pid,
      peers: this.#peers.pid,
      harness: process.pid,
    });
  }

  /** Starts all of it. */
  static async start({ mix, shards, retentionSeconds, env }: SubjectOptions): Promise<Subject> {
    const peers = new Child<PeersQuestion, PeersAnswer>(new URL("peers.ts", import.meta.url));
    let node: PollhookNode | null = null;
    try {
      const { provider, receiver } = (await peers.ask({ kind: "origins" })) as Origins;
      const errors: Record<string, number> = {};
      node = await PollhookNode.create({
        vars: {
          PROVIDER_ORIGINS: provider,
          JOB_SHARDS: shards,
          RETENTION_HOURS: String(retentionSeconds / 3600),
        },
        onLog: (line) => countError(line, errors),
      });
      await node.start({}, env);
      const token = await node.token(TENANT);
      const secrets: Record<string, string> = {};
      for (const name of DESTINATIONS) {
        const secret = `whsec_${randomBytes(32).toString("base64")}`;
        secrets[name] = secret;
        const put = await node.call(token, "PUT", `/v1/destinations/${name}`, {
          url: `${receiver}/hook/${name}`,
          secret,
          retry_schedule: RETRY_SCHEDULE,
          max_in_flight: MOST_IN_FLIGHT,
        });
        if (!put.ok) throw new Error(`A destination is answered ${put.status}: ${await put.text()}`);
        await put.body?.cancel();
      }
      await peers.ask({ kind: "setup", mix, secrets });
      return new Subject({ node, token, mix, peers, errors });
    } catch (error) {
      await node?.tearDown();
      await peers.close();
      throw error;
    }
  }

  get pid(): number {
    return this.#node.pid;
  }

  /** So many registrations a second for so long; resolves when all their events have come, or no more come. */
  async step(perSecond: number, seconds: number): Promise<Step> {
    const count = Math.ceil((perSecond * seconds) / BATCH) * BATCH;
    const timing: Timing = { firstId: this.#nextId, count, perSecond, startAt: Date.now() + LEAD_MS };
    this.#nextId += count;
    const { accepted: before } = await this.#progress();
    const firstSample = this.#watch.samples.length;
    await this.#peers.ask({ kind: "begin", timing });
    this.#watch.use();
    const calling = this.#caller.ask({
      origin: this.#node.origin,
      token: this.#token,
      mix: this.#mix,
      timing,
    });
    // Should it fail meanwhile, that is said where it is waited for.
    calling.catch(() => {});
    await sleep(Math.max(0, timing.startAt + (count / perSecond) * 1000 - Date.now()));
    const [use, samples] = [this.#watch.use(), this.#watch.samples.slice(firstSample)];
    const called = await calling;
    const certain = jobsOf(called, (status) => status === 202);
    const expected = certain.filter((id) => !planOf(id, this.#mix).isSilent).length;
    await this.#untilAccepted(before + expected);
    await sleep(ECHO_MS);
    this.#known = {
      registered: this.#known.registered + certain.length,
      delivered: this.#known.delivered + expected,
      unanswered: this.#known.unanswered + jobsOf(called, isUnanswered).length,
    };
    const taken = (await this.#peers.ask({ kind: "take", timing })) as Taken;
    return stepOf({ timing, mix: this.#mix, called, taken, use, samples });
  }

  /** How many signatures were verified so far. */
  async verified(): Promise<number> {
    return (await this.#progress()).verified;
  }

  /** What the index of Pollhook counts and what it should, once it has caught up, or does not. */
  async totals(): Promise<{ readonly said: Totals; readonly expected: Totals; readonly isRight: boolean }> {
    const { registered, delivered, unanswered } = this.#known;
    for (const limit = Date.now() + INDEX_LIMIT_MS; ; ) {
      const said = await this.#stats();
      const isRight = [
        [said.registered, registered],
        [said.delivered, delivered],
      ].every(([is = 0, least = 0]) => is >= least && is <= least + unanswered);
      if (isRight || Date.now() > limit) return { said, expected: { registered, delivered }, isRight };
      await sleep(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    this.#watch.close();
    await Promise.all([this.#caller.close(), this.#peers.close(), this.#node.tearDown()]);
  }

  async #untilAccepted(count: number): Promise<void> {
    let last = { accepted: -1, at: Date.now() };
    for (;;) {
      const { accepted } = await this.#progress();
      if (accepted >= count || Date.now() > last.at + SILENCE_LIMIT_MS) return;
      if (accepted > last.accepted) last = { accepted, at: Date.now() };
      await sleep(LOOK_MS);
    }
  }

  async #progress(): Promise<Progress> {
    return (await this.#peers.ask({ kind: "progress" })) as Progress;
  }

  async #stats(): Promise<Totals> {
    const response = await this.#node.call(this.#token, "GET", "/v1/stats?window=1h");
    const text = await response.text();
    if (!response.ok) throw new Error(`Statistics are answered ${response.status}: ${text}`);
    return (JSON.parse(text) as { total: Totals }).total;
  }
}

const jobsOf = ({ calls }: Called, fits: (status: number) => boolean): number[] =>
  calls.flatMap(({ firstId, statuses }) =>
    statuses.flatMap((status, i) => (fits(status) ? [firstId + i] : [])),
  );

/** It may have been registered all the same. */
const isUnanswered = (status: number): boolean => status === 0 || status >= 500;

function countError(line: string, errors: Record<string, number>): void {
  const [, event = "unknown"] = /"event":"([\w.]+)"/.exec(line) ?? [];
  if (line.includes('"error":')) errors[event] = (errors[event] ?? 0) + 1;
}
