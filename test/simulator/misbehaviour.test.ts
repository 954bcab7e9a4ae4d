/** Every way in which the simulated provider misbehaves, seen from the other end of a real connection. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Misbehaviour, type Provider, startProvider } from "./provider.ts";
import { ask, post, postUnread, rawPost, readToEnd, until } from "./test-client.ts";

const BODY = { key: "sim-provider-key" };
const SUCCESS = { status: "success", id: 7, output: [expect.stringContaining("https://")] };

let provider: Provider;
const script = (...misbehaviours: Misbehaviour[]) => provider.add({ endpoint: "v3", id: 7, misbehaviours });
const url = () => `${provider.origin}/api/v3/fetch/7`;
const poll = () => post(url(), BODY);
const statuses = () => provider.calls().map(({ status }) => status);

beforeEach(async () => {
  provider = await startProvider();
});
afterEach(() => provider.close());

describe("misbehaviours", () => {
  it("are consumed one a poll, in order, before normal service", async () => {
    script({ kind: "server-error" }, { kind: "rate-limit" }, { kind: "raw", body: "{}" });
    const seen = [await poll(), await poll(), await poll(), await poll()];
    expect(seen.map(({ status }) => status)).toEqual([500, 429, 200, 200]);
    expect(seen[2]?.text).toBe("{}");
    expect(seen[3]?.json).toMatchObject(SUCCESS);
    expect(statuses()).toEqual([500, 429, 200, 200]);
    expect(provider.requests()).toMatchObject([{ polls: 4, misbehavioursLeft: 0 }]);
  });

  it("wait for a poll with a good key", async () => {
    script({ kind: "server-error" });
    expect((await post(url(), { key: "wrong" })).json).toMatchObject({ message: "Invalid Api Key" });
    expect((await poll()).status).toBe(500);
  });

  it.each([
    [
      { kind: "rate-limit" },
      429,
      { status: "error", message: expect.stringContaining("Rate limit"), retry_after: 30 },
    ],
    [{ kind: "rate-limit", retryAfterSeconds: 2.5 }, 429, { retry_after: 2.5 }],
    [
      { kind: "rate-limit-200" },
      200,
      { status: "error", message: "Rate limit exceeded", tips: expect.any(String) },
    ],
    [{ kind: "server-error" }, 500, { status: "error", message: "Internal server error. Please try again." }],
    [{ kind: "server-error", status: 503 }, 503, { status: "error" }],
    [{ kind: "empty-success" }, 200, { status: "success", id: 7, output: [] }],
    [{ kind: "empty-success", output: "" }, 200, { status: "success", output: "" }],
    [{ kind: "empty-success", output: {} }, 200, { status: "success", output: {} }],
    [{ kind: "failure", message: "no" }, 200, { status: "error", message: "no" }],
    [
      { kind: "failure", status: "failed", message: "no" },
      200,
      { status: "failed", id: "", message: "no", output: "" },
    ],
    [{ kind: "failure", message: { prompt: ["needed"] } }, 200, { message: { prompt: ["needed"] } }],
    [{ kind: "failure", message: "no", spelling: "messege", httpStatus: 402 }, 402, { messege: "no" }],
  ] satisfies [Misbehaviour, number, object][])(
    "%j comes as JSON with HTTP %i",
    async (misbehaviour, status, body) => {
      script(misbehaviour);
      const reply = await poll();
      expect(reply).toMatchObject({ status, type: "application/json", json: body });
    },
  );

  it("leave out what they are told to", async () => {
    script({ kind: "rate-limit", retryAfterSeconds: null }, { kind: "empty-success", output: null });
    expect((await poll()).json).not.toHaveProperty("retry_after");
    expect((await poll()).json).toEqual({ status: "success", id: 7 });
  });

  it("html is a page of a gateway, with any status", async () => {
    script({ kind: "html" }, { kind: "html", status: 200 });
    expect(await poll()).toMatchObject({ status: 502, type: "text/html", json: undefined });
    expect(await poll()).toMatchObject({ status: 200, text: expect.stringMatching(/^<!DOCTYPE html>/) });
  });

  it("truncated-json is the first half of the answer, as a complete response", async () => {
    script({ kind: "truncated-json" });
    const half = await poll();
    const whole = await poll();
    expect(half).toMatchObject({ status: 200, json: undefined });
    expect(whole.text.startsWith(half.text)).toBe(true);
    expect(half.text.length).toBe(Math.floor(whole.text.length / 2));
  });

  it("wrong-content-type is the right answer as text/html", async () => {
    script({ kind: "wrong-content-type" });
    expect(await poll()).toMatchObject({ status: 200, type: "text/html", json: SUCCESS });
  });

  it("redirect names the given location", async () => {
    script(
      { kind: "redirect", location: "https://example.com/x" },
      { kind: "redirect", location: "/y", status: 307 },
    );
    const [first, second] = [await postUnread(url(), BODY), await postUnread(url(), BODY)];
    expect([first.status, first.headers.get("location")]).toEqual([302, "https://example.com/x"]);
    expect([second.status, second.headers.get("location")]).toEqual([307, "/y"]);
  });

  it("raw sends status, headers and body as given", async () => {
    script({
      kind: "raw",
      status: 418,
      headers: { "x-a": "b", "retry-after": "9" },
      body: '{ "big": 12345678901234567890 }',
    });
    const response = await postUnread(url(), BODY);
    expect(response.status).toBe(418);
    expect([response.headers.get("x-a"), response.headers.get("retry-after")]).toEqual(["b", "9"]);
    expect(await response.text()).toBe('{ "big": 12345678901234567890 }');
  });

  it("hang never answers, and ends when the provider closes", async () => {
    script({ kind: "hang" });
    const hanging = expect(poll()).rejects.toThrow("fetch failed");
    await until(() => provider.calls().length === 1);
    expect((await ask(`${provider.origin}/_sim/calls`)).json).toMatchObject([{ status: null }]);
    await provider.close();
    await hanging;
  });

  it("drip sends a byte a second after its headers", async () => {
    script({ kind: "drip" });
    const started = performance.now();
    const response = await postUnread(url(), BODY);
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    const chunks = [await reader?.read(), await reader?.read()];
    expect(chunks.map((chunk) => chunk?.value?.length)).toEqual([1, 1]);
    expect(performance.now() - started).toBeGreaterThan(1900);
    await reader?.cancel();
  });

  it("drip ends with the whole answer", async () => {
    script({ kind: "drip", everyMs: 1 });
    expect((await poll()).json).toMatchObject(SUCCESS);
  });

  it("huge is a success of exactly that many bytes, its length not announced", async () => {
    const bytes = 3 * 1024 * 1024 + 1;
    script({ kind: "huge", bytes });
    const response = await postUnread(url(), BODY);
    expect(response.headers.get("content-length")).toBeNull();
    const text = await response.text();
    expect(text.length).toBe(bytes);
    expect(JSON.parse(text)).toMatchObject({
      status: "success",
      id: 7,
      output: [expect.stringMatching(/^a+$/)],
    });
  });

  it("huge waits for a client that does not read, and outlives one that leaves", async () => {
    script({ kind: "huge", bytes: 2 ** 40 });
    const socket = rawPost(provider.origin, "/api/v3/fetch/7", JSON.stringify(BODY));
    await until(() => statuses()[0] === 200);
    expect((await poll()).json).toMatchObject(SUCCESS);
    socket.destroy();
    expect((await poll()).json).toMatchObject(SUCCESS);
  });

  it("close-halfway sends half of what content-length promises", async () => {
    script({ kind: "close-halfway" });
    const cut = await readToEnd(rawPost(provider.origin, "/api/v3/fetch/7", JSON.stringify(BODY)));
    const [head = "", body = ""] = cut.split("\r\n\r\n");
    const promised = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    const whole = (await poll()).text;
    expect(promised).toBe(whole.length);
    expect(body).toBe(whole.slice(0, whole.length >> 1));
  });
});
