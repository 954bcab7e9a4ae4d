import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import pkg from "../../package.json" with { type: "json" };
import { type Outbound, post, type Reply, USER_AGENT } from "../../src/net/outbound.ts";
import { texts, type WatchedBody } from "../support/bodies.ts";

const REQUEST: Outbound = {
  url: "https://example.com/hook",
  headers: { "content-type": "application/json", "x-one": "1" },
  body: '{"a":1}',
  timeoutMs: 1_000,
  maxBytes: 1_024,
};

let spy: MockInstance<typeof fetch>;
beforeEach(() => {
  spy = vi.spyOn(globalThis, "fetch");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  spy.mockRestore();
});

const answering = (make: () => Response | Promise<Response>): void => {
  spy.mockImplementation(async () => make());
};

const send = (overrides: Partial<Outbound> = {}): Promise<Reply> => post({ ...REQUEST, ...overrides });

/** What `work` came to, and after how many fake milliseconds; looks at every one of them. */
async function timed(
  work: Promise<Reply>,
  limitMs: number,
): Promise<{ reply: Reply | null; afterMs: number }> {
  let reply: Reply | null = null;
  work.then((value) => {
    reply = value;
  });
  await vi.advanceTimersByTimeAsync(0);
  let afterMs = 0;
  while (reply === null && afterMs < limitMs) {
    await vi.advanceTimersByTimeAsync(1);
    afterMs++;
  }
  return { reply, afterMs };
}

const body = (reply: Reply | null): string =>
  reply?.kind === "answer" ? new TextDecoder().decode(reply.body) : "";

/** Keeps the thread busy for longer than 5 ms, on any machine: the clock may stand still meanwhile. */
function holdUp(): void {
  let sum = 0;
  for (let i = 0; i < 100_000_000; i++) sum = (sum + i) | 0;
  expect(sum).not.toBe(1);
}

describe("USER_AGENT", () => {
  it("names the version of package.json", () => {
    expect(USER_AGENT).toBe(`pollhook/${pkg.version}`);
  });
});

describe("what is sent", () => {
  it("is one POST of the body with the headers, which does not follow redirects", async () => {
    answering(() => new Response("ok"));
    await send();
    expect(spy).toHaveBeenCalledTimes(1);
    const [url, init] = spy.mock.calls[0] ?? [];
    expect(url).toBe(REQUEST.url);
    expect(init).toMatchObject({
      method: "POST",
      headers: REQUEST.headers,
      body: REQUEST.body,
      redirect: "manual",
    });
  });
});

describe("an answer", () => {
  it("comes with its status, its headers and its body", async () => {
    answering(() => new Response("hello", { status: 418, headers: { "x-two": "2" } }));
    const reply = await send();
    expect(reply).toMatchObject({ kind: "answer", status: 418, end: "complete" });
    expect(reply.kind === "answer" && reply.headers.get("x-two")).toBe("2");
    expect(body(reply)).toBe("hello");
  });

  it.each([
    ["an empty body", () => new Response("")],
    ["no body", () => new Response(null)],
    ["204", () => new Response(null, { status: 204 })],
    ["304", () => new Response(null, { status: 304 })],
    ["a stream that ends at once", () => new Response(texts([]).stream)],
  ])("may have %s", async (_, make) => {
    answering(make);
    expect(await send()).toMatchObject({ kind: "answer", body: new Uint8Array(0), end: "complete" });
  });

  it.each([301, 302, 303, 307, 308])("is the redirect itself: %i", async (status) => {
    answering(() => new Response("moved", { status, headers: { location: "https://other.example/" } }));
    const reply = await send();
    expect(reply).toMatchObject({ kind: "answer", status, end: "complete" });
    expect(spy).toHaveBeenCalledTimes(1);
  });

  it("is put together from its chunks, empty ones too", async () => {
    answering(() => new Response(texts(["a", "", "bc", "ü".repeat(10)]).stream));
    expect(body(await send())).toBe(`abc${"ü".repeat(10)}`);
  });

  it.each([
    ["to the end of its body", {}, 80],
    ["to its headers, when the body has a time of its own", { bodyMs: 30 }, 40],
  ])("is timed %s", async (_, own, durationMs) => {
    answering(async () => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return new Response(texts(["a"], "hang").stream);
    });
    const { reply } = await timed(send({ timeoutMs: 80, ...own }), 200);
    expect(reply).toMatchObject({ kind: "answer", end: "timeout", durationMs });
  });
});

describe("a request that fails", () => {
  it.each([
    ["throws", () => Promise.reject(new Error("Network connection lost."))],
    ["rejects with something that is no error", () => Promise.reject("lost")],
    ["rejects with an AbortError of its own", () => Promise.reject(new DOMException("gone", "AbortError"))],
    [
      "throws without a promise",
      () => {
        throw new TypeError("Fetch API cannot load");
      },
    ],
  ])("is a value when fetch %s", async (_, failing) => {
    spy.mockImplementation(failing);
    expect(await send()).toEqual({ kind: "none", reason: "network", durationMs: 0 });
  });

  it.each([
    ["a URL that is none", { url: "not a url" }],
    ["a scheme that fetch does not know", { url: "gopher://example.com/" }],
    ["a header name that is none", { headers: { "bad header": "1" } }],
    ["a header value that is none", { headers: { "x-one": "a\nb" } }],
  ])("is a value with %s", async (_, overrides) => {
    expect(await send(overrides)).toMatchObject({ kind: "none", reason: "network" });
  });

  it("is a value when the answer's body cannot be read at all", async () => {
    answering(() => {
      const response = new Response("taken");
      response.body?.getReader();
      return response;
    });
    expect(await send()).toMatchObject({ kind: "none", reason: "network" });
  });
});

describe("the time for connect and headers", () => {
  it("ends a request without headers at `timeoutMs` and aborts it", async () => {
    let signal: AbortSignal | null | undefined;
    spy.mockImplementation((_, init) => {
      signal = init?.signal;
      return new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
    });
    const { reply, afterMs } = await timed(send({ timeoutMs: 50 }), 100);
    expect(reply).toEqual({ kind: "none", reason: "timeout", durationMs: 50 });
    expect(afterMs).toBe(50);
    expect(signal?.aborted).toBe(true);
  });

  it("ends one whose peer ignores the abort", async () => {
    spy.mockImplementation(() => new Promise(() => {}));
    const { reply, afterMs } = await timed(send({ timeoutMs: 50, bodyMs: 500 }), 100);
    expect(reply).toEqual({ kind: "none", reason: "timeout", durationMs: 50 });
    expect(afterMs).toBe(50);
  });

  it("lets go of an answer that comes after the time is up", async () => {
    let late: WatchedBody | undefined;
    spy.mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      late = texts(["late"], "hang");
      return new Response(late.stream);
    });
    expect((await timed(send({ timeoutMs: 50 }), 100)).afterMs).toBe(50);
    await vi.advanceTimersByTimeAsync(10);
    expect(late?.cancelled()).toBe(true);
  });

  it("takes headers that come just in time", async () => {
    answering(async () => {
      await new Promise((resolve) => setTimeout(resolve, 49));
      return new Response("just");
    });
    const { reply } = await timed(send({ timeoutMs: 50 }), 100);
    expect(reply).toMatchObject({ kind: "answer", end: "complete", durationMs: 49 });
  });

  it("is over only when that was heard which came while the caller itself was held up", async () => {
    vi.useRealTimers();
    answering(async () => {
      // The second wait is a turn of the event loop, as what stands in a socket takes.
      for (const ms of [1, 0]) await new Promise((resolve) => setTimeout(resolve, ms));
      return new Response("there");
    });
    const sent = send({ timeoutMs: 5 });
    holdUp();
    expect(await sent).toMatchObject({ kind: "answer", end: "complete" });
    vi.useFakeTimers();
  });

  it("ends a body that hangs, too, and keeps what came before", async () => {
    let watched: WatchedBody | undefined;
    answering(() => {
      watched = texts(["part"], "hang");
      return new Response(watched.stream);
    });
    const { reply, afterMs } = await timed(send({ timeoutMs: 50 }), 100);
    expect(reply).toMatchObject({ kind: "answer", end: "timeout" });
    expect(body(reply)).toBe("part");
    expect(afterMs).toBe(50);
    expect(watched?.cancelled()).toBe(true);
  });
});
