import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRateLimitReset, parseRetryAfter } from "../../src/net/retry-after.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);

describe("parseRetryAfter", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    ["120", 120],
    ["  30\t", 30],
    ["007", 7],
    ["1.5", 1.5],
    ["86400000", 86_400_000],
  ])("reads %j as seconds", (value, seconds) => {
    expect(parseRetryAfter(value, NOW)).toBe(seconds);
  });

  it.each([
    ["an IMF date", "Fri, 20 Nov 2026 12:02:00 GMT", 120],
    ["an RFC 850 date", "Friday, 20-Nov-26 12:02:00 GMT", 120],
    ["an asctime date", "Fri Nov 20 12:02:00 2026", 120],
    ["this very moment", "Fri, 20 Nov 2026 12:00:00 GMT", 0],
    ["a date that is past", "Fri, 20 Nov 2026 11:59:59 GMT", 0],
    ["a date long past", "Sun, 06 Nov 1994 08:49:37 GMT", 0],
  ])("reads %s as seconds from now", (_, value, seconds) => {
    expect(parseRetryAfter(value, NOW)).toBe(seconds);
  });

  it("keeps the part of a second until a date", () => {
    expect(parseRetryAfter("Fri, 20 Nov 2026 12:00:01 GMT", NOW + 250)).toBe(0.75);
  });

  it.each([
    null,
    "",
    " ",
    "soon",
    "soon please",
    "never again",
    "wait 2050",
    "Please, 2050",
    "in 5 minutes",
    "-1",
    "-120",
    "+5",
    "1e3",
    "0x10",
    "5s",
    "5, 10",
    "1.",
    ".5",
    "NaN",
    "Infinity",
    "2026-11-20T12:02:00Z",
    "Fri, 99 Nov 2026 12:02:00 GMT",
    "Fri, ",
    "Fri, 2050",
    "May 20 2050 12:02:00",
    "9".repeat(400),
    "٣",
    "5\u0000",
  ])("makes nothing of %j", (value) => {
    expect(parseRetryAfter(value, NOW)).toBeNull();
  });

  it("answers null or a finite number that is not negative, whatever comes", () => {
    const header = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."Fri, 0123456789:.-GMT+e") }));
    fc.assert(
      fc.property(header, (value) => {
        const seconds = parseRetryAfter(value, NOW);
        expect(seconds === null || (Number.isFinite(seconds) && seconds >= 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("parseRateLimitReset", () => {
  it.each([
    ["1795176060", 60],
    [" 1795176000.5 ", 0.5],
    ["1795179600", 3_600],
  ])("reads %j as the seconds until then", (value, seconds) => {
    expect(parseRateLimitReset(value, NOW)).toBeCloseTo(seconds, 5);
  });

  it.each([
    null,
    "",
    "1795176000",
    "1795175999",
    "0",
    "60",
    "-1795176060",
    "soon",
    "1e10",
    "Fri, 20 Nov 2026 12:02:00 GMT",
    "9".repeat(400),
  ])("makes nothing of %j", (value) => {
    expect(parseRateLimitReset(value, NOW)).toBeNull();
  });
});
