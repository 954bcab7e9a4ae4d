/**
 * How pages of a list of jobs are put together, again and again, while jobs come, change and go.
 */
import { describe, expect, it } from "vitest";
import { type Job, JobRows } from "../../src/site/console/job-rows.js";

/** The job that is registered at that second. */
const job = (second: number, more: Partial<Job> = {}): Job => ({
  id: `job_${String(second).padStart(4, "0")}`,
  status: "waiting",
  outcome: null,
  endpoint: "v3",
  request_id: String(second),
  callback_url: null,
  destination: null,
  format: "standard",
  metadata: {},
  eta: null,
  deadline_at: "2026-11-20T13:00:00.000Z",
  expires_at: null,
  next_poll_at: null,
  next_attempt_at: null,
  event_id: "msg_1",
  registered_at: new Date(second * 1000).toISOString(),
  finished_at: null,
  delivered_at: null,
  parked: null,
  polls: 0,
  attempts: 0,
  error: null,
  delivery_error: null,
  ...more,
});

/** From the newer to the older. */
const jobs = (from: number, to: number): Job[] =>
  Array.from({ length: from - to + 1 }, (_, i) => job(from - i));
const seconds = (rows: JobRows): number[] => rows.jobs.map(({ request_id }) => Number(request_id));

/** Two pages of five: 20 to 16, 15 to 11, and more behind. */
function twoPages(): JobRows {
  const rows = new JobRows();
  expect(rows.next).toBeUndefined();
  rows.merge(null, { jobs: jobs(20, 16), next_cursor: "behind 16" });
  rows.merge(rows.jobs.at(-1) ?? null, { jobs: jobs(15, 11), next_cursor: "behind 11" });
  return rows;
}

describe("the rows of a list", () => {
  it("go on where the last page ended, to the end", () => {
    const rows = twoPages();
    expect(seconds(rows)).toEqual([20, 19, 18, 17, 16, 15, 14, 13, 12, 11]);
    expect(rows.next).toBe("behind 11");
    rows.merge(rows.jobs.at(-1) ?? null, { jobs: jobs(10, 9), next_cursor: null });
    expect([seconds(rows).at(-1), rows.next]).toEqual([9, null]);
  });

  it("take new jobs in above, and keep those below", () => {
    const rows = twoPages();
    expect(rows.merge(null, { jobs: jobs(22, 18), next_cursor: "behind 18" })).toBe(false);
    expect(seconds(rows)).toEqual([22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11]);
    expect(rows.next).toBe("behind 11");
  });

  it("tell of jobs that may be missing in between, and close the gap by the next page", () => {
    const rows = twoPages();
    expect(rows.merge(null, { jobs: jobs(30, 26), next_cursor: "behind 26" })).toBe(true);
    const after = rows.jobs[4] ?? null;
    expect(rows.merge(after, { jobs: jobs(25, 21), next_cursor: "behind 21" })).toBe(true);
    expect(rows.merge(rows.jobs[9] ?? null, { jobs: jobs(20, 16), next_cursor: "behind 16" })).toBe(false);
    expect(seconds(rows)).toEqual(jobs(30, 11).map(({ request_id }) => Number(request_id)));
  });

  it("forget what is below a gap that is too wide", () => {
    const rows = twoPages();
    rows.merge(null, { jobs: jobs(30, 26), next_cursor: "behind 26" });
    rows.cutBehind(job(26));
    expect(seconds(rows)).toEqual([30, 29, 28, 27, 26]);
    expect(rows.next).toBe("behind 26");
  });

  it("let jobs go that fit no longer, and no others", () => {
    const rows = twoPages();
    rows.merge(job(16), { jobs: [job(15), job(13), job(11), job(10), job(9)], next_cursor: "behind 9" });
    expect(seconds(rows)).toEqual([20, 19, 18, 17, 16, 15, 13, 11, 10, 9]);
    expect(rows.next).toBe("behind 9");
    rows.merge(null, { jobs: [], next_cursor: null });
    expect([seconds(rows), rows.next]).toEqual([[], null]);
  });

  it("have a job once, where it was registered last", () => {
    const rows = twoPages();
    const again = job(21, { id: "job_0012", request_id: "12" });
    rows.merge(null, { jobs: [again, ...jobs(20, 17)], next_cursor: "behind 17" });
    expect(seconds(rows)).toEqual([12, 20, 19, 18, 17, 16, 15, 14, 13, 11]);
  });

  it("know jobs of one moment by their ids", () => {
    const at = { registered_at: job(5).registered_at };
    const rows = new JobRows();
    rows.merge(null, {
      jobs: [job(5, { id: "c", ...at }), job(5, { id: "b", ...at })],
      next_cursor: "behind b",
    });
    rows.merge(rows.jobs[1] ?? null, { jobs: [job(5, { id: "a", ...at })], next_cursor: null });
    rows.merge(null, { jobs: [job(5, { id: "c", ...at, polls: 9 })], next_cursor: "behind c" });
    expect(rows.jobs.map(({ id, polls }) => [id, polls])).toEqual([
      ["c", 9],
      ["b", 0],
      ["a", 0],
    ]);
  });

  it("say how the page of a row is asked for again", () => {
    const rows = twoPages();
    expect(rows.pageOf(4)).toBeNull();
    expect(rows.pageOf(5)).toEqual({ after: job(16), cursor: "behind 16" });
    expect(rows.pageOf(9)?.cursor).toBe("behind 16");
    expect(rows.pageOf(100)?.cursor).toBe("behind 11");
  });
});
