import { describe, expect, it } from "vitest";
import { type Learned, observe } from "../../src/job/learned.ts";
import { polled } from "../../src/job/polling.ts";
import type { Job } from "../../src/job/record.ts";
import type { FailureReason, TransientCause, Verdict } from "../../src/provider/response.ts";
import {
  bytesOf,
  DEADLINE_AT,
  inState,
  MINUTE,
  REGISTERED_AT,
  RETENTION,
  SEALED,
  SECOND,
  seen,
  waitingJob,
} from "../support/jobs.ts";

const pending = (etaSeconds: number | null = null): Verdict => ({ kind: "pending", etaSeconds });
const EMPTY: Verdict = { kind: "empty" };
const NOT_FOUND: Verdict = { kind: "not_found", message: "Request not found" };
const transient = (cause: TransientCause = "http_error", waitSeconds: number | null = null): Verdict => ({
  kind: "transient",
  cause,
  waitSeconds,
});
const failed = (reason: FailureReason): Verdict => ({ kind: "failed", reason, message: "why" });

/** The job after one poll that began and ended `elapsed` ms after registration. */
const pollAt = (verdict: Verdict, elapsed: number, job: Job = waitingJob(), random = 0.5): Job =>
  polled(inState(job, "waiting"), seen(verdict), REGISTERED_AT + elapsed, {
    now: REGISTERED_AT + elapsed,
    random,
    retentionMs: RETENTION,
    secondsPerPoll: 1,
  });

/** The job after several polls, a second apart, the first `elapsed` ms after registration. */
const pollEach = (verdicts: readonly Verdict[], elapsed = SECOND): Job =>
  verdicts.reduce<Job>((job, verdict, i) => pollAt(verdict, elapsed + i * SECOND, job), waitingJob());

const nextGap = (job: Job, elapsed: number): number =>
  inState(job, "waiting").state.nextPollAt - REGISTERED_AT - elapsed;

describe("a poll that finds the request at work", () => {
  /** 100 jobs have taken three times their eta. */
  const learned = Array.from({ length: 100 }).reduce<Learned | null>((learned, _, i) => {
    const eta = [10, 20, 40][i % 3] ?? 10;
    return observe(learned, eta, { after: 3 * eta - 1, until: 3 * eta });
  }, null);
  const known = waitingJob({}, learned ? { learned } : {});

  it("waits by what is known of its endpoint's jobs", () => {
    const gap = nextGap(pollAt(pending(), 20 * SECOND, known), 20 * SECOND);
    expect(gap).toBeGreaterThan(30 * SECOND);
    expect(gap).toBeLessThan(45 * SECOND);
    expect(nextGap(pollAt(pending(), 20 * SECOND), 20 * SECOND)).toBeLessThan(15 * SECOND);
  });

  it("begins anew with a fresh eta, and keeps to that", () => {
    const job = inState(pollAt(pending(50), 100 * SECOND, known), "waiting");
    expect(job.state.hint).toEqual({ etaSeconds: 50, at: REGISTERED_AT + 100 * SECOND });
    expect(nextGap(job, 100 * SECOND)).toBeGreaterThan(45 * SECOND);
    expect(nextGap(pollAt(pending(), 100 * SECOND, known), 100 * SECOND)).toBeLessThan(30 * SECOND);
    const later = inState(pollAt(pending(), 200 * SECOND, job), "waiting");
    expect(later.state.hint).toEqual(job.state.hint);
    expect(nextGap(later, 200 * SECOND)).toBeGreaterThan(30 * SECOND);
  });

  it("takes the registration's eta, said again, for no news", () => {
    const job = pollAt(pending(20), 25 * SECOND);
    expect(job.state).not.toHaveProperty("hint");
    expect(nextGap(job, 25 * SECOND)).toBe(nextGap(pollAt(pending(), 25 * SECOND), 25 * SECOND));
  });

  it("that is worth less polls sooner", () => {
    const at = (secondsPerPoll: number): Job =>
      polled(known, seen(pending()), REGISTERED_AT + 70 * SECOND, {
        now: REGISTERED_AT + 70 * SECOND,
        random: 0.5,
        retentionMs: RETENTION,
        secondsPerPoll,
      });
    expect(nextGap(at(0.1), 70 * SECOND)).toBeLessThan(nextGap(at(4), 70 * SECOND));
  });

  it("is counted and noted with what came back", () => {
    const job = pollAt(pending(), 20 * SECOND);
    expect(job.polls).toBe(1);
    expect(job.timeline.at(-1)).toEqual({
      at: REGISTERED_AT + 20 * SECOND,
      type: "poll",
      result: "pending",
      httpStatus: 200,
      durationMs: 41,
    });
  });

  it("keeps the sealed key, the event id and the deadline", () => {
    const job = inState(pollAt(pending(), 20 * SECOND), "waiting");
    expect(job).toMatchObject({
      eventId: "msg_first",
      deadlineAt: DEADLINE_AT,
      state: { sealedKey: SEALED },
    });
  });

  it("replaces the last answer, and keeps it where none came", () => {
    const answered = pollAt(pending(), 20 * SECOND);
    expect(answered.answer?.bytes).toEqual(bytesOf({ status: "success", output: ["u"] }));
    expect(pollAt(transient(), 30 * SECOND, answered).answer).toBe(answered.answer);
  });

  it("remembers the rows of the answer that it replaces", () => {
    const job = waitingJob({ answer: { size: 3_000_000, bytes: null, chunks: 3 } });
    expect(pollAt(pending(), 20 * SECOND, job).answer).toMatchObject({ chunks: 3 });
  });
});

describe("a transient answer", () => {
  it("is repeated after 2 s, doubling to 60 s", () => {
    let job: Job = waitingJob();
    const gaps = [1, 2, 3, 4, 5, 6, 7].map((i) => {
      job = pollAt(transient(), i * SECOND, job);
      return nextGap(job, i * SECOND) / SECOND;
    });
    expect(gaps).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });

  it.each([
    ["pending", pending()],
    ["empty", EMPTY],
    ["not found", NOT_FOUND],
  ])("starts over at 2 s after a %s one", (_, verdict) => {
    const job = pollEach([transient(), transient(), transient(), verdict, transient()]);
    expect(nextGap(job, 5 * SECOND)).toBe(2 * SECOND);
  });

  it("that names a time is repeated then", () => {
    expect(nextGap(pollAt(transient("rate_limited", 90), SECOND, waitingJob(), 0), SECOND)).toBe(90 * SECOND);
  });

  it.each(["redirect", "rate_limited", "http_error", "network", "timeout", "not_json"] as const)(
    "is noted as %s, however often it comes",
    (cause) => {
      const job = pollEach(Array.from({ length: 30 }, () => transient(cause)));
      expect(job.state.status).toBe("waiting");
      expect(job.timeline.at(-1)).toMatchObject({ result: "transient", reason: cause });
    },
  );

  it("for a key that cannot be opened is no poll, as the provider was not asked", () => {
    const uncalled = seen(transient("key_unreadable"), { called: false, httpStatus: null });
    const when = { now: REGISTERED_AT + SECOND, random: 0.5, retentionMs: RETENTION, secondsPerPoll: 1 };
    const job = polled(waitingJob(), uncalled, REGISTERED_AT + SECOND, when);
    expect(job).toMatchObject({ polls: 0, state: { status: "waiting", sealedKey: SEALED } });
    expect(job.timeline.at(-1)).toMatchObject({ type: "poll", reason: "key_unreadable", httpStatus: null });
  });
});

describe("success without output", () => {
  it("is doubted for three further polls", () => {
    expect(pollEach([EMPTY, EMPTY, EMPTY]).state.status).toBe("waiting");
    expect(pollEach([EMPTY, EMPTY, EMPTY, EMPTY]).state).toMatchObject({
      status: "delivering",
      ending: { outcome: "failed", error: { reason: "empty_output" } },
    });
  });

  it("is counted over other answers between", () => {
    const job = pollEach([EMPTY, pending(), EMPTY, transient(), EMPTY, pending(), EMPTY]);
    expect(job.state).toMatchObject({ ending: { error: { reason: "empty_output" } } });
  });

  it("is forgotten when output comes at last", () => {
    const job = pollEach([EMPTY, EMPTY, EMPTY, { kind: "succeeded" }]);
    expect(job.state).toMatchObject({ ending: { outcome: "succeeded", error: null } });
  });
});

describe("a request that is not found", () => {
  it("is doubted for 60 s, however often it is seen", () => {
    const early = pollEach(Array.from({ length: 20 }, () => NOT_FOUND));
    expect(pollAt(NOT_FOUND, MINUTE - 1, early).state.status).toBe("waiting");
    expect(pollAt(NOT_FOUND, MINUTE, early).state).toMatchObject({
      ending: { outcome: "failed", error: { reason: "not_found", message: "Request not found" } },
    });
  });

  it("is doubted until it is seen twice, however late", () => {
    const once = pollAt(NOT_FOUND, 10 * MINUTE);
    expect(once.state.status).toBe("waiting");
    const between = pollAt(pending(), 11 * MINUTE, once);
    expect(pollAt(NOT_FOUND, 12 * MINUTE, between).state).toMatchObject({
      ending: { error: { reason: "not_found" } },
    });
  });
});

describe("a final answer", () => {
  it("of success ends the job, and the first attempt is due at once", () => {
    const job = pollAt({ kind: "succeeded" }, 30 * SECOND);
    const now = REGISTERED_AT + 30 * SECOND;
    expect(job.state).toMatchObject({
      status: "delivering",
      ending: { outcome: "succeeded", error: null, finishedAt: now },
      runStartedAt: now,
      runAttempts: 0,
      nextAttemptAt: now,
    });
  });

  it.each(["provider_error", "unauthorized", "payment_required", "output_too_large"] as const)(
    "of %s fails the job at the first sight",
    (reason) => {
      const job = pollAt(failed(reason), 30 * SECOND);
      expect(job.state).toMatchObject({ ending: { outcome: "failed", error: { reason, message: "why" } } });
      expect(job.timeline.at(-1)).toMatchObject({ result: "failed", reason });
    },
  );

  it("finishes a job without a callback, its retention running", () => {
    const job = pollAt({ kind: "succeeded" }, 30 * SECOND, waitingJob({ callbackUrl: null }));
    expect(job.state).toMatchObject({
      status: "finished",
      expiresAt: REGISTERED_AT + 30 * SECOND + RETENTION,
    });
  });

  it.each([
    ["success", { kind: "succeeded" } as const],
    ["failure", failed("provider_error")],
    ["the deadline", transient()],
  ])("of %s takes the sealed key out of the job", (_, verdict) => {
    const job = pollAt(verdict, 3600 * SECOND);
    expect(job.state.status).toBe("delivering");
    expect(JSON.stringify(job)).not.toContain(SEALED);
  });
});

describe("the deadline", () => {
  const HOUR = 3600 * SECOND;

  it.each([
    ["pending", pending(30)],
    ["a transient answer", transient("rate_limited", 600)],
    ["not found, seen once", NOT_FOUND],
    ["success without output, seen once", EMPTY],
    ["an origin that is no longer listed", transient("origin_not_listed")],
  ])("ends a job that shows %s, and not 1 ms before", (_, verdict) => {
    expect(inState(pollAt(verdict, HOUR - 1), "waiting").state.nextPollAt).toBe(DEADLINE_AT);
    expect(pollAt(verdict, HOUR).state).toMatchObject({ ending: { outcome: "expired", error: null } });
  });

  it("still lets the last poll succeed or fail", () => {
    expect(pollAt({ kind: "succeeded" }, 2 * HOUR).state).toMatchObject({ ending: { outcome: "succeeded" } });
    expect(pollAt(failed("provider_error"), 2 * HOUR).state).toMatchObject({
      ending: { error: { reason: "provider_error" } },
    });
  });

  it("makes a poll that began before it and ended behind it the last", () => {
    const when = { now: DEADLINE_AT + 9 * SECOND, random: 0.5, retentionMs: RETENTION, secondsPerPoll: 1 };
    const job = polled(waitingJob(), seen(transient("timeout")), DEADLINE_AT - SECOND, when);
    expect(job.state).toMatchObject({ ending: { outcome: "expired", finishedAt: when.now } });
  });

  it("fails a job whose key cannot be opened by then", () => {
    expect(pollAt(transient("key_unreadable"), HOUR - 1).state.status).toBe("waiting");
    expect(pollAt(transient("key_unreadable"), HOUR).state).toMatchObject({
      ending: { outcome: "failed", error: { reason: "key_unreadable" } },
    });
  });

  it.each(["config_unusable", "origin_not_listed"] as const)(
    "expires a job that %s kept from asking",
    (cause) => {
      expect(pollAt(transient(cause), HOUR).state).toMatchObject({
        ending: { outcome: "expired", error: null },
      });
    },
  );

  it("expires a job whose key could not be opened for a while, and then could", () => {
    const job = pollAt(transient("key_unreadable"), HOUR - SECOND);
    expect(pollAt(pending(), HOUR, job).state).toMatchObject({ ending: { outcome: "expired" } });
  });
});
