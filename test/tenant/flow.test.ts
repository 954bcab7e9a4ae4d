import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { Admission, AdmissionAsk } from "../../src/job/admission.ts";
import type { Parked } from "../../src/job/record.ts";
import { Flow } from "../../src/tenant/flow.ts";
import { LEASE_MS } from "../../src/tenant/gate.ts";
import type { FlowRules } from "../../src/tenant/rules.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/jobs.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const HOST = "example.com";
const tenant = () => env.TENANT.getByName("flow");

afterEach(reset);

const RULES: FlowRules = { host: HOST, isPaused: false, maxInFlight: 10, maxPerSecond: null, read: null };

/** Flow control over an object's own storage, with these destinations and a clock that stands still. */
class Bench {
  now = NOW;
  readonly rules: Record<string, FlowRules> = { app: RULES };
  readonly #sql: SqlStorage;
  flow: Flow;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.flow = this.fresh();
  }

  /** The same storage after the memory was lost. */
  fresh(): Flow {
    this.flow = new Flow(this.#sql, (name) => this.rules[name] ?? null);
    return this.flow;
  }

  ask(jobId: string, overrides: Partial<AdmissionAsk> = {}): Promise<Admission> {
    const ask = { jobId, destination: "app", host: HOST, isRedelivery: false, parked: null, ...overrides };
    return this.flow.admit(ask, () => this.now);
  }

  /** Ends the attempts of these jobs. */
  report(result: "ok" | "failed" | "none", ...jobIds: string[]): boolean {
    return this.flow.report(
      jobIds.map((jobId) => ({ jobId, host: HOST, result })),
      this.now,
    );
  }

  /** Makes the breaker open. */
  fail(times = 10): void {
    for (let i = 0; i < times; i++) this.report("failed", `failing-${i}`);
  }

  called(): string[] {
    return this.flow.toCall(this.now).map(({ job }) => job);
  }

  rows(): number {
    return Number([...this.#sql.exec("SELECT total_changes() AS n")][0]?.n);
  }

  tables(): string[] {
    return [...this.#sql.exec<{ name: string }>("SELECT name FROM sqlite_master")].map(({ name }) => name);
  }
}

const onBench = (test: (bench: Bench) => Promise<void>) => (): Promise<void> =>
  runInDurableObject(tenant(), (_, { storage }) => test(new Bench(storage.sql)));

const names = (count: number, prefix = "job"): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

/** What the job keeps of having been parked. */
const kept = (admission: Admission, called = true): Parked => {
  if (admission.kind !== "park") throw new Error(`expected it to be parked, but ${admission.kind}`);
  const { reason, since, host } = admission;
  return { reason, since, host, called };
};

describe("a host that is in order", () => {
  it(
    "takes deliveries at once, and nothing is written for that",
    onBench(async (bench) => {
      expect(await bench.ask("a")).toEqual({ kind: "go", host: HOST, read: null });
      expect(bench.report("ok", "a")).toBe(false);
      expect(await bench.ask("b", { destination: null })).toMatchObject({ kind: "go", host: HOST });
      expect([bench.rows(), bench.tables()]).toEqual([0, []]);
    }),
  );

  it(
    "is asked for no destination that is not there",
    onBench(async (bench) => {
      expect(await bench.ask("a", { destination: "other" })).toEqual({ kind: "missing" });
    }),
  );
});

describe("deliveries under way", () => {
  it(
    "are 10 to a host at most; who comes later waits a second, is parked, and is called when one ends",
    onBench(async (bench) => {
      for (const id of names(10)) expect(await bench.ask(id)).toMatchObject({ kind: "go" });
      const late = await bench.ask("late");
      expect(late).toMatchObject({ kind: "park", reason: "max_in_flight", since: NOW });
      expect(bench.called()).toEqual([]);
      expect(bench.report("ok", "job-3")).toBe(true);
      expect(bench.called()).toEqual(["late"]);
      expect(await bench.ask("late", { parked: kept(late) })).toMatchObject({ kind: "go" });
      expect(bench.flow.stateOf("app", HOST, NOW)).toMatchObject({ in_flight: 10, parked: 0 });
    }),
  );

  it(
    "of one host are none of another's",
    onBench(async (bench) => {
      bench.rules.other = { ...RULES, host: "other.example" };
      for (const id of names(10)) await bench.ask(id);
      expect(await bench.ask("x", { destination: "other" })).toMatchObject({
        kind: "go",
        host: "other.example",
      });
    }),
  );

  it(
    "are as many as the destination says",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxInFlight: 1 };
      expect(await bench.ask("a")).toMatchObject({ kind: "go" });
      const waiting = bench.ask("b");
      bench.report("ok", "a");
      expect(await waiting).toMatchObject({ kind: "go" });
    }),
  );

  it(
    "whose end nobody reports are over after their longest time",
    onBench(async (bench) => {
      for (const id of names(10)) await bench.ask(id);
      const late = kept(await bench.ask("late"));
      expect(bench.flow.wakeAt(NOW)).toBe(NOW + LEASE_MS);
      bench.now += LEASE_MS;
      expect(bench.called()).toEqual(["late"]);
      expect(await bench.ask("late", { parked: late })).toMatchObject({ kind: "go" });
    }),
  );

  it(
    "that are parked keep their order, also behind one who asks by himself",
    onBench(async (bench) => {
      for (const id of names(10)) await bench.ask(id);
      const first = kept(await bench.ask("first"), false);
      bench.now += 5;
      await bench.ask("second");
      bench.now += 5;
      // Not held back this time: others are parked already.
      expect(await bench.ask("first", { parked: first })).toMatchObject({ since: NOW });
      bench.report("ok", "job-0", "job-1");
      expect(bench.called()).toEqual(["first", "second"]);
    }),
  );
});

describe("those who wait for a moment before they are parked", () => {
  it(
    "keep their place in front of those who came after them and were parked at once",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxInFlight: 1 };
      const ask = (id: string, after: number) => {
        bench.now = NOW + after;
        return bench.ask(id);
      };
      await ask("a", 0);
      const waiting = [ask("b", 1), ask("c", 2)];
      bench.now = NOW + 500;
      await Promise.all(waiting);
      await ask("d", 501);
      const order: string[] = [];
      for (const last of ["a", "b", "c"]) {
        bench.report("ok", last);
        const [row] = bench.flow.toCall(bench.now);
        if (!row) throw new Error("nobody is called");
        order.push(row.job);
        const parked = { reason: row.reason, since: row.since, host: HOST, called: true };
        expect(await bench.ask(row.job, { parked })).toMatchObject({ kind: "go" });
      }
      expect(order).toEqual(["b", "c", "d"]);
    }),
  );
});

describe("a destination that moves while a delivery waits", () => {
  it(
    "has it go to the new host, and take no place on the old one",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxInFlight: 1 };
      await bench.ask("a");
      const waiting = bench.ask("b");
      bench.rules.app = { ...RULES, host: "new.example" };
      bench.report("ok", "a");
      expect(await waiting).toMatchObject({ kind: "go", host: "new.example" });
      expect(bench.flow.stateOf("app", HOST, bench.now).in_flight).toBe(0);
      expect(bench.flow.stateOf("app", "new.example", bench.now).in_flight).toBe(1);
    }),
  );
});

describe("a rate", () => {
  it(
    "lets near ones wait for their moment, parks the others, and calls each when its moment is near",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxPerSecond: 2 };
      const asked = [await bench.ask("a"), await bench.ask("b"), await bench.ask("c"), await bench.ask("d")];
      expect(asked.slice(0, 2)).toMatchObject([{ kind: "go" }, { kind: "go" }]);
      expect(asked.slice(2)).toMatchObject([
        { kind: "park", reason: "max_per_second" },
        { kind: "park", reason: "max_per_second" },
      ]);
      expect(bench.flow.stateOf("app", HOST, NOW)).toMatchObject({ parked: 2 });
      expect(bench.called()).toEqual([]);
      expect(bench.flow.wakeAt(NOW)).toBe(NOW + 500);
      bench.now = NOW + 500;
      expect(bench.called()).toEqual(["c"]);
      expect(await bench.ask("c", { parked: kept(asked[2] as Admission) })).toMatchObject({ kind: "go" });
      bench.now = NOW + 1_000;
      expect(bench.called()).toEqual(["d"]);
    }),
  );

  it(
    "has whoever comes wait behind those who are parked",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxPerSecond: 0.1 };
      for (const id of ["a", "b"]) await bench.ask(id);
      bench.now = NOW + 15_000;
      expect(await bench.ask("c")).toMatchObject({ kind: "park", reason: "max_per_second" });
      expect(bench.called()).toEqual(["b"]);
    }),
  );

  it(
    "that is raised or lifted counts at once for those who are parked",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxPerSecond: 0.01 };
      for (const id of names(5)) await bench.ask(id);
      expect(bench.called()).toEqual([]);
      bench.rules.app = { ...RULES, maxPerSecond: 100 };
      expect(bench.called()).toHaveLength(4);
      bench.fresh();
      bench.rules.app = RULES;
      expect(bench.called()).toHaveLength(4);
    }),
  );

  it(
    "is not used up by those who wait",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxPerSecond: 1 };
      const parked = [];
      for (const id of names(5)) parked.push(await bench.ask(id));
      bench.flow.answered(
        { ...(parked[1] as Admission & { kind: "park" }), job: "job-1", destination: "app" },
        "gone",
        NOW,
      );
      bench.now = NOW + 600;
      expect(bench.called()).toEqual(["job-2"]);
    }),
  );
});

describe("a host that is out of order", () => {
  it(
    "gets nothing more after 10 failures in a row, of whatever jobs",
    onBench(async (bench) => {
      bench.fail(9);
      expect(await bench.ask("a")).toMatchObject({ kind: "go" });
      bench.report("failed", "a");
      expect(await bench.ask("b")).toMatchObject({ kind: "park", reason: "breaker_open", since: NOW });
      expect(await bench.ask("c", { destination: null })).toMatchObject({ reason: "breaker_open" });
      expect(bench.flow.stateOf("app", HOST, NOW)).toEqual({
        state: "open",
        failures: 10,
        opened_at: new Date(NOW).toISOString(),
        next_probe_at: new Date(NOW + 30 * SECOND).toISOString(),
        in_flight: 0,
        parked: 1,
      });
    }),
  );

  it(
    "does not come to that by answers that say nothing of it",
    onBench(async (bench) => {
      for (const id of names(20)) bench.report("none", id);
      expect(await bench.ask("a")).toMatchObject({ kind: "go" });
    }),
  );

  it(
    "is still known as such when the memory was lost",
    onBench(async (bench) => {
      bench.fail(9);
      bench.fresh();
      bench.report("failed", "a");
      bench.fresh();
      expect(await bench.ask("b")).toMatchObject({ reason: "breaker_open" });
    }),
  );

  it(
    "is probed by the one who has waited longest, each time by one only",
    onBench(async (bench) => {
      bench.fail();
      const a = kept(await bench.ask("a"));
      bench.now += 1;
      const b = kept(await bench.ask("b"));
      expect(bench.called()).toEqual([]);
      expect(bench.flow.wakeAt(bench.now)).toBe(NOW + 30 * SECOND);
      bench.now = NOW + 30 * SECOND;
      expect(bench.called()).toEqual(["a"]);
      expect(bench.called()).toEqual([]);
      expect(await bench.ask("a", { parked: a })).toMatchObject({ kind: "go" });
      expect(await bench.ask("b", { parked: b })).toMatchObject({ reason: "breaker_open", since: b.since });
      bench.report("failed", "a");
      expect(bench.flow.wakeAt(bench.now)).toBe(NOW + 90 * SECOND);
    }),
  );

  it(
    "is probed by another when the one who was called does not come",
    onBench(async (bench) => {
      bench.fail();
      for (const id of ["a", "b"]) await bench.ask(id);
      bench.now = NOW + 30 * SECOND;
      expect(bench.called()).toEqual(["a"]);
      expect(bench.called()).toEqual([]);
      bench.now += 10 * SECOND;
      expect(bench.called()).toEqual(["a"]);
      // One who waits there no more has not been called for anything.
      const row = { host: HOST, reason: "breaker_open", since: NOW, job: "a", destination: "app" } as const;
      bench.flow.answered(row, "gone", bench.now);
      expect(bench.called()).toEqual(["b"]);
    }),
  );

  it(
    "gets its parked deliveries 20 a second after the first success",
    onBench(async (bench) => {
      bench.fail();
      for (const id of names(50)) await bench.ask(id);
      expect(bench.report("ok", "probe")).toBe(true);
      const calls: number[] = [];
      for (let second = 0; second < 4; second++) {
        calls.push(bench.called().length, bench.called().length);
        bench.now += SECOND;
      }
      expect(calls).toEqual([20, 0, 20, 0, 10, 0, 0, 0]);
    }),
  );

  it(
    "is tried at once by an event that somebody has sent again, by one at a time, and no probe is put off for it",
    onBench(async (bench) => {
      bench.fail();
      expect(await bench.ask("a", { isRedelivery: true })).toMatchObject({ kind: "go" });
      expect(await bench.ask("b", { isRedelivery: true })).toMatchObject({ reason: "breaker_open" });
      bench.report("failed", "a");
      expect(await bench.ask("c", { isRedelivery: true })).toMatchObject({ reason: "breaker_open" });
      bench.now += 5 * SECOND;
      expect(await bench.ask("d", { isRedelivery: true })).toMatchObject({ kind: "go" });
      expect(bench.flow.wakeAt(bench.now)).toBe(NOW + 30 * SECOND);
      bench.report("ok", "d");
      expect(bench.called()).toEqual(["b", "c"]);
    }),
  );

  it(
    "is probed by another at once when the one who was let go sends nothing",
    onBench(async (bench) => {
      bench.fail();
      const a = kept(await bench.ask("a"));
      await bench.ask("b");
      bench.now = NOW + 30 * SECOND;
      expect(await bench.ask("a", { parked: a })).toMatchObject({ kind: "go" });
      bench.report("none", "a");
      expect(bench.called()).toEqual(["b"]);
    }),
  );

  it(
    "gets none of those who wait for a place when its breaker opens",
    onBench(async (bench) => {
      for (const id of names(10)) await bench.ask(id);
      const waiting = names(5, "waiting").map((id) => bench.ask(id));
      bench.report("failed", ...names(10));
      expect(await Promise.all(waiting)).toMatchObject(
        Array.from({ length: 5 }, () => ({ kind: "park", reason: "breaker_open" })),
      );
    }),
  );

  it(
    "may be probed at once when its destination was changed",
    onBench(async (bench) => {
      bench.fail();
      await bench.ask("a");
      bench.flow.repaired(HOST, NOW);
      expect(bench.called()).toEqual(["a"]);
    }),
  );

  it(
    "does not keep those whose destination is elsewhere now",
    onBench(async (bench) => {
      bench.fail();
      const parked = kept(await bench.ask("a"));
      bench.rules.app = { ...RULES, host: "new.example" };
      expect(bench.called()).toEqual(["a"]);
      expect(await bench.ask("a", { parked })).toMatchObject({ kind: "go", host: "new.example" });
      expect(bench.flow.wakeAt(bench.now + HOUR)).toBeNull();
    }),
  );
});

describe("who is called and does not come", () => {
  it(
    "is left alone for a while, and nobody is woken for it meanwhile",
    onBench(async (bench) => {
      bench.fail();
      await bench.ask("a");
      bench.report("ok", "probe");
      expect(bench.called()).toEqual(["a"]);
      bench.now += 2 * SECOND;
      expect(bench.flow.wakeAt(bench.now)).toBe(bench.now + 8 * SECOND);
      const row = { host: HOST, reason: "breaker_open", since: NOW, job: "a", destination: "app" } as const;
      bench.flow.answered(row, "failed", bench.now);
      expect(bench.flow.wakeAt(bench.now)).toBe(bench.now + MINUTE);
    }),
  );

  it(
    "is counted among those who are on their way to a place",
    onBench(async (bench) => {
      for (const id of names(10)) await bench.ask(id);
      for (const id of ["a", "b", "c", "d"]) await bench.ask(id);
      bench.report("ok", "job-0", "job-1");
      expect(bench.called()).toEqual(["a", "b"]);
      bench.report("ok", "job-2");
      expect(bench.called()).toEqual(["c"]);
    }),
  );
});

describe("a paused destination", () => {
  it(
    "keeps its deliveries until it goes on, and then calls 20 a second",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, isPaused: true };
      for (const id of names(25)) expect(await bench.ask(id)).toMatchObject({ reason: "paused" });
      expect(bench.flow.wakeAt(NOW)).toBeNull();
      bench.now += DAY;
      expect(bench.called()).toEqual([]);
      bench.rules.app = RULES;
      expect([bench.called().length, bench.called().length]).toEqual([20, 0]);
      bench.now += SECOND;
      expect(bench.called()).toHaveLength(5);
    }),
  );

  it(
    "lets none of those go who wait for a place",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, maxInFlight: 1 };
      await bench.ask("a");
      const waiting = bench.ask("b");
      bench.rules.app = { ...RULES, maxInFlight: 1, isPaused: true };
      bench.report("ok", "a");
      expect(await waiting).toMatchObject({ kind: "park", reason: "paused" });
      expect(bench.flow.stateOf("app", HOST, NOW)).toMatchObject({ in_flight: 0 });
    }),
  );

  it(
    "does not hold up another one on its host",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, isPaused: true };
      bench.rules.other = RULES;
      await bench.ask("a");
      expect(await bench.ask("b", { destination: "other" })).toMatchObject({ kind: "go" });
    }),
  );

  it(
    "calls its deliveries when it is removed: they have to end",
    onBench(async (bench) => {
      bench.rules.app = { ...RULES, isPaused: true };
      const parked = kept(await bench.ask("a"));
      delete bench.rules.app;
      expect(bench.called()).toEqual(["a"]);
      expect(await bench.ask("a", { parked })).toEqual({ kind: "missing" });
    }),
  );
});

describe("what is stored", () => {
  it(
    "is forgotten when it is of no use any more",
    onBench(async (bench) => {
      bench.fail(3);
      bench.rules.app = { ...RULES, isPaused: true };
      await bench.ask("a");
      expect(bench.flow.expire(NOW + 14 * DAY)).toBe(true);
      expect(bench.flow.expire(NOW + 16 * DAY)).toBe(false);
      expect(bench.flow.stateOf("app", HOST, NOW).failures).toBe(0);
    }),
  );

  it(
    "is an open breaker as long as somebody waits behind it",
    onBench(async (bench) => {
      bench.fail();
      await bench.ask("a");
      bench.flow.expire(NOW + 13 * DAY);
      bench.now = NOW + 13 * DAY;
      expect(bench.flow.stateOf("app", HOST, bench.now)).toMatchObject({ state: "open", parked: 1 });
    }),
  );
});

describe("the object's memory", () => {
  it("may be lost with deliveries under way", async () => {
    const inFlight = () =>
      runInDurableObject(tenant(), async (_, { storage }) => {
        const bench = new Bench(storage.sql);
        for (const id of names(10)) await bench.ask(id);
        return bench.flow.stateOf("app", HOST, NOW + MINUTE - MINUTE).in_flight;
      });
    expect(await inFlight()).toBe(10);
    await evictDurableObject(tenant());
    expect(await inFlight()).toBe(10);
  });
});
