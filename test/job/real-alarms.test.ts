import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { ARE_SHARED, evict, stub } from "../support/api.ts";
import { HOOK, leave, newJob, reached, success } from "../support/life.ts";
import { json, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

const processing = json({ status: "processing" });

// Nothing drives these jobs but the platform's own alarms; they share one wait, unless they share an object, too: one dies.
describe("a job left to its real alarm", { concurrent: !ARE_SHARED }, () => {
  let fetched: ScriptedFetch;
  beforeAll(() => {
    fetched = new ScriptedFetch().always(HOOK, status(200));
    return () => leave(fetched);
  });

  it("is polled at its eta and delivered", async () => {
    const job = await newJob({ eta: 1 });
    fetched.on(job.poll, success);
    const body = await reached(job.id, "delivered");
    expect(body).toMatchObject({ outcome: "succeeded", polls: 1, attempts: 1 });
    expect(Date.parse(body.finished_at) - Date.parse(body.registered_at)).toBeGreaterThanOrEqual(1_000);
    expect(fetched.to(job.poll)).toHaveLength(1);
  });

  it("is polled again after a poll that found it at work, its object evicted in between", async () => {
    const job = await newJob({ eta: 1 });
    fetched.on(job.poll, processing, success);
    await evict(job.id);
    const body = await reached(job.id, "delivered");
    expect(body).toMatchObject({ outcome: "succeeded", polls: 2, attempts: 1 });
  });

  it("whose object dies in its poll is polled by the platform's retry, and the crash is noted", async () => {
    const job = await newJob({ eta: 1 });
    const dies: Script = async () => {
      await runInDurableObject(stub(job.id), (_, ctx) => ctx.abort("dies"));
      throw new Error("unreachable");
    };
    fetched.on(job.poll, dies, success);
    const body = await reached(job.id, "delivered", 8_000);
    expect(body).toMatchObject({ outcome: "succeeded", polls: 1, attempts: 1 });
    expect(body.timeline.map(({ type }: { type: string }) => type)).toEqual([
      "registered",
      "crash",
      "poll",
      "attempt",
    ]);
  }, 10_000);
});
