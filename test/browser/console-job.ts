/**
 * Jobs that the console is shown in place of real ones: with timelines that would take a day, or values that no
 * provider of ours says.
 */
import { goTo } from "./console-view.ts";
import type { View } from "./views.ts";

/** Of each job here. */
export const JOB_ID = `job_${"b".repeat(32)}`;
const REGISTERED_AT = Date.UTC(2026, 0, 2);

export interface Entry {
  /** ms from the registration. */
  readonly after: number;
  readonly type: string;
  readonly [fact: string]: unknown;
}

export interface ShownJob {
  readonly timeline?: readonly Entry[];
  readonly [member: string]: unknown;
}

/** Goes to a job that is as said; what is not said is that of one that was delivered. */
export async function showJob(view: View, { timeline = [], ...members }: ShownJob): Promise<void> {
  const iso = (after: number): string => new Date(REGISTERED_AT + after).toISOString();
  const last = timeline.at(-1)?.after ?? 0;
  const ended = timeline.find(({ result }) => result === "succeeded")?.after ?? last;
  const job = {
    id: JOB_ID,
    status: "undelivered",
    outcome: "succeeded",
    endpoint: "v3",
    request_id: "12202888",
    callback_url: "https://your-app.example.com/hooks/pollhook",
    destination: null,
    format: "standard",
    metadata: {},
    eta: null,
    registered_at: iso(0),
    deadline_at: iso(3_600_000),
    finished_at: iso(ended),
    delivered_at: null,
    expires_at: iso(last + 7 * 86_400_000),
    next_poll_at: null,
    next_attempt_at: null,
    parked: null,
    polls: 1,
    attempts: 1,
    error: null,
    delivery_error: null,
    event_id: "msg_x",
    result: null,
    timeline: timeline.map(({ after, ...entry }) => ({ at: iso(after), ...entry })),
    ...members,
  };
  await view.page.route(`**/v1/jobs/${JOB_ID}`, (route) => route.fulfill({ json: job }));
  await goTo(view, `#/jobs/${JOB_ID}`);
  await view.page.getByRole("region", { name: "Timeline", exact: true }).waitFor();
}

/** As many entries as are kept: many polls in a minute, and attempts over a day. */
export function dayOfPolls(): Entry[] {
  const polls = Array.from({ length: 54 }, (_, i) => ({
    after: 20_000 + i * 2_000,
    type: "poll",
    result: i === 53 ? "succeeded" : i % 7 === 3 ? "transient" : "pending",
    ...(i % 7 === 3 && { reason: "http_error" }),
    http_status: i % 7 === 3 ? 502 : 200,
    duration_ms: 40 + i,
  }));
  const waits = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 20_000, 60];
  let after = 20_000 + 54 * 2_000;
  const attempts = waits.map((seconds, i) => {
    after += seconds * 1_000;
    const isLast = i === waits.length - 1;
    return {
      after,
      type: "attempt",
      result: isLast ? "delivered" : "failed",
      ...(!isLast && { reason: i % 2 ? "timeout" : "http_error" }),
      http_status: isLast ? 204 : i % 2 ? null : 503,
      duration_ms: i % 2 ? 15_000 : 12,
    };
  });
  return [{ after: 0, type: "registered" }, ...polls, ...attempts];
}
