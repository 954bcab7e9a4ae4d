import { describe, expect, it } from "vitest";
import { eventFor, finish } from "../../src/job/ending.ts";
import type { Job } from "../../src/job/record.ts";
import { viewOf } from "../../src/job/view.ts";
import { joinParts, type Part } from "../../src/json.ts";
import {
  answerOf,
  bytesOf,
  EXPIRED,
  endedJob,
  failedWith,
  REGISTERED_AT,
  RETENTION,
  SECOND,
  SUCCEEDED,
  waitingJob,
} from "../support/jobs.ts";

const NOW = REGISTERED_AT + 30 * SECOND;
const SAID = { status: "error", message: "why", id: 12202888 };

const read = (parts: readonly Part[], answer: Uint8Array | null) =>
  JSON.parse(new TextDecoder().decode(joinParts(parts, answer).bytes));

/** The event of a job that ended now, its spans read from the stored answer. */
function event(result: Parameters<typeof finish>[1], overrides: Partial<Job>, stored: unknown = SAID) {
  const job = finish(waitingJob(overrides), result, NOW, RETENTION);
  return read(job.state.ending.event, bytesOf(stored));
}

describe("the standard event", () => {
  it("carries the job, its answer and its metadata", () => {
    const answer = { status: "success", output: ["u"], proxy_links: ["p"], id: 1 };
    const body = event(
      SUCCEEDED,
      { answer: answerOf(answer), metadata: '{"user":7}', polls: 2, endpoint: "v4/dreambooth" },
      answer,
    );
    expect(body).toEqual({
      type: "job.succeeded",
      timestamp: "2026-11-20T12:00:30.000Z",
      data: {
        job_id: waitingJob().id,
        endpoint: "v4/dreambooth",
        request_id: "12202888",
        output: ["u"],
        proxy_links: ["p"],
        provider: answer,
        error: null,
        metadata: { user: 7 },
        registered_at: "2026-11-20T12:00:00.000Z",
        finished_at: "2026-11-20T12:00:30.000Z",
        polls: 2,
      },
    });
  });

  it.each([
    ["provider_error", failedWith("provider_error"), "job.failed"],
    ["internal_error", failedWith("internal_error"), "job.failed"],
    ["expired", EXPIRED, "job.expired"],
  ])("of a job that ended with %s carries the last answer seen, and no output", (_, result, type) => {
    const body = event(result, { answer: answerOf(SAID) });
    expect(body).toMatchObject({ type, data: { output: null, proxy_links: null, provider: SAID } });
    expect(body.data.error).toEqual(result.error);
  });

  it("of a job that was never answered has no provider", () => {
    expect(event(EXPIRED, { answer: null })).toMatchObject({ data: { provider: null, error: null } });
  });

  it("of an answer that stands in chunks of its own is read from them", () => {
    const { size } = answerOf(SAID);
    expect(event(EXPIRED, { answer: { size, bytes: null, chunks: 1 } })).toMatchObject({
      data: { provider: SAID },
    });
  });
});

describe("the event in the provider's format", () => {
  const provider = { format: "provider", answer: answerOf(SAID) } as const;

  it("is the provider's own answer when that was its last word", () => {
    for (const reason of ["provider_error", "unauthorized", "payment_required", "not_found"] as const)
      expect(event(failedWith(reason), provider)).toEqual(SAID);
  });

  it.each(["output_too_large", "empty_output", "key_unreadable", "internal_error"] as const)(
    "is a failure in its shape when it ended with %s",
    (reason) => {
      const failure = { status: "failed", id: 12202888, message: "why", output: [] };
      expect(event(failedWith(reason), provider)).toEqual(failure);
    },
  );

  it("is a failure in its shape when the job expired", () => {
    const body = event(EXPIRED, { ...provider, metadata: '{"track_id":"t-1"}' });
    expect(body).toMatchObject({ status: "failed", id: 12202888, output: [], track_id: "t-1" });
    expect(body.message).toMatch(/deadline/);
  });
});

describe("an event built anew for another format", () => {
  it("is the same from a stored answer as from a fresh one", () => {
    const fresh = finish(
      waitingJob({ answer: answerOf(SAID) }),
      failedWith("provider_error"),
      NOW,
      RETENTION,
    );
    const { ending } = fresh.state;
    expect(eventFor(ending, fresh, "standard", bytesOf(SAID))).toEqual(ending.event);
    expect(read(eventFor(ending, fresh, "provider", bytesOf(SAID)), bytesOf(SAID))).toEqual(SAID);
  });
});

describe("the end", () => {
  it("starts the first run of a job with a callback, and none without", () => {
    expect(endedJob()).toMatchObject({ runs: 1, state: { status: "delivering" } });
    expect(endedJob(SUCCEEDED, { callbackUrl: null })).toMatchObject({
      runs: 0,
      state: { status: "finished" },
    });
  });

  it("is seen by callers in every field that tells of it", () => {
    const { fields } = viewOf(endedJob(failedWith("not_found"), {}, NOW), null);
    expect(fields).toMatchObject({
      status: "delivering",
      outcome: "failed",
      error: { reason: "not_found", message: "why" },
      finished_at: "2026-11-20T12:00:30.000Z",
      next_attempt_at: "2026-11-20T12:00:30.000Z",
      next_poll_at: null,
      delivered_at: null,
      expires_at: null,
      delivery_error: null,
    });
  });
});
