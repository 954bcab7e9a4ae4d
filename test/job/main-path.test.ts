import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signingSecrets } from "../../src/webhook/signature.ts";
import {
  call,
  config,
  fire,
  PROVIDER,
  PROVIDER_KEY,
  readJob,
  register,
  stored,
  uniqueId,
} from "../support/api.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
});

describe("the main path", () => {
  it("registers, polls, and delivers one signed event", async () => {
    const id = uniqueId();
    const registered = await register({ request_id: id, endpoint: "v4/dreambooth", metadata: { user: 7 } });
    expect(registered.status).toBe(202);
    const jobId = registered.body.id;
    expect(registered.headers.get("location")).toBe(`/v1/jobs/${jobId}`);
    const secondsToPoll = (Date.parse(registered.body.next_poll_at) - Date.now()) / 1000;
    expect(secondsToPoll).toBeGreaterThan(10);
    expect(Math.abs(Number(registered.headers.get("retry-after")) - secondsToPoll)).toBeLessThan(2);

    fetched.on(
      `${PROVIDER}/api/v4/dreambooth/fetch`,
      json({ status: "success", id: Number(id), output: ["https://x/1.png"] }),
    );
    fetched.on("https://example.com/hook", status(204));
    await fire(jobId);

    expect(fetched.unexpected).toEqual([]);
    const [poll, post] = fetched.sent;
    expect(poll).toMatchObject({
      method: "POST",
      body: JSON.stringify({ key: PROVIDER_KEY, request_id: id }),
    });
    const [secret] = await signingSecrets(config.masterKeys, "acme");
    const event = new Webhook(secret ?? "").verify(post?.body ?? "", post?.headers ?? {}) as { type: string };
    expect(event).toMatchObject({
      type: "job.succeeded",
      data: { job_id: jobId, metadata: { user: 7 }, polls: 1 },
    });

    const job = await readJob(jobId);
    expect(job.body).toMatchObject({ status: "delivered", outcome: "succeeded", polls: 1, attempts: 1 });
    expect(JSON.stringify(await stored(jobId))).not.toContain(PROVIDER_KEY);
    expect((await call("DELETE", `/v1/jobs/${jobId}`)).status).toBe(204);
    expect((await readJob(jobId)).status).toBe(404);
  });
});
