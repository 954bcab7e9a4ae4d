import { describe, expect, it } from "vitest";
import { again, redeliver, withCallback } from "../../src/job/callback.ts";
import { broken, giveUpIfPoisoned, guarded } from "../../src/job/crashes.ts";
import { begin, cancel, due, wakeAt } from "../../src/job/lifecycle.ts";
import type { Job } from "../../src/job/record.ts";
import { isOver } from "../../src/job/record.ts";
import type { Registration } from "../../src/job/registering.ts";
import { joinParts } from "../../src/json.ts";
import {
  bytesOf,
  deliveringJob,
  EXPIRED,
  endedJob,
  failedWith,
  inState,
  REGISTERED_AT,
  RETENTION,
  registrationOf,
  SECOND,
  SUCCEEDED,
  waitingJob,
} from "../support/jobs.ts";

const LATER = REGISTERED_AT + 90 * SECOND;
const WAITING = waitingJob();
const DELIVERING = deliveringJob();
const FINISHED = endedJob(SUCCEEDED, { callbackUrl: null });
const CANCELED = inState(cancel(WAITING, LATER, RETENTION), "canceled");
const UNDELIVERED = inState(cancel(DELIVERING, LATER, RETENTION), "undelivered");
const DELIVERED: Job = {
  ...DELIVERING,
  state: {
    status: "delivered",
    ending: DELIVERING.state.ending,
    deliveredAt: LATER,
    expiresAt: LATER + RETENTION,
  },
};
const ALL: readonly Job[] = [WAITING, DELIVERING, DELIVERED, UNDELIVERED, FINISHED, CANCELED];
const named = (jobs: readonly Job[]) => jobs.map((job) => [job.state.status, job] as const);

/** The event's body as it would be sent. */
const eventOf = (job: Job, answer = bytesOf({ status: "success", output: ["u"] })) =>
  JSON.parse(new TextDecoder().decode(joinParts(eventParts(job), answer).bytes));
const eventParts = (job: Job) => ("ending" in job.state ? job.state.ending.event : []);

describe("what is due", () => {
  it.each([
    ["waiting", WAITING, "poll"],
    ["delivering", DELIVERING, "attempt"],
    ["delivering, every attempt spent", deliveringJob({ runAttempts: 10 }), "give_up"],
    ["delivered", DELIVERED, "purge"],
    ["undelivered", UNDELIVERED, "purge"],
    ["finished", FINISHED, "purge"],
    ["canceled", CANCELED, "purge"],
  ])("for a job that is %s, is nothing until its time has come", (_, job, action) => {
    expect(due(job, wakeAt(job) - 1)).toBe("nothing");
    expect(due(job, wakeAt(job))).toBe(action);
  });

  it("always has a time, so that no job is left without a wake-up", () => {
    for (const job of ALL) expect(wakeAt(job)).toBeGreaterThan(0);
  });

  it("is nothing but to forget the job once it is over", () => {
    expect(ALL.filter(({ state }) => !isOver(state)).map(({ state }) => state.status)).toEqual([
      "waiting",
      "delivering",
    ]);
  });
});

describe("a job that begins", () => {
  const start = {
    now: REGISTERED_AT,
    random: 0,
    eventId: "msg_first",
    retentionMs: RETENTION,
    secondsPerPoll: 1,
  };

  it("waits for its first poll, with nothing counted", () => {
    const job = begin(registrationOf(), start);
    expect(job).toMatchObject({ polls: 0, attempts: 0, runs: 0, crashes: 0, guarded: false, answer: null });
    expect(job).toMatchObject({ eventId: "msg_first", deadlineAt: REGISTERED_AT + 3600 * SECOND });
    const { nextPollAt } = inState(job, "waiting").state;
    expect(nextPollAt).toBeGreaterThan(REGISTERED_AT + SECOND);
    expect(nextPollAt).toBeLessThan(REGISTERED_AT + 20 * SECOND);
    expect(job.timeline).toEqual([{ at: REGISTERED_AT, type: "registered" }]);
  });

  it("with its answer goes out at once, without a key or a poll", () => {
    const finalAnswer = bytesOf({ status: "success", output: ["u"] });
    const job = begin(registrationOf({ finalAnswer }), start);
    expect(job).toMatchObject({ polls: 0, state: { status: "delivering", nextAttemptAt: REGISTERED_AT } });
    expect(eventOf(job)).toMatchObject({ type: "job.succeeded", data: { output: ["u"], polls: 0 } });
    expect(job.state).not.toHaveProperty("sealedKey");
  });

  it("with its answer and without a callback is finished", () => {
    const finalAnswer = bytesOf({ status: "success", output: ["u"] });
    const job = begin(registrationOf({ finalAnswer, callbackUrl: null }), start);
    expect(job.state).toMatchObject({ status: "finished", expiresAt: REGISTERED_AT + RETENTION });
  });
});

describe("registering the same request again", () => {
  const meaning = (job: Job, overrides: Partial<Registration> = {}) => again(job, registrationOf(overrides));
  const undelivered = (job: Job): Job => inState(cancel(job, LATER, RETENTION), "undelivered");

  it.each<[string, Job]>([
    ["canceled", CANCELED],
    ["expired", undelivered(endedJob(EXPIRED))],
    ["unauthorized", undelivered(endedJob(failedWith("unauthorized")))],
    ["payment_required", undelivered(endedJob(failedWith("payment_required")))],
    ["not_found", undelivered(endedJob(failedWith("not_found")))],
    ["empty_output", undelivered(endedJob(failedWith("empty_output")))],
    ["output_too_large", undelivered(endedJob(failedWith("output_too_large")))],
    ["key_unreadable", endedJob(failedWith("key_unreadable"), { callbackUrl: null })],
    ["internal_error", endedJob(failedWith("internal_error"), { callbackUrl: null })],
  ])("starts it anew when it is over and ended badly: %s", (_, job) => {
    expect(meaning(job)).toBe("start_anew");
    expect(meaning(job, { callbackUrl: null })).toBe("start_anew");
    expect(meaning(job, { callbackUrl: "https://example.com/other" })).toBe("start_anew");
  });

  it.each(named([WAITING, DELIVERING, DELIVERED, UNDELIVERED, CANCELED]))(
    "is not for another owner when the job is %s, nor for one when it has none",
    (_, job) => {
      for (const owner of ["tablet", undefined])
        expect(meaning({ ...job, owner }, { owner: "phone" })).toBe("other_owner");
      expect(meaning({ ...job, owner: "phone" }, { owner: "phone" })).not.toBe("other_owner");
      // A caller who is not bound may register what it likes.
      expect(meaning({ ...job, owner: "phone" })).not.toBe("other_owner");
    },
  );

  it.each([
    ["is waiting", WAITING],
    ["is delivering its success", DELIVERING],
    ["is delivering its expiry", endedJob(EXPIRED)],
    ["is delivering its failure", endedJob(failedWith("unauthorized"))],
    ["is delivered", DELIVERED],
    ["was canceled while it delivered a success", UNDELIVERED],
    ["failed with the provider's own error", undelivered(endedJob(failedWith("provider_error")))],
  ])("is the same job when it %s", (_, job) => {
    expect(meaning(job)).toBe("same");
    expect(meaning(job, { callbackUrl: null, format: "provider" })).toBe("same");
    expect(meaning(job, { metadata: '{"a":1}', etaSeconds: 1, deadlineSeconds: 30 })).toBe("same");
  });

  it.each(named([WAITING, DELIVERING, DELIVERED, UNDELIVERED]))(
    "conflicts when a job that is %s has another callback or format",
    (_, job) => {
      expect(meaning(job, { callbackUrl: "https://example.com/other" })).toBe("conflict");
      expect(meaning(job, { format: "provider" })).toBe("conflict");
    },
  );

  it.each([
    ["waits", waitingJob({ callbackUrl: null })],
    ["is finished", FINISHED],
    ["finished with the provider's error", endedJob(failedWith("provider_error"), { callbackUrl: null })],
  ])("names the callback of a job that %s without one", (_, job) => {
    expect(meaning(job, { format: "provider" })).toBe("set_callback");
    expect(meaning(job, { callbackUrl: null })).toBe("same");
  });
});

describe("a callback that comes later", () => {
  const url = "https://example.com/late";

  it("is kept for the end of a job that waits, without moving its poll", () => {
    const job = withCallback(
      waitingJob({ callbackUrl: null }),
      { callbackUrl: url, format: "provider" },
      null,
      LATER,
    );
    expect(job).toMatchObject({ callbackUrl: url, format: "provider", state: WAITING.state });
    expect(job.timeline.at(-1)).toEqual({ at: LATER, type: "callback_set" });
  });

  it("sends a finished job out at once, in the format that came with it", () => {
    const answer = bytesOf({ status: "success", output: ["u"] });
    const job = withCallback(FINISHED, { callbackUrl: url, format: "provider" }, answer, LATER);
    expect(job.state).toMatchObject({ status: "delivering", nextAttemptAt: LATER, runAttempts: 0 });
    expect(eventOf(job)).toEqual({ status: "success", output: ["u"] });
  });

  it("changes neither the event's id nor when the job finished", () => {
    const job = withCallback(
      FINISHED,
      { callbackUrl: url, format: "standard" },
      bytesOf({ status: "success", output: ["u"] }),
      LATER,
    );
    expect(job.eventId).toBe(FINISHED.eventId);
    expect(eventOf(job)).toEqual(eventOf(FINISHED));
  });
});

describe("cancel", () => {
  it("ends a job that waits, without an event and without its key", () => {
    expect(CANCELED.state).toEqual({ status: "canceled", finishedAt: LATER, expiresAt: LATER + RETENTION });
    expect(CANCELED.timeline.at(-1)).toEqual({ at: LATER, type: "cancel" });
  });

  it("stops a delivery and keeps its event", () => {
    expect(UNDELIVERED.state).toMatchObject({
      deliveryError: { reason: "canceled" },
      ending: DELIVERING.state.ending,
    });
  });

  it.each(named([DELIVERED, UNDELIVERED, FINISHED, CANCELED]))("finds nothing left when %s", (_, job) => {
    expect(cancel(job, LATER, RETENTION)).toBeNull();
  });
});

describe("redeliver", () => {
  it.each(named([DELIVERING, DELIVERED, UNDELIVERED]))("sends the same event at once when %s", (_, job) => {
    const again = inState(redeliver({ ...job, attempts: 3, runs: 1 }, null, LATER), "delivering");
    expect(again).toMatchObject({ attempts: 3, runs: 2, eventId: job.eventId, callbackUrl: job.callbackUrl });
    expect(again.state).toMatchObject({ runStartedAt: LATER, runAttempts: 0, nextAttemptAt: LATER });
    expect(again.state.ending.event).toEqual(eventParts(job));
  });

  it("takes another callback from then on", () => {
    const job = redeliver(FINISHED, { callbackUrl: "https://example.com/other" }, LATER);
    expect(job).toMatchObject({ callbackUrl: "https://example.com/other", state: { status: "delivering" } });
  });

  it.each([
    ["a job that waits", WAITING],
    ["a canceled job", CANCELED],
    ["a finished job without a callback", FINISHED],
  ])("has nothing to send for %s", (_, job) => {
    expect(redeliver(job, null, LATER)).toBeNull();
  });
});

describe("a poisoned job", () => {
  const crashed = (job: Job, crashes: number): Job => guarded({ ...job, crashes: crashes - 1 }, LATER);

  it("is counted and suspected after a crash, counted only after an exception", () => {
    expect(guarded(WAITING, LATER)).toMatchObject({ crashes: 1, guarded: true });
    expect(broken(WAITING, LATER)).toMatchObject({ crashes: 1, guarded: false });
    expect(guarded(WAITING, LATER).timeline.at(-1)).toEqual({ at: LATER, type: "crash" });
  });

  it("fails at the fifth crash, not at the fourth", () => {
    expect(giveUpIfPoisoned(crashed(WAITING, 4), LATER, RETENTION).state.status).toBe("waiting");
    const job = giveUpIfPoisoned(crashed(WAITING, 5), LATER, RETENTION);
    expect(job).toMatchObject({ crashes: 0, guarded: false, state: { status: "delivering" } });
    expect(eventOf(job)).toMatchObject({
      type: "job.failed",
      data: { output: null, error: { reason: "internal_error" } },
    });
  });

  it("stops delivering at the fifth crash and keeps its event", () => {
    expect(giveUpIfPoisoned(crashed(DELIVERING, 4), LATER, RETENTION).state.status).toBe("delivering");
    expect(giveUpIfPoisoned(crashed(DELIVERING, 5), LATER, RETENTION).state).toMatchObject({
      status: "undelivered",
      deliveryError: { reason: "exhausted" },
      ending: DELIVERING.state.ending,
    });
  });

  it.each(named([DELIVERED, FINISHED, CANCELED]))("stays %s, with a clean count", (_, job) => {
    const calm = giveUpIfPoisoned(crashed(job, 5), LATER, RETENTION);
    expect(calm).toMatchObject({ crashes: 0, guarded: false, state: job.state });
  });
});
