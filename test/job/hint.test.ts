import { describe, expect, it } from "vitest";
import { hinted } from "../../src/job/lifecycle.ts";
import { deliveringJob, inState, MINUTE, REGISTERED_AT, SECOND, waitingJob } from "../support/jobs.ts";

describe("a hint", () => {
  const polledAt = (at: number) => ({
    timeline: [
      { at: REGISTERED_AT, type: "registered" as const },
      { at, type: "poll" as const, result: "pending" },
    ],
  });
  const NOW = REGISTERED_AT + 60 * SECOND;

  it("makes a job that waits poll at once, and is noted", () => {
    const job = inState(hinted(waitingJob({}, { nextPollAt: NOW + MINUTE }), NOW), "waiting");
    expect(job.state.nextPollAt).toBe(NOW);
    expect(job.timeline.at(-1)).toEqual({ at: NOW, type: "hint" });
  });

  it.each([
    [4_999, NOW + 1],
    [5_000, NOW],
    [60_000, NOW],
  ])("%i ms after a poll makes the next one %i", (age, at) => {
    const job = hinted(waitingJob(polledAt(NOW - age), { nextPollAt: NOW + MINUTE }), NOW);
    expect(inState(job, "waiting").state.nextPollAt).toBe(at);
  });

  it("changes nothing when the poll is as near, when somebody asked to wait, or when the job does not wait", () => {
    expect(hinted(waitingJob({}, { nextPollAt: NOW }), NOW)).toBeNull();
    expect(hinted(waitingJob(polledAt(NOW - 1_000), { nextPollAt: NOW + 4_000 }), NOW)).toBeNull();
    expect(hinted(waitingJob({}, { nextPollAt: NOW + MINUTE, transients: 1 }), NOW)).toBeNull();
    expect(hinted(deliveringJob(), NOW)).toBeNull();
  });
});
