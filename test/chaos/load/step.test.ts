/** What a step counts, of a few jobs made up for it. */
import { describe, expect, it } from "vitest";
import type { Call } from "./caller.ts";
import { dueAt, Ledger, noFindings, type Seen, type Timing } from "./ledger.ts";
import { DESTINATIONS, isUnfaulted, LARGE_BYTES, MIXED, type Mix, outputOf, planOf } from "./plan.ts";
import { type Observed, stepOf } from "./step.ts";

const NONE: Mix = {
  ...MIXED,
  provider: { error: 0, rate_limited: 0, slow: 0, reset: 0, not_json: 0 },
  receiver: { error: 0, slow: 0, reset: 0, retry_after: 0, hang: 0 },
  ...{ late: 0, failed: 0, large: 0, silent: 0, read: 0, batched: 0 },
};
const TIMING: Timing = { firstId: 100, count: 10, perSecond: 10, startAt: 1_000_000 };
const IDS = Array.from({ length: TIMING.count }, (_, i) => TIMING.firstId + i);

const call = (id: number, overrides: Partial<Call> = {}): Call => ({
  firstId: id,
  statuses: [202],
  dueAt: dueAt(TIMING, id),
  latencyMs: 7,
  lateMs: 0,
  ...overrides,
});

/** Called back so long after the provider was done. */
const seenOf = (id: number, lagMs: number, overrides: Partial<Seen> = {}): Seen => {
  const at = dueAt(TIMING, id) + planOf(id, NONE).workMs + lagMs;
  return {
    ...{ polls: 1, posts: 1, toldAt: at - 10, firstPostAt: at, acceptedAt: at, webhookId: "", hash: "" },
    ...overrides,
  };
};

const observed = (overrides: Partial<Observed> = {}): Observed => ({
  timing: TIMING,
  mix: NONE,
  called: { calls: IDS.map((id) => call(id)), reads: { jobs: 0, wrong: [] } },
  taken: { jobs: IDS.map((id) => [id, seenOf(id, 500)] as const), findings: noFindings() },
  use: { cpu: {}, machine: 0, running: 0, queued: 0 },
  samples: [],
  ...overrides,
});

describe("a step", () => {
  it("has its jobs, and their times from when they were due and ready", () => {
    expect(stepOf(observed())).toMatchObject({
      ...{
        perSecond: 10,
        seconds: 1,
        jobs: 10,
        accepted: 10,
        delivered: 10,
        lost: [],
        unanswered: 0,
        polls: 10,
      },
      latencyMs: { count: 10, max: 7 },
      lagMs: { count: 10 },
      afterPollMs: { p50: 10 },
      repeats: { planned: 0, more: 0 },
    });
    expect(stepOf(observed()).lagMs.p99).toBeCloseTo(500);
  });

  it("names the events that did not come, or were only refused", () => {
    const jobs = IDS.slice(2).map((id) => [id, seenOf(id, 500)] as const);
    const refused = [IDS[0] ?? 0, seenOf(IDS[0] ?? 0, 500, { acceptedAt: 0 })] as const;
    const { lost, delivered } = stepOf(
      observed({ taken: { jobs: [refused, ...jobs], findings: noFindings() } }),
    );
    expect([lost, delivered]).toEqual([IDS.slice(0, 2), 8]);
  });

  it("counts a registration that was not answered as such, and its event too, but misses none", () => {
    const calls = IDS.map((id, i) => call(id, i < 3 ? { statuses: [[0, 503, 500][i] ?? 0] } : {}));
    const jobs = IDS.filter((_, i) => i !== 1).map((id) => [id, seenOf(id, 500)] as const);
    const step = stepOf(
      observed({
        called: { calls, reads: { jobs: 0, wrong: [] } },
        taken: { jobs, findings: noFindings() },
      }),
    );
    expect(step).toMatchObject({
      accepted: 7,
      refused: { "0": 1, "503": 1, "500": 1 },
      lost: [],
      unanswered: 2,
    });
  });

  it("expects no event of a job without a callback", () => {
    const mix: Mix = { ...NONE, silent: 1 };
    const taken = { jobs: [], findings: noFindings() };
    expect(stepOf(observed({ mix, taken }))).toMatchObject({ accepted: 10, delivered: 0, lost: [] });
  });

  it("counts attempts beyond those that the receiver's faults make necessary", () => {
    const mix: Mix = { ...NONE, receiver: { ...NONE.receiver, error: 1 } };
    const jobs = IDS.map((id, i) => [id, seenOf(id, 500, { posts: i === 0 ? 4 : 2 })] as const);
    const step = stepOf(observed({ mix, taken: { jobs, findings: noFindings() } }));
    expect(step.repeats).toEqual({ planned: 10, more: 2 });
    expect(step.lagMs.count).toBe(0);
  });

  it("says how many events were overdue when the last registration was sent", () => {
    const jobs = IDS.map((id) => [id, seenOf(id, 60_000)] as const);
    const long: Timing = { ...TIMING, perSecond: 1 };
    const { behind } = stepOf(observed({ timing: long, taken: { jobs, findings: noFindings() } }));
    const due = IDS.filter((id) => dueAt(long, id) + planOf(id, NONE).workMs <= long.startAt + 5_000);
    expect(due.length).toBeGreaterThan(2);
    expect(behind).toBe(due.length);
  });
});

describe("the ledger", () => {
  const id = 105;
  const { destination } = planOf(id, NONE);
  const event = (data: object = {}) =>
    JSON.stringify({
      type: "job.succeeded",
      data: { request_id: String(id), output: [outputOf(id)], metadata: { n: id }, ...data },
    });
  const posted = (mix: Mix, ...posts: readonly { body?: string; webhookId?: string; to?: string }[]) => {
    const ledger = new Ledger(mix, {});
    ledger.begin(TIMING);
    for (const { body = event(), webhookId = "msg_1", to = destination } of posts) {
      const seen = ledger.posted({ destination: to, headers: { "webhook-id": webhookId }, body })?.seen;
      if (seen) ledger.accept(seen);
    }
    const { strange, uncalled, changed, wrong, again } = ledger.take(TIMING).findings;
    return { strange, uncalled, changed, wrong, again };
  };
  const nothing = { strange: 0, uncalled: 0, changed: 0, wrong: 0, again: 0 };

  it("finds nothing about an event that is right", () => {
    expect(posted(NONE, {})).toEqual(nothing);
    expect(isUnfaulted(planOf(id, NONE))).toBe(true);
  });

  it.each([
    ["of no job", [{ body: event({ metadata: { n: 7 } }) }], { strange: 1 }],
    ["no JSON", [{ body: "<html>" }], { strange: 1 }],
    ["of another request", [{ body: event({ request_id: "106" }) }], { wrong: 1 }],
    ["with another output", [{ body: event({ output: [outputOf(106)] }) }], { wrong: 1 }],
    ["to another destination", [{ to: DESTINATIONS.find((name) => name !== destination) }], { wrong: 1 }],
    ["once more", [{}, {}], { again: 1 }],
    ["once more, under another id", [{}, { webhookId: "msg_2" }], { again: 1, changed: 1 }],
    ["once more, with other bytes", [{}, { body: `${event()} ` }], { again: 1, changed: 1 }],
  ] as [string, { body?: string; webhookId?: string; to?: string }[], object][])(
    "finds one that comes %s",
    (_, posts, findings) => {
      expect(posted(NONE, ...posts)).toEqual({ ...nothing, ...findings });
    },
  );

  it("finds one of a job without a callback, one that says success of a failure, and a large one cut short", () => {
    expect(posted({ ...NONE, silent: 1 }, {})).toEqual({ ...nothing, uncalled: 1 });
    expect(posted({ ...NONE, failed: 1 }, {})).toEqual({ ...nothing, wrong: 1 });
    expect(posted({ ...NONE, large: 1 }, {})).toEqual({ ...nothing, wrong: 1 });
    const whole = event({ output: [outputOf(id), "A".repeat(LARGE_BYTES)] });
    expect(posted({ ...NONE, large: 1 }, { body: whole })).toEqual(nothing);
  });
});
