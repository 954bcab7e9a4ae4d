import { describe, expect, it } from "vitest";
import { watchdogAt } from "../../src/job/crashes.ts";
import { deliveringJob, REGISTERED_AT, SECOND, waitingJob } from "../support/jobs.ts";

const NOW = REGISTERED_AT + 60 * SECOND;
const waitOf = (job: Parameters<typeof watchdogAt>[0], random = 0): number =>
  (watchdogAt(job, NOW, random) - NOW) / SECOND;

describe("the watchdog over a run that may die again", () => {
  it("comes later after each death", () => {
    const waits = [1, 2, 3, 4].map((crashes) => waitOf(waitingJob({ crashes })));
    expect(waits).toEqual([20, 40, 80, 160]);
  });

  it("is spread, so that those who died together do not die together again", () => {
    expect(waitOf(waitingJob({ crashes: 2 }), 0.5)).toBe(44);
    expect(waitOf(waitingJob({ crashes: 2 }), 1)).toBe(48);
  });

  it("does not come after a deadline that lies ahead, but for the first 20 s", () => {
    expect(waitOf(waitingJob({ crashes: 4, deadlineAt: NOW + 90 * SECOND }))).toBe(90);
    expect(waitOf(waitingJob({ crashes: 4, deadlineAt: NOW + 5 * SECOND }))).toBe(20);
    expect(waitOf(waitingJob({ crashes: 4, deadlineAt: NOW - SECOND }))).toBe(20);
  });

  it("minds no deadline once the outcome is known", () => {
    expect(waitOf({ ...deliveringJob(), crashes: 3, deadlineAt: NOW + SECOND })).toBe(80);
  });
});
