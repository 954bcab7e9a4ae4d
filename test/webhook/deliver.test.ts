import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import pkg from "../../package.json" with { type: "json" };
import { type Attempt, type AttemptResult, deliver } from "../../src/webhook/deliver.ts";
import { signatureHeader } from "../../src/webhook/signature.ts";
import { filled, texts, type WatchedBody } from "../support/bodies.ts";
import { hang, networkError, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";

const HOOK = "https://example.com/hook";
const NOW = Date.UTC(2026, 10, 20, 12, 0, 0, 999);
const KEYS = [new Uint8Array(32).fill(2), new Uint8Array(32).fill(1)];
const ANSWER = new TextEncoder().encode('{"output":["ü"]}');
const ATTEMPT: Attempt = {
  url: HOOK,
  headers: {},
  keys: KEYS,
  eventId: "msg_1",
  number: 3,
  parts: ['{"provider":', [0, ANSWER.length], ',"metadata":{}}'],
  answer: ANSWER,
};

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: NOW });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  fetched.restore();
});

function attempt(script: Script, overrides: Partial<Attempt> = {}): Promise<AttemptResult> {
  fetched.on(HOOK, script);
  return deliver({ ...ATTEMPT, ...overrides });
}

/** An answer with a body that is watched. */
function answering(watched: WatchedBody, init: ResponseInit = {}): Script {
  return () => new Response(watched.stream, init);
}

/** The attempt's result, after making sure that it comes at `ms` of fake time and not a millisecond earlier. */
async function resultAt(ms: number, script: Script): Promise<AttemptResult> {
  const { promise: called, resolve } = Promise.withResolvers<void>();
  let over = false;
  const work = attempt((sent, signal) => {
    resolve();
    return script(sent, signal);
  }).finally(() => {
    over = true;
  });
  await called;
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(over).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(over).toBe(true);
  return work;
}

describe("what is sent", () => {
  it("has exactly the headers of the contract", async () => {
    await attempt(status(204));
    const [sent] = fetched.sent;
    expect(sent?.method).toBe("POST");
    expect(sent?.headers).toEqual({
      "content-type": "application/json",
      "user-agent": `pollhook/${pkg.version}`,
      "webhook-id": "msg_1",
      "webhook-timestamp": "1795176000",
      "webhook-signature": expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/),
      "pollhook-attempt": "3",
    });
  });

  it("has the event's bytes as its body, and only those", async () => {
    await attempt(status(204));
    expect(fetched.sent[0]?.body).toBe('{"provider":{"output":["ü"]},"metadata":{}}');
  });

  it("signs id, timestamp and body with every key, newest first", async () => {
    await attempt(status(204));
    const [sent] = fetched.sent;
    const content = new TextEncoder().encode(`msg_1.1795176000.${sent?.body}`);
    expect(sent?.headers["webhook-signature"]).toBe(await signatureHeader(new Uint8Array(content), KEYS));
  });

  it("carries the same id and bytes on a later attempt, with a new timestamp and signature", async () => {
    await attempt(status(500));
    vi.setSystemTime(NOW + 1);
    await attempt(status(204), { number: 4 });
    const [first, second] = fetched.sent;
    expect(second?.bytes).toEqual(first?.bytes);
    expect(second?.headers).toMatchObject({
      "webhook-id": "msg_1",
      "webhook-timestamp": "1795176001",
      "pollhook-attempt": "4",
    });
    expect(second?.headers["webhook-signature"]).not.toBe(first?.headers["webhook-signature"]);
  });

  it("can be an event without a stored answer", async () => {
    await attempt(status(204), { parts: ['{"provider":null}'], answer: null });
    expect(fetched.sent[0]?.body).toBe('{"provider":null}');
  });
});

describe("the verdict", () => {
  it.each([200, 204, 299])("is delivered on %i", async (code) => {
    const result = await attempt(status(code, { "retry-after": "9" }));
    expect(result).toEqual({
      verdict: { kind: "delivered" },
      httpStatus: code,
      durationMs: 0,
      response: null,
    });
  });

  it("is gone on 410", async () => {
    const result = await attempt(() => new Response("bye", { status: 410 }));
    expect(result).toEqual({ verdict: { kind: "gone" }, httpStatus: 410, durationMs: 0, response: "bye" });
  });

  it("is a failure on a redirect, which is not followed", async () => {
    const result = await attempt(status(307, { location: "https://other.example/", "retry-after": "60" }));
    expect(result).toMatchObject({
      verdict: { kind: "failed", cause: "redirect", retryAfterSeconds: 60 },
      httpStatus: 307,
    });
    expect(fetched.sent).toHaveLength(1);
  });

  it.each([
    ["seconds", "7200", 7_200],
    ["a date, counted from the answer", "Fri, 20 Nov 2026 12:01:00 GMT", 59.001],
    ["garbage", "later", null],
  ])("of a failure carries Retry-After: %s", async (_, header, retryAfterSeconds) => {
    const { verdict } = await attempt(status(503, { "retry-after": header }));
    expect(verdict).toEqual({ kind: "failed", cause: "http_error", retryAfterSeconds });
  });

  it("is a failure without a status when the network fails", async () => {
    expect(await attempt(networkError)).toEqual({
      verdict: { kind: "failed", cause: "network", retryAfterSeconds: null },
      httpStatus: null,
      durationMs: 0,
      response: null,
    });
  });

  it("is a failure when the URL cannot be fetched at all", async () => {
    const { verdict } = await deliver({ ...ATTEMPT, url: "not a url" });
    expect(verdict).toMatchObject({ kind: "failed", cause: "network" });
  });

  it("is a timeout when no headers come for 15 s, and not before", async () => {
    expect(await resultAt(15_000, hang)).toEqual({
      verdict: { kind: "failed", cause: "timeout", retryAfterSeconds: null },
      httpStatus: null,
      durationMs: 15_000,
      response: null,
    });
  });

  it("is decided by headers that come just before 15 s are over", async () => {
    const slow: Script = async () => {
      await new Promise((resolve) => setTimeout(resolve, 14_999));
      return new Response(null, { status: 204 });
    };
    expect(await resultAt(14_999, slow)).toMatchObject({
      verdict: { kind: "delivered" },
      httpStatus: 204,
      durationMs: 14_999,
    });
  });
});

describe("a 2xx is decided on its headers", () => {
  const DELIVERED = { verdict: { kind: "delivered" }, httpStatus: 200, durationMs: 0, response: null };

  it("with a body that hangs, which is given 1 s and then cancelled", async () => {
    const watched = texts([], "hang");
    expect(await resultAt(1_000, answering(watched))).toEqual(DELIVERED);
    expect(watched.cancelled()).toBe(true);
  });

  it("with a body that breaks", async () => {
    expect(await attempt(answering(texts(["half"], "error")))).toEqual(DELIVERED);
  });

  it("with a body of 100 MB, of which a bounded part is read", async () => {
    const watched = filled(100 * 1024 * 1024);
    expect(await attempt(answering(watched))).toEqual(DELIVERED);
    expect(watched.handedOut()).toBeLessThanOrEqual(2 * 65_536);
    expect(watched.cancelled()).toBe(true);
  });

  it("with a body that drips, which is cancelled after 1 s", async () => {
    let closed = false;
    const drip: Script = () => {
      let timer: ReturnType<typeof setInterval>;
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          const next = (): void => {
            controller.enqueue(new Uint8Array([0x61]));
            timer = setTimeout(next, 100);
          };
          next();
        },
        cancel() {
          clearTimeout(timer);
          closed = true;
        },
      });
      return new Response(stream);
    };
    expect(await resultAt(1_000, drip)).toEqual(DELIVERED);
    expect(closed).toBe(true);
  });
});
