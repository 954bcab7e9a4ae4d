import { describe, expect, it } from "vitest";
import { REFUSALS } from "../support/seed-pages.ts";
import { NOW, transient, verdictOf } from "../support/verdicts.ts";

const NOW_SECONDS = NOW / 1000;

const limited = (waitSeconds: number) => transient("rate_limited", waitSeconds);

/** A rate limit with this in its body and these headers. */
const wait = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  verdictOf({ status: 429, headers, body: { status: "error", message: "Rate limit exceeded", ...body } });

describe("a rate limit", () => {
  it.each(["rateLimit", "rateLimitMessege", "queueLimit"] as const)(
    "is the documented body %s under 200, 400 and 429",
    (name) => {
      for (const status of [200, 400, 429])
        expect(verdictOf({ status, body: REFUSALS[name] })).toEqual(limited(30));
    },
  );

  it.each([
    ["another case", "RATE LIMIT"],
    ["a hyphen", "rate-limit reached"],
    ["an underscore", "rate_limited"],
    ["one word", "RateLimit"],
    ["an object", { key: ["The rate limit is exceeded."] }],
    ["an array", ["Rate limit exceeded"]],
  ])("is recognised in %s", (_, message) => {
    for (const status of ["error", "failed", "Error"])
      expect(verdictOf({ body: { status, message } })).toEqual(limited(30));
  });

  it("is seen behind as many words as it stands, and where only messege says it", () => {
    const message = { prompt: ["x".repeat(2_000)], why: "rate limit" };
    expect(verdictOf({ body: { status: "error", message } })).toMatchObject({ kind: "transient" });
    const empty = { status: "error", message: {}, messege: "Rate limit exceeded" };
    expect(verdictOf({ body: empty })).toMatchObject({ kind: "transient" });
  });

  it.each([
    ["Generate limit exceeded, upgrade your plan", "payment_required"],
    ["Separate limits apply to this model", "provider_error"],
    ["Your corporate limit is reached", "provider_error"],
  ])("is not seen in other words: %s", (message, reason) => {
    expect(verdictOf({ body: { status: "error", message } })).toMatchObject({ kind: "failed", reason });
  });

  it("is not seen in a rate that limits nothing", () => {
    const body = { status: "error", message: "The frame rate is over its limit." };
    expect(verdictOf({ body })).toMatchObject({ kind: "failed", reason: "provider_error" });
  });
});

describe("the wait after a rate limit", () => {
  it("is 30 seconds when nobody names one", () => {
    expect(wait({})).toEqual(limited(30));
    expect(verdictOf({ status: 429 })).toEqual(limited(30));
  });

  it.each([
    [45, 45],
    [1.5, 1.5],
    ["45", 45],
    [" 45.5 ", 45.5],
    [0, 0],
    ["0", 0],
    [1e308, 1e308],
    [-1, 30],
    ["-1", 30],
    ["soon", 30],
    ["", 30],
    [null, 30],
    [true, 30],
    [[45], 30],
    [{ seconds: 45 }, 30],
  ])("with the body's retry_after %j is %d", (retry_after, seconds) => {
    expect(wait({ retry_after })).toEqual(limited(seconds));
  });

  it.each([
    ["seconds", "120", 120],
    ["seconds with white space", " 120 ", 120],
    ["zero", "0", 0],
    ["a date", new Date(NOW + 90_000).toUTCString(), 90],
    ["an old-style date", "Friday, 20-Nov-26 12:01:00 GMT", 60],
    ["a date that is past", new Date(NOW - 90_000).toUTCString(), 0],
    ["nothing", "", 30],
    ["a negative number", "-5", 30],
    ["a word", "soon", 30],
    ["a sentence", "try again in 30 minutes", 30],
    ["a sentence that ends in a number", "later 10", 30],
    ["a date that is none", "Fri, 99 Foo 2026 99:99:99 GMT", 30],
    ["an ISO date", "2026-11-20T12:01:00Z", 30],
    ["more digits than a number has", "9".repeat(400), 30],
  ])("with %s in Retry-After is right", (_, header, seconds) => {
    expect(wait({}, { "retry-after": header })).toEqual(limited(seconds));
  });

  it.each([
    ["ahead", String(NOW_SECONDS + 25), 25],
    ["far ahead", String(NOW_SECONDS + 86_400), 86_400],
    ["now", String(NOW_SECONDS), 30],
    ["past", String(NOW_SECONDS - 1), 30],
    ["a word", "tomorrow", 30],
    ["negative", "-1", 30],
    ["endless", "9".repeat(400), 30],
  ])("with X-RateLimit-Reset %s is right", (_, header, seconds) => {
    expect(wait({}, { "x-ratelimit-reset": header })).toEqual(limited(seconds));
  });

  it("is the body's before Retry-After before X-RateLimit-Reset", () => {
    const headers = { "retry-after": "20", "x-ratelimit-reset": String(NOW_SECONDS + 40) };
    expect(wait({ retry_after: 10 }, headers)).toEqual(limited(10));
    expect(wait({ retry_after: 0 }, headers)).toEqual(limited(0));
    expect(wait({}, headers)).toEqual(limited(20));
    expect(wait({}, { ...headers, "retry-after": "garbage" })).toEqual(limited(40));
  });

  it("is read from the headers of a 200 and of a body that is no JSON too", () => {
    const headers = { "retry-after": "7" };
    expect(verdictOf({ headers, body: REFUSALS.rateLimit })).toEqual(limited(7));
    expect(verdictOf({ status: 429, headers })).toEqual(limited(7));
    expect(verdictOf({ status: 429, headers, body: [{ retry_after: 5 }] })).toEqual(limited(7));
  });

  it("is not taken from an answer that is no rate limit", () => {
    const headers = { "retry-after": "7" };
    expect(verdictOf({ status: 503, headers })).toEqual(transient("http_error"));
  });
});
