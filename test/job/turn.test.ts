import { describe, expect, it } from "vitest";
import { hinted } from "../../src/job/lifecycle.ts";
import { MAX_TIMELINE_ENTRIES, withEntry } from "../../src/job/record.ts";
import { afterTurn, type Hold, held } from "../../src/job/turn.ts";
import { DEADLINE_AT, inState, MINUTE, REGISTERED_AT, SECOND, waitingJob } from "../support/jobs.ts";

const NOW = REGISTERED_AT + MINUTE;
const hold = (waitMs: number, position = 7): Hold => ({ turn: { episode: 1, position }, waitMs });
const waiting = () => inState(waitingJob(), "waiting");
const heldOnce = () => inState(held(waiting(), hold(5 * SECOND), NOW), "waiting");

describe("a job that is held back", () => {
  it("comes again when it was told to, with its turn", () => {
    expect(heldOnce().state).toMatchObject({ nextPollAt: NOW + 5 * SECOND, turn: { position: 7 } });
  });

  it("has made no poll, and its count of transient answers stands", () => {
    const before = waiting();
    const { polls, state, answer } = heldOnce();
    expect({ polls, answer }).toEqual({ polls: before.polls, answer: before.answer });
    expect(state).toMatchObject({ transients: before.state.transients, empties: 0, notFounds: 0 });
  });

  it("has one entry for all of its waiting", () => {
    const again = held(heldOnce(), hold(4 * SECOND), NOW + 5 * SECOND);
    expect(again.timeline.filter(({ type }) => type === "held")).toEqual([
      { at: NOW, type: "held", reason: "rate_limited" },
    ]);
  });

  it("has another entry when it is held back from its next poll", () => {
    const polled = afterTurn(heldOnce(), { turn: { episode: 1 }, waitMs: 0 }, NOW + 9 * SECOND);
    const again = held(inState(polled, "waiting"), hold(SECOND), NOW + MINUTE);
    expect(again.timeline.filter(({ type }) => type === "held")).toHaveLength(2);
  });

  it.each([
    [2 * SECOND, DEADLINE_AT - SECOND],
    [2 * SECOND + 1, DEADLINE_AT],
    [3 * MINUTE, DEADLINE_AT],
  ])("for %d ms, 3 s before its deadline, comes at its deadline at the latest", (waitMs, at) => {
    const job = held(waiting(), hold(waitMs), DEADLINE_AT - 3 * SECOND);
    expect(inState(job, "waiting").state.nextPollAt).toBe(at);
  });

  it("is not brought forward by a hint; one that has had its turn is", () => {
    const job = inState(held(waiting(), hold(20 * SECOND), NOW), "waiting");
    expect(hinted(job, NOW + SECOND)).toBeNull();
    const { turn: _, ...state } = job.state;
    expect(hinted({ ...job, state: { ...state, turn: { episode: 1 } } }, NOW + SECOND)).not.toBeNull();
  });

  it("keeps its attempts rather than the times that it was held back, in a full timeline", () => {
    let entries = waiting().timeline as ReturnType<typeof withEntry>;
    entries = withEntry(entries, { at: NOW, type: "held", reason: "rate_limited" });
    for (let i = 1; i < MAX_TIMELINE_ENTRIES; i++)
      entries = withEntry(entries, { at: NOW + i, type: "attempt" });
    expect(entries.some(({ type }) => type === "held")).toBe(false);
    expect(entries.filter(({ type }) => type === "attempt")).toHaveLength(MAX_TIMELINE_ENTRIES - 1);
  });
});

describe("after a poll", () => {
  it("a job comes no sooner than the limiter has told it", () => {
    const job = waiting();
    const { nextPollAt } = job.state;
    const later = afterTurn(job, hold(nextPollAt - NOW + 1), NOW);
    expect(inState(later, "waiting").state.nextPollAt).toBe(nextPollAt + 1);
    const sooner = afterTurn(job, hold(nextPollAt - NOW - 1), NOW);
    expect(inState(sooner, "waiting").state.nextPollAt).toBe(nextPollAt);
  });

  it("a used place is given up", () => {
    const used = afterTurn(heldOnce(), { turn: { episode: 1 }, waitMs: 0 }, NOW);
    expect(inState(used, "waiting").state.turn).toEqual({ episode: 1 });
    const free = afterTurn(heldOnce(), { turn: null, waitMs: 0 }, NOW);
    expect(inState(free, "waiting").state).not.toHaveProperty("turn");
  });

  it("that was not made for another reason, a place is kept", () => {
    const job = heldOnce();
    expect(afterTurn(job, null, NOW)).toBe(job);
  });

  it("a job that nothing limits is as it was", () => {
    const job = waiting();
    expect(afterTurn(job, { turn: null, waitMs: 0 }, NOW)).toBe(job);
  });
});
