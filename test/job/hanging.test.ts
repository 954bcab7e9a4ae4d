import { beforeAll, describe, expect, it, vi } from "vitest";
import { alarmOf } from "../support/api.ts";
import { bodyOf, HOOK, leave, newJob, reached, success } from "../support/life.ts";
import { hang, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

// Real time and real alarms: the timeouts are the platform's timers, 10 s for a poll and 15 s for an attempt.
const PATIENCE_MS = 30_000;

const DEAF = "https://deaf.example/hook";
/** Never answers, and does not notice that nobody waits any more. */
const deaf: Script = () => new Promise(() => {});

describe.concurrent("a peer that never answers", () => {
  let fetched: ScriptedFetch;
  beforeAll(() => {
    fetched = new ScriptedFetch();
    return () => leave(fetched);
  });

  it(
    "as the provider is given up after 10 s and asked again",
    async () => {
      const job = await newJob({ eta: 1 });
      fetched.on(job.poll, hang, success).on(HOOK, status(200));
      const body = await reached(job.id, "delivered", PATIENCE_MS);
      const [timedOut, succeeded] = body.timeline.filter(({ type }: { type: string }) => type === "poll");
      expect(timedOut).toMatchObject({ result: "transient", reason: "timeout", http_status: null });
      expect(timedOut.duration_ms).toBeGreaterThanOrEqual(9_900);
      expect(Date.parse(succeeded.at) - Date.parse(timedOut.at)).toBeGreaterThanOrEqual(11_000);
      expect(fetched.to(job.poll)).toHaveLength(2);
    },
    PATIENCE_MS,
  );

  it(
    "as the callback is given up after 15 s, with no second attempt beside the first",
    async () => {
      const job = await newJob({ eta: 1, callback_url: DEAF });
      fetched.on(job.poll, success).on(DEAF, deaf);
      const attempt = await vi.waitFor(
        async () => {
          const entry = (await bodyOf(job.id)).timeline.at(-1);
          expect(entry).toMatchObject({ type: "attempt", result: "failed", reason: "timeout" });
          return entry;
        },
        { timeout: PATIENCE_MS, interval: 50 },
      );
      expect(attempt.duration_ms).toBeGreaterThanOrEqual(14_900);
      // The wake-up that was set before the POST fell due under way; it must not have been kept.
      await scheduler.wait(500);
      expect(fetched.to(DEAF)).toHaveLength(1);
      const body = await bodyOf(job.id);
      expect(body).toMatchObject({ status: "delivering", attempts: 1 });
      expect(Date.parse(body.next_attempt_at) - Date.parse(attempt.at)).toBeGreaterThanOrEqual(18_900);
      expect(await alarmOf(job.id)).toBe(Date.parse(body.next_attempt_at));
    },
    PATIENCE_MS,
  );
});
