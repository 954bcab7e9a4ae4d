import { describe, expect, it } from "vitest";
import { REFUSALS } from "../support/seed-pages.ts";
import { pending, transient, verdictOf } from "../support/verdicts.ts";

const RATE_LIMITED = transient("rate_limited", 30);
const TOO_LARGE = { kind: "failed", reason: "output_too_large" };
const UNAUTHORIZED = { kind: "failed", reason: "unauthorized" };
const PAYMENT = { kind: "failed", reason: "payment_required" };

const error = (message: string) => ({ status: "error", message });
const RATE_BODY = REFUSALS.rateLimitMessege;

describe("the first row that fits decides", () => {
  it.each([
    ["a redirect before its rate-limit body", { status: 302, body: RATE_BODY }, transient("redirect")],
    ["a redirect before its size", { status: 307, end: "too_large" }, transient("redirect")],
    ["a redirect before a broken body", { status: 301, end: "timeout" }, transient("redirect")],
    ["429 before its HTML", { status: 429 }, RATE_LIMITED],
    ["429 before its size", { status: 429, end: "too_large" }, RATE_LIMITED],
    ["429 before its broken body", { status: 429, end: "network" }, RATE_LIMITED],
    ["429 before a success in it", { status: 429, body: { status: "success", output: ["x"] } }, RATE_LIMITED],
    ["429 before an invalid key in it", { status: 429, body: REFUSALS.invalidKey }, RATE_LIMITED],
    ["429 before wanting payment in it", { status: 429, body: REFUSALS.noCredits }, RATE_LIMITED],
    ["5xx before its rate-limit body", { status: 500, body: RATE_BODY }, transient("http_error")],
    ["5xx before its size", { status: 500, end: "too_large" }, transient("http_error")],
    ["5xx before its broken body", { status: 502, end: "timeout" }, transient("http_error")],
    ["5xx before an invalid key in it", { status: 503, body: REFUSALS.invalidKey }, transient("http_error")],
    ["408 before its size", { status: 408, end: "too_large" }, transient("http_error")],
    ["425 before a failure in it", { status: 425, body: error("boom") }, transient("http_error")],
    ["a rate-limit body before 408", { status: 408, body: RATE_BODY }, RATE_LIMITED],
    ["a rate-limit body before 401", { status: 401, body: RATE_BODY }, RATE_LIMITED],
    ["a rate-limit body before 402", { status: 402, body: RATE_BODY }, RATE_LIMITED],
    ["a rate-limit body before 404", { status: 404, body: RATE_BODY }, RATE_LIMITED],
    ["size before 401", { status: 401, end: "too_large" }, TOO_LARGE],
    ["size before 402", { status: 402, end: "too_large" }, TOO_LARGE],
    ["size before 404", { status: 404, end: "too_large" }, TOO_LARGE],
    ["HTML before 401", { status: 401 }, transient("not_json")],
    ["HTML before 403", { status: 403 }, transient("not_json")],
    ["HTML before 402", { status: 402 }, transient("not_json")],
    ["HTML before 404", { status: 404 }, transient("not_json")],
    ["a broken body before 401", { status: 401, end: "network" }, transient("network")],
    ["401 before a success in it", { status: 401, body: { status: "success", output: ["x"] } }, UNAUTHORIZED],
    ["401 before wanting payment in it", { status: 401, body: REFUSALS.noCredits }, UNAUTHORIZED],
    ["an invalid key before 402", { status: 402, body: REFUSALS.invalidKey }, UNAUTHORIZED],
    ["402 before a success in it", { status: 402, body: { status: "success", output: ["x"] } }, PAYMENT],
    ["402 before an unknown request", { status: 402, body: REFUSALS.notFound }, PAYMENT],
    ["payment before an unknown request", { body: error("Request not found: no credits") }, PAYMENT],
    ["the key before payment", { body: error("Invalid API key, no credits") }, UNAUTHORIZED],
    [
      "a rate limit before payment",
      { body: error("Rate limit exceeded, upgrade for credits") },
      RATE_LIMITED,
    ],
    ["a rate limit before an invalid key", { body: error("Invalid API key: rate limit") }, RATE_LIMITED],
  ] as const)("%s", (_, exchange, verdict) => {
    expect(verdictOf(exchange)).toMatchObject(verdict);
  });

  it("looks at messages only of a refusal", () => {
    for (const message of ["rate limit", "Invalid API key", "no credits", "Request not found"])
      expect(verdictOf({ body: { status: "processing", message } })).toEqual(pending());
  });
});
