/** The simulated provider's log and its control routes, as a test in another runtime uses them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Call, type Provider, startProvider } from "./provider.ts";
import { ask, post } from "./test-client.ts";
import { BoundedLog } from "./wire.ts";

const BODY = { key: "sim-provider-key" };

let provider: Provider;
const seen: Call[] = [];
const control = (body: object | string) => post(`${provider.origin}/_sim/requests`, body);

beforeEach(async () => {
  seen.length = 0;
  provider = await startProvider({ onCall: (call) => seen.push(call) });
});
afterEach(() => provider.close());

describe("the log", () => {
  it("keeps what was asked and what was answered", async () => {
    const before = Date.now();
    await post(`${provider.origin}/api/v3/fetch/7?x=1`, BODY, {
      "content-type": "application/json",
      "x-test": "é",
    });
    const [call] = provider.calls();
    expect(call).toMatchObject({
      method: "POST",
      path: "/api/v3/fetch/7?x=1",
      body: JSON.stringify(BODY),
      status: 200,
    });
    expect(call?.headers).toMatchObject({ "content-type": "application/json", "x-test": "é" });
    expect(call?.at).toBeGreaterThanOrEqual(before);
    expect(seen).toEqual([call]);
  });

  it("leaves control calls out", async () => {
    await ask(`${provider.origin}/_sim/calls`);
    expect(provider.calls()).toEqual([]);
  });

  it("forgets the oldest entries over its limit, and none at it", () => {
    const log = new BoundedLog<number>(3);
    for (const entry of [1, 2, 3]) log.push(entry);
    expect(log.list()).toEqual([1, 2, 3]);
    for (const entry of [4, 5, 6, 7]) log.push(entry);
    expect(log.list()).toEqual([5, 6, 7]);
    log.clear();
    expect(log.list()).toEqual([]);
  });
});

describe("control over HTTP", () => {
  it("adds one request, or several", async () => {
    expect(await control({ endpoint: "v3", id: 7 })).toMatchObject({ status: 201, json: { added: 1 } });
    const several = [
      { endpoint: "v6/video", id: "8", key: "own", readyAfterMs: 60_000, eta: null },
      { endpoint: "v3", id: 9, misbehaviours: [{ kind: "server-error" }] },
    ];
    expect(await control(several)).toMatchObject({ status: 201, json: { added: 2 } });
    expect((await ask(`${provider.origin}/_sim/requests`)).json).toMatchObject([
      { endpoint: "v3", id: "7", key: null, polls: 0, misbehavioursLeft: 0 },
      { endpoint: "v6/video", id: "8", key: "own" },
      { endpoint: "v3", id: "9", misbehavioursLeft: 1 },
    ]);
    expect((await post(`${provider.origin}/api/v3/fetch/9`, BODY)).status).toBe(500);
  });

  it("shows the calls and forgets all of it", async () => {
    await control({ endpoint: "v3", id: 7 });
    await post(`${provider.origin}/api/v3/fetch/7`, BODY);
    expect((await ask(`${provider.origin}/_sim/calls`)).json).toMatchObject([
      { path: "/api/v3/fetch/7", status: 200 },
    ]);
    expect((await ask(`${provider.origin}/_sim`, "DELETE")).status).toBe(204);
    expect((await ask(`${provider.origin}/_sim/calls`)).json).toEqual([]);
    expect((await ask(`${provider.origin}/_sim/requests`)).json).toEqual([]);
  });

  it.each([
    ["not json", "body"],
    ["7", "body"],
    [{ id: 7 }, "endpoint"],
    [{ endpoint: "/v3", id: 7 }, "endpoint"],
    [{ endpoint: "v3" }, "id"],
    [{ endpoint: "v3", id: "a b" }, "id"],
    [{ endpoint: "v3", id: 1.5 }, "id"],
    [{ endpoint: "v3", id: 7, readyAfterMs: -1 }, "readyAfterMs"],
    [{ endpoint: "v3", id: 7, readyAfter: 1 }, "readyAfter"],
    [{ endpoint: "v3", id: 7, answer: 1 }, "answer"],
    [{ endpoint: "v3", id: 7, misbehaviours: {} }, "misbehaviours"],
    [{ endpoint: "v3", id: 7, misbehaviours: [{ kind: "sulk" }] }, "misbehaviours[0].kind"],
    [{ endpoint: "v3", id: 7, misbehaviours: [{ kind: "huge" }] }, "misbehaviours[0].bytes"],
    [{ endpoint: "v3", id: 7, misbehaviours: [{ kind: "hang", ms: 1 }] }, "misbehaviours[0].ms"],
    [{ endpoint: "v3", id: 7, misbehaviours: [{ kind: "html", status: 700 }] }, "misbehaviours[0].status"],
    [
      { endpoint: "v3", id: 7, misbehaviours: [{ kind: "empty-success", output: ["x"] }] },
      "misbehaviours[0].output",
    ],
    [
      [
        { endpoint: "v3", id: 7 },
        { endpoint: "v3", id: null },
      ],
      "[1].id",
    ],
  ])("refuses %j with 422, naming %s", async (body, field) => {
    const reply = await control(body);
    expect(reply).toMatchObject({ status: 422, json: { error: { field, message: expect.any(String) } } });
    expect(provider.requests()).toEqual([]);
  });

  it("answers an unknown route with 404 and names those there are", async () => {
    const reply = await ask(`${provider.origin}/_sim/nothing`);
    expect(reply).toMatchObject({
      status: 404,
      json: { error: { message: expect.stringContaining("GET /_sim/calls") } },
    });
  });
});

describe("control in the same process", () => {
  it("throws, naming the field, on a malformed request", () => {
    expect(() => provider.add({ endpoint: "V3", id: 7 })).toThrow("request: endpoint must be a string like");
  });

  it("replaces a request that is added again", async () => {
    provider.add({ endpoint: "v3", id: 7, misbehaviours: [{ kind: "hang" }] });
    provider.add({ endpoint: "v3", id: "7", answer: "[]" });
    expect((await post(`${provider.origin}/api/v3/fetch/7`, BODY)).text).toBe("[]");
    expect(provider.requests()).toHaveLength(1);
  });

  it("rejects when the port is taken", async () => {
    await expect(startProvider({ port: Number(new URL(provider.origin).port) })).rejects.toThrow(
      "EADDRINUSE",
    );
  });
});
