import { describe, expect, it } from "vitest";
import { judgeAttempt } from "../../src/webhook/deliver.ts";

const NOW = Date.UTC(2026, 10, 20, 12);

describe("judgeAttempt", () => {
  it.each([200, 201, 202, 204, 206, 226, 299])("takes %i for delivered", (status) => {
    expect(judgeAttempt(status, null, NOW)).toEqual({ kind: "delivered" });
  });

  it("ignores Retry-After on 2xx", () => {
    expect(judgeAttempt(200, "120", NOW)).toEqual({ kind: "delivered" });
  });

  it("stops at 410, whatever Retry-After says", () => {
    expect(judgeAttempt(410, null, NOW)).toEqual({ kind: "gone" });
    expect(judgeAttempt(410, "120", NOW)).toEqual({ kind: "gone" });
  });

  it.each([300, 301, 302, 303, 304, 307, 308, 399])("takes %i for a redirect, which fails", (status) => {
    expect(judgeAttempt(status, null, NOW)).toEqual({
      kind: "failed",
      cause: "redirect",
      retryAfterSeconds: null,
    });
  });

  it.each([
    100, 101, 103, 199, 400, 401, 403, 404, 408, 409, 411, 418, 422, 425, 429, 500, 502, 503, 504, 599,
  ])("takes %i for a failure", (status) => {
    expect(judgeAttempt(status, null, NOW)).toEqual({
      kind: "failed",
      cause: "http_error",
      retryAfterSeconds: null,
    });
  });

  describe.each([302, 400, 404, 429, 500, 503])("with Retry-After on %i", (status) => {
    it.each([
      ["seconds", "120", 120],
      ["zero", "0", 0],
      ["a date", "Fri, 20 Nov 2026 12:10:00 GMT", 600],
      ["a date that is past", "Fri, 20 Nov 2026 11:00:00 GMT", 0],
      ["garbage", "when the moon is full", null],
      ["a negative number", "-120", null],
      ["nothing in it", "", null],
    ])("reads %s", (_, header, retryAfterSeconds) => {
      expect(judgeAttempt(status, header, NOW)).toMatchObject({ kind: "failed", retryAfterSeconds });
    });
  });
});
