import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { USER_AGENT } from "../../src/net/outbound.ts";
import { headersToHandOn, notCalled, poll } from "../../src/provider/client.ts";
import { hang, json, networkError, type Script, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { CAPTURED, REFUSALS } from "../support/seed-pages.ts";
import { pending, transient } from "../support/verdicts.ts";

const KEY = "sk-caller-4f9d2c71b8";
const URL = "https://modelslab.com/api/v3/fetch/1";
const MAX_BYTES = 4096;

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
  vi.useRealTimers();
});

const LIMITS = { timeoutMs: 10_000, maxBytes: MAX_BYTES };

const ask = (script: Script) => {
  fetched.on(URL, script);
  return poll({ origin: "https://modelslab.com", endpoint: "v3", requestId: "1", key: KEY }, LIMITS);
};

const textOf = (bytes: Uint8Array | null): string | null => bytes && new TextDecoder().decode(bytes);

/** A success of exactly `bytes` bytes. */
const sized = (bytes: number): string => {
  const frame = '{"status":"success","output":""}';
  return frame.replace('""', `"${"x".repeat(bytes - frame.length)}"`);
};

describe("a poll", () => {
  it("is one POST of JSON with the key in the body and nowhere else", async () => {
    await ask(json(CAPTURED.stillProcessing));
    expect(fetched.sent).toMatchObject([
      {
        method: "POST",
        url: URL,
        headers: { "content-type": "application/json", accept: "application/json", "user-agent": USER_AGENT },
        body: `{"key":"${KEY}"}`,
      },
    ]);
    const [{ headers, url } = { headers: {}, url: "" }] = fetched.sent;
    expect(JSON.stringify([headers, url])).not.toContain(KEY);
  });

  it("hands on the verdict, the status and the bytes", async () => {
    expect(await ask(json(CAPTURED.video))).toMatchObject({
      verdict: pending(10),
      httpStatus: 200,
      called: true,
    });
    const result = await ask(json(CAPTURED.legacy));
    expect(textOf(result.answer)).toBe(CAPTURED.legacy);
  });

  it("hands on a refusal with its bytes too", async () => {
    const result = await ask(json(REFUSALS.notFound, { status: 404 }));
    expect(result).toMatchObject({ verdict: { kind: "not_found" }, httpStatus: 404 });
    expect(textOf(result.answer)).toBe(REFUSALS.notFound);
  });

  it("hides an echo of the key in the bytes and in the message", async () => {
    const result = await ask(json({ status: "error", message: `key ${KEY} is bad` }, { status: 401 }));
    expect(result.verdict).toEqual({
      kind: "failed",
      reason: "unauthorized",
      message: "key [redacted] is bad",
    });
    expect(textOf(result.answer)).toBe('{"status":"error","message":"key [redacted] is bad"}');
  });

  it("reads the waits of the headers", async () => {
    const limited = await ask(status(429, { "retry-after": "77" }));
    expect(limited.verdict).toEqual(transient("rate_limited", 77));
  });

  it("does not follow a redirect", async () => {
    const result = await ask(status(307, { location: "https://evil.example/" }));
    expect(result).toMatchObject({ verdict: transient("redirect"), httpStatus: 307, answer: null });
    expect(fetched.sent).toHaveLength(1);
  });

  it.each([
    ["HTML under 200", 200, transient("not_json")],
    ["HTML under 401", 401, transient("not_json")],
    ["HTML under 502", 502, transient("http_error")],
  ])("has no answer from %s", async (_, code, verdict) => {
    const result = await ask(() => new Response("<html>", { status: code }));
    expect(result).toMatchObject({ verdict, httpStatus: code, answer: null });
  });

  it("has no answer from an empty body", async () => {
    expect(await ask(status(204))).toMatchObject({ verdict: transient("not_json"), answer: null });
  });
});

describe("a poll's size", () => {
  it("may be the largest that is allowed", async () => {
    const result = await ask(json(sized(MAX_BYTES)));
    expect(result.verdict).toEqual({ kind: "succeeded" });
    expect(result.answer?.length).toBe(MAX_BYTES);
  });

  it("fails the request one byte later", async () => {
    const result = await ask(json(sized(MAX_BYTES + 1)));
    expect(result).toMatchObject({ verdict: { kind: "failed", reason: "output_too_large" }, answer: null });
  });

  it("does not matter under 500", async () => {
    const result = await ask(json(sized(MAX_BYTES + 1), { status: 500 }));
    expect(result).toMatchObject({ verdict: transient("http_error"), answer: null });
  });
});

describe("a poll that gets no answer", () => {
  it("is transient when the network fails", async () => {
    const result = await ask(networkError);
    expect(result).toMatchObject({
      verdict: transient("network"),
      httpStatus: null,
      answer: null,
      called: true,
    });
  });

  it("is transient when the body breaks off, which is no answer however it begins", async () => {
    const broken: Script = () => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"status":"success","output":["x"]}'));
        },
        pull(controller) {
          controller.error(new Error("Network connection lost."));
        },
      });
      return new Response(body);
    };
    expect(await ask(broken)).toMatchObject({ verdict: transient("network"), httpStatus: 200, answer: null });
  });

  it("waits as long as it may and no longer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let result: unknown = "waiting";
    const polling = ask(hang).then((value) => {
      result = value;
    });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(result).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    await polling;
    expect(result).toMatchObject({
      verdict: transient("timeout"),
      httpStatus: null,
      answer: null,
      called: true,
    });
  });

  it("waits no longer for a body that never ends", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const polling = ask(() => new Response(new ReadableStream()));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await polling).toMatchObject({ verdict: transient("timeout"), httpStatus: 200, answer: null });
  });
});

describe("a poll that could not be made", () => {
  it.each(["key_unreadable", "origin_not_listed"] as const)("is transient and not counted: %s", (cause) => {
    expect(notCalled(cause)).toMatchObject({ verdict: transient(cause), httpStatus: null, called: false });
  });
});

describe("a header that is handed on", () => {
  const handedOn = (value: string) => headersToHandOn(new Headers({ "retry-after": value }))["retry-after"];

  it.each([
    "0",
    "120",
    "0.5",
    "1795176000",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Friday, 31-Dec-99 23:59:59 GMT",
  ])("is a number or a date: %s", (value) => expect(handedOn(value)).toBe(value));

  it.each([
    ["an echo of the key", KEY],
    ["words", "after lunch"],
    ["more than a caller's client takes", `1 ${"1".repeat(30_000)}`],
    ["a number without end", "1".repeat(21)],
    ["a date without end", `Fri, ${"1".repeat(31)}`],
    ["nothing", ""],
  ])("is not %s", (_, value) => expect(handedOn(value)).toBeUndefined());
});
