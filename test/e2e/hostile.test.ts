/**
 * A provider and a callback that do what servers do at their worst, over real sockets. One Worker serves all cases at
 * once, so that no bad peer may hold up another job.
 */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Misbehaviour } from "../simulator/provider.ts";
import type { ReceiverStep } from "../simulator/receiver.ts";
import { type Job, Setting } from "./setting.ts";

const HUGE_BYTES = 100_000_000;
/** Two timeouts (10 s, 15 s), a backoff and a retry, with room for a busy machine. */
const ENDED_LIMIT_MS = 75_000;

let setting: Setting;
/** A private address that nobody may ever be led to. */
let trap: Server;
let trapped = 0;
let trapUrl = "";

beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
  trap = createServer((_, response) => {
    trapped++;
    response.end('{"status":"success","output":["https://example.com/stolen.png"]}');
  });
  await new Promise<void>((resolve) => trap.listen(0, "127.0.0.1", resolve));
  const address = trap.address();
  trapUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/metadata`;
}, 90_000);
afterAll(async () => {
  trap.close();
  await setting.tearDown();
});

let counter = 0;

interface Ended {
  readonly job: Job;
  readonly hook: string;
}

/** One job through the provider's misbehaviours and the receiver's steps, until it is over. */
async function live(
  misbehaviours: readonly Misbehaviour[],
  steps: readonly ReceiverStep[] = [],
  answer?: string,
): Promise<Ended> {
  const id = ++counter;
  const hook = `/hook/hostile-${id}`;
  setting.provider.add({ endpoint: "v3", id, misbehaviours, ...(answer !== undefined && { answer }) });
  setting.receiver.program(hook, steps);
  const callback_url = setting.receiver.origin + hook;
  const jobId = await setting.register({ endpoint: "v3", request_id: id, eta: 1, callback_url });
  const limit = Date.now() + ENDED_LIMIT_MS;
  for (;;) {
    const response = await setting.call("GET", `/v1/jobs/${jobId}?wait=10`);
    const job = (await response.json()) as Job;
    if (["delivered", "undelivered"].includes(job.status) || Date.now() > limit) return { job, hook };
  }
}

const polls = ({ job }: Ended) =>
  job.timeline.flatMap(({ type, reason, result }) => (type === "poll" ? [reason ?? result] : []));
const attempts = ({ job }: Ended) =>
  job.timeline.flatMap(({ type, reason, result }) => (type === "attempt" ? [reason ?? result] : []));

describe.concurrent("a provider", { timeout: 90_000 }, () => {
  it.for([
    ["hangs", { kind: "hang" }, "timeout"],
    ["drips one byte a second", { kind: "drip" }, "timeout"],
    ["closes half-way", { kind: "close-halfway" }, "network"],
    ["answers HTML", { kind: "html", status: 200 }, "not_json"],
    ["answers truncated JSON", { kind: "truncated-json" }, "not_json"],
    ["answers 500", { kind: "server-error" }, "http_error"],
  ] as const)(
    "that %s is asked again, and the job is delivered",
    async ([, misbehaviour, reason], { expect }) => {
      const ended = await live([misbehaviour]);
      expect(ended.job).toMatchObject({ status: "delivered", outcome: "succeeded", polls: 2 });
      expect(polls(ended)).toEqual([reason, "succeeded"]);
    },
  );

  it("that redirects to a private address is not followed", async ({ expect }) => {
    const ended = await live([
      { kind: "redirect", location: trapUrl, status: 302 },
      { kind: "redirect", location: trapUrl, status: 307 },
    ]);
    expect(ended.job).toMatchObject({ status: "delivered", polls: 3 });
    expect(polls(ended)).toEqual(["redirect", "redirect", "succeeded"]);
  });

  it("that answers 100 MB ends the job, and the callback hears of it", async ({ expect }) => {
    const ended = await live([{ kind: "huge", bytes: HUGE_BYTES }]);
    expect(ended.job).toMatchObject({
      status: "delivered",
      outcome: "failed",
      error: { reason: "output_too_large" },
    });
    const [delivery] = setting.receiver.deliveries(ended.hook);
    expect(delivery?.verified).toBe(true);
    expect(JSON.parse(delivery?.body ?? "")).toMatchObject({ type: "job.failed" });
  });

  it("that answers almost 8 MiB of base64 has all of it delivered, byte for byte", async ({ expect }) => {
    const base64 = "QUJD".repeat(2_090_000);
    const answer = `{"status":"success","id":12345678901234567890,"output":["${base64}"]}`;
    const ended = await live([], [], answer);
    expect(ended.job).toMatchObject({ status: "delivered", outcome: "succeeded" });
    const [delivery] = setting.receiver.deliveries(ended.hook);
    expect(delivery?.verified).toBe(true);
    expect(delivery?.body.includes(`"provider":${answer},"error":null`)).toBe(true);
  });
});

describe.concurrent("a callback", { timeout: 90_000 }, () => {
  it.for([
    ["hangs", { kind: "hang" }, "timeout"],
    ["drops the connection", { kind: "destroy" }, "network"],
    ["answers 500 with 100 MB", { kind: "huge", bytes: HUGE_BYTES, status: 500 }, "http_error"],
    ["drips a 500", { kind: "drip", status: 500 }, "http_error"],
  ] as const)("that %s gets the same event again", async ([, step, reason], { expect }) => {
    const ended = await live([], [step]);
    expect(ended.job).toMatchObject({ status: "delivered", attempts: 2 });
    expect(attempts(ended)).toEqual([reason, "delivered"]);
    const seen = setting.receiver.deliveries(ended.hook);
    expect(seen).toHaveLength(2);
    expect(new Set(seen.map(({ headers, bodySha256 }) => headers["webhook-id"] + bodySha256)).size).toBe(1);
  });

  it("that redirects to a private address is not followed", async ({ expect }) => {
    const ended = await live([], [{ kind: "redirect", location: trapUrl, status: 307 }]);
    expect(attempts(ended)).toEqual(["redirect", "delivered"]);
  });

  it.for([
    ["drips its body", { kind: "drip", status: 200 }],
    ["answers 100 MB", { kind: "huge", bytes: HUGE_BYTES, status: 200 }],
    ["closes half-way through it", { kind: "close-halfway", status: 200 }],
  ] as const)("that answers 200 and %s has accepted the event", async ([, step], { expect }) => {
    const ended = await live([], [step]);
    expect(ended.job).toMatchObject({ status: "delivered", attempts: 1 });
    expect(setting.receiver.deliveries(ended.hook)).toHaveLength(1);
  });

  it("that is gone is not asked again", async ({ expect }) => {
    const ended = await live([], [{ kind: "gone" }]);
    expect(ended.job).toMatchObject({
      status: "undelivered",
      delivery_error: { reason: "gone" },
      attempts: 1,
    });
  });
});

describe("a caller", () => {
  it("that sends 10 MB is told that it is too much, on a connection that holds", async () => {
    const metadata = { x: "a".repeat(10_000_000) };
    for (let i = 0; i < 4; i++)
      expect((await setting.call("POST", "/v1/jobs", { request_id: 1, metadata })).status).toBe(413);
  });
});

describe("the trap", () => {
  it("was never sprung", () => {
    expect(counter).toBeGreaterThan(15);
    expect(trapped).toBe(0);
  });
});
