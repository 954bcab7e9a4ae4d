import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { type Outbound, post, type Reply } from "../../src/net/outbound.ts";
import { filled, texts, type WatchedBody, watchedBody } from "../support/bodies.ts";

const REQUEST: Outbound = {
  url: "https://example.com/hook",
  headers: {},
  body: "{}",
  timeoutMs: 200,
  maxBytes: 1_000,
};

let spy: MockInstance<typeof fetch>;
let signals: (AbortSignal | null | undefined)[];
beforeEach(() => {
  signals = [];
  spy = vi.spyOn(globalThis, "fetch");
});
afterEach(() => {
  spy.mockRestore();
});

/** Sends one request that is answered with what `make` makes; `watched` is filled in by then. */
async function answered(
  make: () => WatchedBody,
  overrides: Partial<Outbound> = {},
): Promise<{ reply: Reply; watched: WatchedBody }> {
  let watched: WatchedBody | null = null;
  spy.mockImplementation(async (_, init) => {
    signals.push(init?.signal);
    watched = make();
    return new Response(watched.stream);
  });
  const reply = await post({ ...REQUEST, ...overrides });
  if (!watched) throw new Error("nothing was asked");
  return { reply, watched };
}

const lengthOf = (reply: Reply): number => (reply.kind === "answer" ? reply.body.length : -1);
const drip = (): WatchedBody =>
  watchedBody(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return new Uint8Array([0x61]);
  });

describe("the size of a body", () => {
  it.each([1, 7, 999, 1_000, 5_000])("may be maxBytes, in chunks of %i", async (chunkBytes) => {
    const { reply, watched } = await answered(() => filled(1_000, chunkBytes));
    expect(reply).toMatchObject({ kind: "answer", end: "complete" });
    expect(lengthOf(reply)).toBe(1_000);
    expect(watched.cancelled()).toBe(false);
  });

  it.each([1, 7, 1_000, 1_001])("may not be maxBytes + 1, in chunks of %i", async (chunkBytes) => {
    const { reply, watched } = await answered(() => filled(1_001, chunkBytes));
    expect(reply).toMatchObject({ kind: "answer", end: "too_large" });
    expect(lengthOf(reply)).toBe(1_000);
    expect(watched.cancelled()).toBe(true);
  });

  it("is kept from the front, across chunks", async () => {
    const { reply } = await answered(() => texts(["abc", "def", "ghi"]), { maxBytes: 5 });
    expect(reply.kind === "answer" && new TextDecoder().decode(reply.body)).toBe("abcde");
  });

  it("may be nothing at all where maxBytes is 0", async () => {
    expect((await answered(() => texts([]), { maxBytes: 0 })).reply).toMatchObject({ end: "complete" });
    const { reply, watched } = await answered(() => texts(["a"]), { maxBytes: 0 });
    expect(reply).toMatchObject({ end: "too_large" });
    expect(lengthOf(reply)).toBe(0);
    expect(watched.cancelled()).toBe(true);
  });

  it("is read only as far as needed: 100 MB cost one chunk", async () => {
    const { reply, watched } = await answered(() => filled(100 * 1024 * 1024));
    expect(reply).toMatchObject({ end: "too_large" });
    expect(watched.handedOut()).toBeLessThanOrEqual(2 * 65_536);
    expect(watched.cancelled()).toBe(true);
  });

  it("keeps a copy of its part, not the whole chunk behind it", async () => {
    const { reply } = await answered(() => filled(65_536));
    expect(reply.kind === "answer" && reply.body.buffer.byteLength).toBe(1_000);
  });
});

describe("a body that does not end", () => {
  it("is cut off at `timeoutMs` when it drips, counted from the start", async () => {
    const { reply, watched } = await answered(drip, { timeoutMs: 60 });
    expect(reply).toMatchObject({ kind: "answer", status: 200, end: "timeout" });
    expect(lengthOf(reply)).toBeGreaterThan(0);
    expect(watched.cancelled()).toBe(true);
    expect(signals[0]?.aborted).toBe(true);
  });

  it("is cut off at `bodyMs` where that is given, however long `timeoutMs` is", async () => {
    const { reply, watched } = await answered(drip, { timeoutMs: 600_000, bodyMs: 40 });
    expect(reply).toMatchObject({ kind: "answer", end: "timeout" });
    expect(watched.cancelled()).toBe(true);
  });

  it("has all of `bodyMs`, however short the rest of `timeoutMs` is", async () => {
    const { reply } = await answered(
      () =>
        watchedBody(async (index) => {
          if (index > 0) return "end";
          await new Promise((resolve) => setTimeout(resolve, 60));
          return new Uint8Array(3);
        }),
      { timeoutMs: 20, bodyMs: 600_000 },
    );
    expect(reply).toMatchObject({ kind: "answer", end: "complete" });
    expect(lengthOf(reply)).toBe(3);
  });

  it("cannot hold the caller by ignoring its cancellation", async () => {
    const { reply } = await answered(
      () => {
        const stream = new ReadableStream<Uint8Array>({ cancel: () => new Promise(() => {}) });
        return { stream, cancelled: () => false, handedOut: () => 0 };
      },
      { timeoutMs: 20 },
    );
    expect(reply).toMatchObject({ kind: "answer", end: "timeout" });
  });

  it("cannot hurt the caller by failing at its cancellation", async () => {
    const { reply } = await answered(
      () => {
        const cancel = (): never => {
          throw new Error("no");
        };
        const stream = new ReadableStream<Uint8Array>({ cancel });
        return { stream, cancelled: () => false, handedOut: () => 0 };
      },
      { timeoutMs: 20 },
    );
    expect(reply).toMatchObject({ kind: "answer", end: "timeout" });
  });
});

describe("a body that breaks", () => {
  it.each([
    ["at once", []],
    ["midway", ["half of "]],
  ])("%s is an answer that ends in `network`, with what came before", async (_, chunks) => {
    const { reply } = await answered(() => texts(chunks, "error"));
    expect(reply).toMatchObject({ kind: "answer", status: 200, end: "network" });
    expect(reply.kind === "answer" && new TextDecoder().decode(reply.body)).toBe(chunks.join(""));
  });

  it("behind what is kept is not looked at", async () => {
    const { reply } = await answered(() => texts(["a".repeat(1_001)], "error"));
    expect(reply).toMatchObject({ kind: "answer", end: "too_large" });
  });
});

describe("when it is over", () => {
  it.each([
    ["a complete body", () => filled(10), "complete"],
    ["a body too large", () => filled(2_000), "too_large"],
    ["a broken body", () => texts([], "error"), "network"],
  ])("no timer is left behind by %s", async (_, make, end) => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const clear = vi.spyOn(globalThis, "clearTimeout");
    try {
      const { reply } = await answered(make, { bodyMs: 100 });
      expect(reply).toMatchObject({ end });
      const timers = set.mock.results.map(({ value }) => value);
      expect(timers).toHaveLength(2);
      const stopped = clear.mock.calls.map(([timer]) => timer);
      for (const timer of timers) expect(stopped).toContain(timer);
    } finally {
      set.mockRestore();
      clear.mockRestore();
    }
  });
});
