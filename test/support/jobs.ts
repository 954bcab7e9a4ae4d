/**
 * Jobs as plain values, for the pure half of `src/job`: every builder takes overrides, times hang on one moment.
 */

import { finish, type Result } from "../../src/job/ending.ts";
import { begin } from "../../src/job/lifecycle.ts";
import { type In, isIn, type Job, type State, type Waiting } from "../../src/job/record.ts";
import type { Registration } from "../../src/job/registering.ts";
import type { PollResult } from "../../src/provider/client.ts";
import type { Verdict } from "../../src/provider/response.ts";
import type { AttemptResult, AttemptVerdict } from "../../src/webhook/deliver.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const REGISTERED_AT = Date.UTC(2026, 10, 20, 12);
export const DEADLINE_AT = REGISTERED_AT + HOUR;
export const RETENTION = 7 * DAY;
export const SEALED = "k1.aXY=.c2VhbGVk";

const encoder = new TextEncoder();
/** JSON as it is stored. */
export const bytesOf = (value: unknown): Uint8Array =>
  encoder.encode(typeof value === "string" ? value : JSON.stringify(value));

export const registrationOf = (overrides: Partial<Registration> = {}): Registration => ({
  id: "job_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  tenant: "acme",
  endpoint: "v3",
  requestId: "12202888",
  origin: null,
  host: "pollhook.example",
  callbackUrl: "https://example.com/hook",
  format: "standard",
  metadata: "{}",
  etaSeconds: 20,
  deadlineSeconds: 3600,
  sealedKey: SEALED,
  finalAnswer: null,
  ...overrides,
});

/** The job, known to be in that state; throws where it is not. */
export function inState<Status extends State["status"]>(job: Job | null, status: Status): In<Status> {
  if (!job || !isIn(job, status))
    throw new Error(`expected a job that is ${status}, got ${job?.state.status}`);
  return job;
}

export function waitingJob(overrides: Partial<Job> = {}, state: Partial<Waiting> = {}): In<"waiting"> {
  const start = {
    now: REGISTERED_AT,
    random: 0,
    eventId: "msg_first",
    retentionMs: RETENTION,
    secondsPerPoll: 1,
  };
  const job = inState(begin(registrationOf(), start), "waiting");
  return { ...job, ...overrides, state: { ...job.state, ...state } };
}

export const SUCCEEDED: Result = { outcome: "succeeded", error: null };
export const EXPIRED: Result = { outcome: "expired", error: null };
export const failedWith = (reason: NonNullable<Result["error"]>["reason"]): Result => ({
  outcome: "failed",
  error: { reason, message: "why" },
});

/** A job whose outcome became known at `now`: delivering, or finished without a callback. */
export function endedJob(result: Result = SUCCEEDED, overrides: Partial<Job> = {}, now = REGISTERED_AT): Job {
  return finish(
    waitingJob({ answer: answerOf({ status: "success", output: ["u"] }), ...overrides }),
    result,
    now,
    RETENTION,
  );
}

export const deliveringJob = (overrides: Partial<In<"delivering">["state"]> = {}): In<"delivering"> => {
  const job = inState(endedJob(), "delivering");
  return { ...job, state: { ...job.state, ...overrides } };
};

export const answerOf = (value: unknown): NonNullable<Job["answer"]> => {
  const bytes = bytesOf(value);
  return { size: bytes.length, bytes, chunks: 0 };
};

/** What a poll brought; with an answer where the verdict comes from one. */
export function seen(verdict: Verdict, overrides: Partial<PollResult> = {}): PollResult {
  const answer = verdict.kind === "transient" ? null : bytesOf({ status: "success", output: ["u"] });
  return { verdict, httpStatus: 200, durationMs: 41, answer, called: true, ...overrides };
}

export const attemptResult = (
  verdict: AttemptVerdict,
  overrides: Partial<AttemptResult> = {},
): AttemptResult => ({ verdict, httpStatus: 200, durationMs: 12, response: null, ...overrides });
