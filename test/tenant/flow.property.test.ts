import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Parked } from "../../src/job/record.ts";
import { Flow } from "../../src/tenant/flow.ts";
import type { FlowRules } from "../../src/tenant/rules.ts";

const HOST = "example.com";
const STEP_MS = 20;
/** Later, when most of it has happened. */
const LATE_MS = 30_000;
const LATE_STEP_MS = 100;
/** The longest illness, the probe after it, and all the deliveries one after the other. */
const LIMIT_MS = 300_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: Date.UTC(2026, 10, 20, 12) });
});
afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

interface World {
  readonly maxInFlight: number;
  readonly maxPerSecond: number | null;
  readonly serviceMs: number;
  /** Between these (ms from the start) every attempt fails. */
  readonly sick: readonly [from: number, ms: number];
  readonly paused: readonly [from: number, ms: number];
  /** When each job is due, whether it names the destination, and when, if ever, it is canceled or sent again. */
  readonly jobs: readonly {
    readonly at: number;
    readonly isNamed: boolean;
    readonly canceledAt: number | null;
    readonly redeliveredAt: number | null;
  }[];
}

const seldom = fc.oneof(
  { arbitrary: fc.constant(null), weight: 7 },
  { arbitrary: fc.integer({ min: 0, max: 6_000 }), weight: 1 },
);
const worlds: fc.Arbitrary<World> = fc.record({
  maxInFlight: fc.integer({ min: 1, max: 3 }),
  maxPerSecond: fc.constantFrom(null, null, 2, 10),
  serviceMs: fc.constantFrom(10, 200, 600, 1_200),
  sick: fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom(0, 3_000, 60_000)),
  paused: fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.constantFrom(0, 0, 2_000)),
  jobs: fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 4_000 }),
      isNamed: fc.boolean(),
      canceledAt: seldom,
      redeliveredAt: seldom,
    }),
    { minLength: 1, maxLength: 25, size: "max" },
  ),
});

type Status = "new" | "asking" | "parked" | "sending" | "retrying" | "delivered" | "canceled";

/** Jobs, a tenant's alarm and a receiver around flow control, as they behave, in virtual time. */
class Simulation {
  readonly #world: World;
  readonly #flow: Flow;
  readonly #start = Date.now();
  readonly #status: Status[];
  readonly #parked: (Parked | null)[];
  readonly #retryAt: number[];
  readonly #isRedelivery: boolean[];
  readonly #wasRedelivered: boolean[];
  #sending = new Map<string, number>();
  most = { plain: 0, named: 0 };

  constructor(world: World, sql: SqlStorage) {
    this.#world = world;
    this.#flow = new Flow(
      sql,
      (): FlowRules => ({ ...world, host: HOST, isPaused: this.#isIn(world.paused), read: null }),
    );
    this.#status = world.jobs.map(() => "new");
    this.#parked = world.jobs.map(() => null);
    this.#retryAt = world.jobs.map(() => 0);
    this.#isRedelivery = world.jobs.map(() => false);
    this.#wasRedelivered = world.jobs.map(() => false);
  }

  get #now(): number {
    return Date.now() - this.#start;
  }

  #isIn([from, ms]: readonly [number, number]): boolean {
    return this.#now >= from && this.#now < from + ms;
  }

  isDone(): boolean {
    return this.#status.every((status) => status === "delivered" || status === "canceled");
  }

  statuses(): readonly Status[] {
    return this.#status;
  }

  async run(): Promise<void> {
    while (this.#now < LIMIT_MS && !this.isDone()) {
      this.#world.jobs.forEach((job, i) => {
        const status = this.#status[i];
        if (job.canceledAt !== null && this.#now >= job.canceledAt && status !== "delivered")
          this.#move(i, "canceled");
        else if (
          job.redeliveredAt !== null &&
          !this.#wasRedelivered[i] &&
          this.#now >= job.redeliveredAt &&
          status === "parked"
        ) {
          this.#move(i, "retrying");
          this.#isRedelivery[i] = true;
          this.#wasRedelivered[i] = true;
        } else if (status === "new" && this.#now >= job.at) this.#ask(i);
        else if (status === "retrying" && this.#now >= (this.#retryAt[i] ?? 0)) this.#ask(i);
      });
      this.#alarm();
      await vi.advanceTimersByTimeAsync(this.#now > LATE_MS ? LATE_STEP_MS : STEP_MS);
    }
  }

  /** What a caller does to a job that may be parked: its place is given up. */
  #move(i: number, status: Status): void {
    const parked = this.#parked[i];
    if (this.#status[i] === "parked" && parked)
      this.#flow.report(
        [
          {
            jobId: `job-${i}`,
            host: HOST,
            result: "none",
            unparked: { parked, destination: this.#nameOf(i) },
          },
        ],
        Date.now(),
      );
    this.#parked[i] = null;
    this.#status[i] = status;
  }

  #nameOf = (i: number): string | null => (this.#world.jobs[i]?.isNamed ? "app" : null);

  async #ask(i: number): Promise<void> {
    this.#status[i] = "asking";
    const jobId = `job-${i}`;
    const ask = {
      jobId,
      destination: this.#nameOf(i),
      host: HOST,
      isRedelivery: this.#isRedelivery[i] === true,
      parked: this.#parked[i] ?? null,
    };
    this.#isRedelivery[i] = false;
    const admission = await this.#flow.admit(ask, Date.now);
    const isMoved = this.#status[i] !== "asking";
    if (admission.kind === "park") {
      const { reason, since, host } = admission;
      if (isMoved) return;
      this.#parked[i] = { reason, since, host, called: false };
      this.#status[i] = "parked";
      return;
    }
    if (isMoved) return void this.#flow.report([{ jobId, host: HOST, result: "none" }], Date.now());
    this.#parked[i] = null;
    this.#status[i] = "sending";
    this.#sending.set(jobId, i);
    const named = [...this.#sending.values()].filter((other) => this.#nameOf(other) !== null).length;
    this.most = {
      named: Math.max(this.most.named, named),
      plain: Math.max(this.most.plain, this.#sending.size - named),
    };
    await new Promise((resolve) => setTimeout(resolve, this.#world.serviceMs));
    const isOk = !this.#isIn(this.#world.sick);
    this.#sending.delete(jobId);
    this.#flow.report([{ jobId, host: HOST, result: isOk ? "ok" : "failed" }], Date.now());
    if (this.#status[i] !== "sending") return;
    this.#status[i] = isOk ? "delivered" : "retrying";
    this.#retryAt[i] = this.#now + 5_000;
  }

  #alarm(): void {
    const wakeAt = this.#flow.wakeAt(Date.now());
    if (wakeAt === null || wakeAt > Date.now()) return;
    for (const row of this.#flow.toCall(Date.now())) {
      const i = Number(row.job.slice(4));
      const parked = this.#parked[i];
      const isThere = this.#status[i] === "parked" && parked?.since === row.since;
      this.#flow.answered(row, isThere || this.#status[i] === "asking" ? "called" : "gone", Date.now());
      if (!isThere || !parked) continue;
      this.#parked[i] = { ...parked, called: true };
      void this.#ask(i);
    }
  }
}

it("lets every delivery through in the end, and never more of them at one time than it may", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      await runInDurableObject(env.TENANT.getByName("property"), async (_, { storage }) => {
        for (const table of ["hosts", "parked", "slots"]) storage.sql.exec(`DROP TABLE IF EXISTS ${table}`);
        const simulation = new Simulation(world, storage.sql);
        await simulation.run();
        expect(
          simulation.statuses().filter((status) => status !== "delivered" && status !== "canceled"),
        ).toEqual([]);
        expect(simulation.most.named).toBeLessThanOrEqual(world.maxInFlight);
        expect(simulation.most.plain).toBeLessThanOrEqual(10);
      });
    }),
    { numRuns: 15 },
  );
}, 120_000);
