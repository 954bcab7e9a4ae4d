/** The simulated provider's limit of fetch calls for each key: its counting, its refusals, and its controls. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Provider, startProvider } from "./provider.ts";
import { RateLimits } from "./rate-limits.ts";
import { ask, post, postUnread } from "./test-client.ts";

const KEY = "sim-provider-key";
/** The start of a second of the clock. */
const START = 1_795_000_000_000;

describe("a limit", () => {
  const limits = new RateLimits();
  const refusals = (key: string, ...times: number[]) =>
    times.map((at) => limits.exceeded(key, START + at) !== null);
  beforeEach(() => limits.clear());

  it("serves so many calls in each second of the clock, and refuses the next", () => {
    limits.set({ key: "a", perSecond: 2 });
    expect(refusals("a", 0, 500, 999, 999, 1000, 1001, 1002)).toEqual([
      ...[false, false, true, true],
      ...[false, false, true],
    ]);
    expect(limits.list()).toEqual([{ key: "a", perSecond: 2, served: 4, refused: 3 }]);
  });

  it("is of one key alone", () => {
    limits.set({ key: "a", perSecond: 1 });
    limits.set({ key: "b", perSecond: 2 });
    expect(refusals("a", 0, 1)).toEqual([false, true]);
    expect(refusals("b", 2, 3, 4)).toEqual([false, false, true]);
    expect(refusals("c", 5, 6, 7)).toEqual([false, false, false]);
  });

  it("of 0 refuses every call", () => {
    limits.set({ key: "a", perSecond: 0 });
    expect(refusals("a", 0, 1000)).toEqual([true, true]);
  });

  it("counts anew when it is set again, and not at all when it is lifted", () => {
    limits.set({ key: "a", perSecond: 1 });
    expect(refusals("a", 0, 1)).toEqual([false, true]);
    limits.set({ key: "a", perSecond: 1 });
    expect(refusals("a", 2, 3)).toEqual([false, true]);
    limits.set({ key: "a", perSecond: null });
    expect(refusals("a", 4, 5)).toEqual([false, false]);
    expect(limits.list()).toEqual([]);
  });
});

describe("the provider", () => {
  let provider: Provider;
  const poll = (key = KEY) => postUnread(`${provider.origin}/api/v3/fetch/7`, { key });

  beforeEach(async () => {
    provider = await startProvider();
    provider.add({ endpoint: "v3", id: 7, misbehaviours: [{ kind: "server-error" }] });
  });
  afterEach(() => provider.close());

  it("refuses in the words of a rate limit, in body and header", async () => {
    provider.limit({ key: KEY, perSecond: 0, retryAfterSeconds: 3 });
    const refusal = await poll();
    expect([refusal.status, refusal.headers.get("retry-after")]).toEqual([429, "3"]);
    expect(await refusal.json()).toMatchObject({
      status: "error",
      message: expect.stringContaining("Rate limit exceeded"),
      retry_after: 3,
    });
  });

  it("says no time unless it has one", async () => {
    provider.limit({ key: KEY, perSecond: 0 });
    const refusal = await poll();
    expect([refusal.status, refusal.headers.get("retry-after")]).toEqual([429, null]);
    expect(await refusal.json()).not.toHaveProperty("retry_after");
  });

  it("records a refused call, and uses up nothing that the request had in store", async () => {
    provider.limit({ key: KEY, perSecond: 0 });
    await poll();
    expect(provider.requests()).toMatchObject([{ polls: 0, misbehavioursLeft: 1 }]);
    provider.limit({ key: KEY, perSecond: null });
    expect([(await poll()).status, (await poll()).status]).toEqual([500, 200]);
    expect(provider.calls().map(({ status }) => status)).toEqual([429, 500, 200]);
  });

  it("limits neither a wrong key nor a generation call", async () => {
    provider.limit({ key: KEY, perSecond: 0 });
    provider.limit({ key: "wrong", perSecond: 0 });
    expect(await (await poll("wrong")).json()).toMatchObject({ message: "Invalid Api Key" });
    expect((await post(`${provider.origin}/api/v3/text2img`, { key: KEY })).status).toBe(200);
  });

  it("is limited over HTTP, and tells what it served and refused", async () => {
    const limit = { key: KEY, perSecond: 0, retryAfterSeconds: 1 };
    const set = await fetch(`${provider.origin}/_sim/limits`, { method: "PUT", body: JSON.stringify(limit) });
    expect([set.status, await set.json()]).toEqual([200, [{ ...limit, served: 0, refused: 0 }]]);
    await poll();
    const shown = [{ ...limit, served: 0, refused: 1 }];
    expect((await ask(`${provider.origin}/_sim/limits`)).json).toEqual(shown);
    expect(provider.limits()).toEqual(shown);
    await ask(`${provider.origin}/_sim`, "DELETE");
    expect(provider.limits()).toEqual([]);
  });

  it.each([
    [{}, "key"],
    [{ key: 1, perSecond: 1 }, "key"],
    [{ key: KEY }, "perSecond"],
    [{ key: KEY, perSecond: -1 }, "perSecond"],
    [{ key: KEY, perSecond: 1.5 }, "perSecond"],
    [{ key: KEY, perSecond: "5" }, "perSecond"],
    [{ key: KEY, perSecond: 1, retryAfterSeconds: -1 }, "retryAfterSeconds"],
    [{ key: KEY, perSecond: 1, retryAfter: 1 }, "retryAfter"],
  ])("refuses the limit %j with 422, naming %s", async (body, field) => {
    const reply = await fetch(`${provider.origin}/_sim/limits`, {
      method: "PUT",
      body: JSON.stringify(body),
    });
    expect([reply.status, await reply.json()]).toEqual([
      422,
      { error: { field, message: expect.any(String) } },
    ]);
    expect(provider.limits()).toEqual([]);
  });

  it("throws, naming the field, in the same process", () => {
    expect(() => provider.limit({ key: KEY, perSecond: -1 })).toThrow("limit: perSecond must be an integer");
  });
});
