import { describe, expect, it } from "vitest";
import { attempted, attemptStarted } from "../../src/job/delivery.ts";
import { cancel } from "../../src/job/lifecycle.ts";
import { polled } from "../../src/job/polling.ts";
import { progressOf, progressSince } from "../../src/job/progress.ts";
import type { In, Job } from "../../src/job/record.ts";
import {
  attemptResult,
  deliveringJob,
  inState,
  REGISTERED_AT,
  RETENTION,
  SECOND,
  seen,
  waitingJob,
} from "../support/jobs.ts";

const moment = (after: number) => ({
  now: REGISTERED_AT + after,
  random: 0,
  retentionMs: RETENTION,
  secondsPerPoll: 1,
});
const pending = (job: In<"waiting">, after: number): In<"waiting"> =>
  inState(
    polled(job, seen({ kind: "pending", etaSeconds: null }), REGISTERED_AT + after, moment(after + 40)),
    "waiting",
  );
const succeeded = (job: In<"waiting">, after: number): In<"delivering"> =>
  inState(polled(job, seen({ kind: "succeeded" }), REGISTERED_AT + after, moment(after + 40)), "delivering");
const delivered = (job: In<"delivering">, after: number): Job => {
  const started = attemptStarted(job, REGISTERED_AT + after, 0);
  const facts = { run: job.runs, eventId: job.eventId, startedAt: REGISTERED_AT + after };
  return attempted(started, facts, attemptResult({ kind: "delivered" }), moment(after + 12));
};
const typesOf = (job: Job): string[] => progressOf(job).map(({ type }) => type);

describe("the progress of a job", () => {
  it("is its polls, its outcome, its attempts and its end, in that order", () => {
    const job = delivered(succeeded(pending(waitingJob(), SECOND), 3 * SECOND), 3 * SECOND + 40);
    expect(typesOf(job)).toEqual(["poll", "poll", "outcome", "attempt", "done"]);
    const [, last, outcome, attempt, done] = progressOf(job);
    expect(last?.data).toMatchObject({ type: "poll", result: "succeeded", http_status: 200 });
    expect(outcome?.data).toEqual({ outcome: "succeeded", error: null });
    expect(attempt?.data).toMatchObject({ type: "attempt", result: "delivered" });
    expect(done?.data).toEqual({ status: "delivered", outcome: "succeeded" });
  });

  it("of a job that was canceled is its end", () => {
    const canceled = cancel(pending(waitingJob(), SECOND), REGISTERED_AT + 2 * SECOND, RETENTION);
    expect(canceled && typesOf(canceled)).toEqual(["poll", "outcome", "done"]);
  });

  it("has an id for each event that stays what it is while more come", () => {
    const stages: Job[] = [];
    const first = pending(waitingJob(), SECOND);
    const second = pending(first, 2 * SECOND);
    const ended = succeeded(second, 4 * SECOND);
    stages.push(first, second, ended, delivered(ended, 4 * SECOND + 40));
    const ids = stages.map((job) => progressOf(job).map(({ id }) => id));
    for (const [i, before] of ids.slice(0, -1).entries())
      expect(ids[i + 1]?.slice(0, before.length)).toEqual(before);
    expect(new Set(ids.at(-1)).size).toBe(6);
  });

  it("goes on behind any of its events, and from the start behind what is none", () => {
    const job = delivered(deliveringJob(), SECOND);
    const all = progressOf(job);
    for (const [i, { id }] of all.entries())
      expect(progressSince(id, job, false).events).toEqual(all.slice(i + 1));
    for (const id of ["", "x", "1-", "-1", `${"9".repeat(16)}-0`, "1700000000000-99999"])
      expect(progressSince(id, job, false).events).toEqual(all);
  });

  it("is full only while there is something to wait for", () => {
    expect(progressSince("", waitingJob(), true)).toMatchObject({ isFull: true, isOver: false });
    expect(progressSince("", delivered(deliveringJob(), SECOND), true)).toMatchObject({
      isFull: false,
      isOver: true,
    });
  });
});
