import { expect, it } from "vitest";
import { progress } from "../../src/cli/print.ts";
import { aJob } from "../client/client-of.ts";

const shown = (seconds: number, eta: number | null = 3): string => {
  const job = aJob({ eta });
  return progress(job, Date.parse(job.registered_at) + seconds * 1000);
};

it.each([
  [0, "[........................] 0 s of about 3 s"],
  [1.5, "[############............] 1 s of about 3 s"],
  [2.999, "[#######################.] 2 s of about 3 s"],
  [3, "[########################] 3 s of about 3 s"],
  [7, "[########################] 7 s, 4 s longer than the eta of 3 s"],
])("shows %d s of an eta of 3 s", (seconds, line) => {
  expect(shown(seconds)).toBe(line);
});

it("shows the time against the deadline where there is no eta, and that it has passed", () => {
  expect(shown(1800, null)).toBe("[############............] 1800 s of at most 3600 s");
  expect(shown(3605, null)).toBe("[########################] 3605 s, 5 s longer than the deadline of 3600 s");
});
