import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sleep } from "../../src/client/abort.ts";
import type { Job, JobEvent } from "../../src/client/index.ts";
import { json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { aJob, at, clientOf, collect, problem, rejection } from "./client-of.ts";

const JOB = at("/v1/jobs/job_1");
const EVENTS = at("/v1/jobs/job_1/events");
const HELD = `${JOB}?wait=25`;

let server: ScriptedFetch;
beforeEach(() => {
  server = new ScriptedFetch();
});
afterEach(() => {
  server.restore();
  expect(server.unexpected).toEqual([]);
});

const stream =
  (text: string, end: "closed" | "lost" | "open" = "closed") =>
  () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        if (end === "closed") controller.close();
      },
      pull(controller) {
        if (end === "lost") controller.error(new Error("reset"));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  };

const poll = (id: string) => `id: ${id}\nevent: poll\ndata: {"at":"t${id}","type":"poll"}\n\n`;
const DONE = 'id: 9\nevent: done\ndata: {"status":"finished","outcome":"succeeded"}\n\n';

const idsOf = (events: readonly JobEvent[]): string[] => events.map(({ id }) => id);

const SEEN_AT = ["12:00:00", "12:00:02", "12:00:05", "12:00:06"].map((time) => `2026-11-20T${time}.000Z`) as [
  string,
  string,
  string,
  string,
];
const entry = (index: 0 | 1 | 2 | 3, type: string, result?: string) => ({
  at: SEEN_AT[index],
  type,
  ...(result !== undefined && { result }),
});
const waiting = aJob();
const polled = aJob({ polls: 1, timeline: [...waiting.timeline, entry(1, "poll", "pending")] });
const over: Job = aJob({
  polls: 2,
  attempts: 1,
  status: "delivered",
  outcome: "succeeded",
  finished_at: SEEN_AT[2],
  delivered_at: SEEN_AT[3],
  timeline: [
    ...polled.timeline,
    entry(2, "poll", "succeeded"),
    entry(2, "parked"),
    entry(3, "attempt", "delivered"),
  ],
});
const ALL = ["poll", "poll", "outcome", "attempt", "done"];

describe("over server-sent events", () => {
  it("yields what the stream says to its done, and leaves out kinds that it does not know", async () => {
    const unknown = "id: 2\nevent: weather\ndata: fair\n\n";
    server.on(EVENTS, stream(`: hello\n\n${poll("1")}${unknown}${poll("3")}${DONE}${poll("10")}`, "open"));
    const events = await collect(clientOf().client.events("job_1"));
    expect(events[0]).toEqual({ id: "1", type: "poll", data: { at: "t1", type: "poll" } });
    expect(idsOf(events)).toEqual(["1", "3", "9"]);
    expect(server.sent[0]?.headers).toMatchObject({
      accept: "text/event-stream",
      authorization: "Bearer t-1",
    });
    expect(server.sent[0]?.headers).not.toHaveProperty("last-event-id");
  });

  it("goes on from the last event when the connection ends or is lost", async () => {
    server.on(EVENTS, stream(poll("1")), stream(poll("2"), "lost"), networkError, status(503), stream(DONE));
    expect(idsOf(await collect(clientOf().client.events("job_1")))).toEqual(["1", "2", "9"]);
    expect(server.sent.map(({ headers }) => headers["last-event-id"])).toEqual([
      undefined,
      "1",
      "2",
      "2",
      "2",
    ]);
  });

  it("begins behind the event that the caller names", async () => {
    server.on(EVENTS, stream(DONE));
    await collect(clientOf().client.events("job_1", { lastEventId: "8" }));
    expect(server.sent[0]?.headers["last-event-id"]).toBe("8");
  });

  it("stays away for as long as the stream says", async () => {
    server.on(EVENTS, stream(`retry: 7000\n${poll("1")}`), stream(DONE));
    const { client, pauses } = clientOf();
    await collect(client.events("job_1"));
    expect(pauses).toEqual([7000]);
  });

  it("gives up after four failures in a row, and at once on what will not pass", async () => {
    server.on(EVENTS, networkError, networkError, stream(poll("1")), ...Array(4).fill(networkError));
    const events = clientOf().client.events("job_1");
    expect((await events.next()).value).toMatchObject({ id: "1" });
    expect(await rejection(events.next())).toMatchObject({ code: "network" });
    server.on(EVENTS, problem(403, "insufficient_scope"));
    expect(await rejection(clientOf().client.events("job_1").next())).toMatchObject({
      code: "insufficient_scope",
    });
  });

  it("asks for a new token when the old one is refused", async () => {
    let count = 0;
    server.on(EVENTS, problem(401, "token_expired"), stream(DONE));
    await collect(clientOf({ token: () => `t-${++count}` }).client.events("job_1"));
    expect(server.sent.map(({ headers }) => headers.authorization)).toEqual(["Bearer t-1", "Bearer t-2"]);
  });

  it("closes the connection when nobody listens any more", async () => {
    let isClosed = false;
    server.on(EVENTS, () => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(poll("1"))),
        cancel: () => {
          isClosed = true;
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    for await (const _ of clientOf().client.events("job_1")) break;
    expect(isClosed).toBe(true);
  });

  it("ends with the signal's reason when it is aborted between two events", async () => {
    server.on(EVENTS, stream(poll("1") + poll("2"), "open"));
    const controller = new AbortController();
    const reason = new Error("enough");
    const events = clientOf().client.events("job_1", controller);
    await events.next();
    controller.abort(reason);
    expect(await rejection(events.next())).toBe(reason);
  });

  it("takes a connection that is silent for 40 s for lost, and one with a heartbeat for none", async () => {
    vi.useFakeTimers();
    try {
      let beat = () => {};
      server.on(EVENTS, () => {
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => {
            beat = () => controller.enqueue(new TextEncoder().encode(": beat\n\n"));
          },
        });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      });
      server.on(EVENTS, stream(DONE));
      const events = collect(clientOf().client.events("job_1"));
      for (let i = 0; i < 4; i++) {
        await vi.advanceTimersByTimeAsync(39_000);
        beat();
      }
      await vi.advanceTimersByTimeAsync(39_000);
      expect(server.sent).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(idsOf(await events)).toEqual(["9"]);
      expect(server.sent).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(["no", "null", "7", "[]"])("refuses data that is %s, and no JSON object", async (data) => {
    server.on(EVENTS, stream(`event: poll\ndata: ${data}\n\n`));
    expect(await rejection(clientOf().client.events("job_1").next())).toMatchObject({
      code: "unexpected_answer",
    });
  });
});

describe("where nothing streams", () => {
  it.each([
    ["has no such route", problem(404, "not_found")],
    ["does not allow it", status(405)],
    ["answers something else", json(aJob())],
  ])("looks at the job when the server %s", async (_, answer) => {
    server.on(EVENTS, answer).on(JOB, json(waiting)).on(HELD, json(polled), json(over));
    const events = await collect(clientOf().client.events("job_1"));
    expect(events.map(({ type }) => type)).toEqual(ALL);
    expect(new Set(idsOf(events)).size).toBe(ALL.length);
    expect(events[2]?.data).toEqual({ outcome: "succeeded", error: null });
    expect(events[4]?.data).toEqual({ status: "delivered", outcome: "succeeded" });
  });

  it("looks at the job when as many watch it as may, and again after a pause when those are full, too", async () => {
    const full = problem(503, "unavailable", { headers: { "retry-after": "15" } });
    const [first] = polled.timeline.slice(1).map(({ at }) => `${Date.parse(at)}-0`);
    server.on(EVENTS, stream(poll(first ?? "")), full);
    server.on(JOB, json(polled)).on(HELD, json(polled), json(polled), json(over));
    const { client, pauses } = clientOf();
    const events = await collect(client.events("job_1"));
    expect(events.map(({ type }) => type)).toEqual(ALL);
    expect(server.to(EVENTS)).toHaveLength(2);
    // Behind the stream that has ended, and between looks that are not held.
    expect(pauses).toHaveLength(3);
    for (const [index, mean] of [1000, 1000, 2000].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(mean * 0.75);
      expect(pauses[index]).toBeLessThanOrEqual(mean * 1.25);
    }
  });

  it("does not even ask for a stream where fetch cannot hand one over", async () => {
    server.on(JOB, json(over));
    const events = await collect(clientOf({ canStream: false }).client.events("job_1"));
    expect(events.map(({ type }) => type)).toEqual(ALL);
  });

  it("finds out by itself that it cannot, as in React Native", async () => {
    vi.stubGlobal("ReadableStream", undefined);
    const { client } = clientOf();
    vi.unstubAllGlobals();
    server.on(JOB, json(over));
    expect(await collect(client.events("job_1"))).toHaveLength(ALL.length);
  });

  it("begins behind the event that the caller names", async () => {
    server.always(JOB, json(over));
    const { client } = clientOf({ canStream: false });
    const all = await collect(client.events("job_1"));
    for (const [index, { id }] of all.entries())
      expect(await collect(client.events("job_1", { lastEventId: id }))).toEqual(all.slice(index + 1));
    expect(await collect(client.events("job_1", { lastEventId: "another's" }))).toEqual(all);
  });

  it("goes on by looking where a stream has ended, which names its events alike", async () => {
    server.always(JOB, json(over));
    const [first, second] = [SEEN_AT[1], SEEN_AT[2]].map((at) => `${Date.parse(at)}-0`);
    server.on(EVENTS, stream(poll(first ?? "") + poll(second ?? "")), status(405));
    const events = await collect(clientOf().client.events("job_1"));
    expect(events.map(({ type }) => type)).toEqual(ALL);
    expect(new Set(idsOf(events)).size).toBe(ALL.length);
  });

  it("tells nothing twice when the timeline forgets old entries", async () => {
    const [, ...later] = over.timeline.filter(({ type }) => type !== "registered");
    server.on(JOB, json(polled)).on(HELD, json({ ...over, timeline: later }));
    const events = await collect(clientOf({ canStream: false }).client.events("job_1"));
    expect(events.map(({ type }) => type)).toEqual(ALL);
  });

  it("rejects for a job that does not exist", async () => {
    server.on(EVENTS, problem(404, "not_found")).on(JOB, problem(404, "not_found"));
    expect(await rejection(clientOf().client.events("job_1").next())).toMatchObject({ code: "not_found" });
  });

  it("takes its time when the server does not hold it, and longer each time", async () => {
    server.on(JOB, json(waiting)).on(HELD, json(waiting), json(waiting), json(waiting), json(over));
    const { client, pauses } = clientOf({ canStream: false });
    await collect(client.events("job_1"));
    for (const [index, mean] of [1000, 2000, 4000].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(mean * 0.75);
      expect(pauses[index]).toBeLessThanOrEqual(mean * 1.25);
    }
    expect(pauses).toHaveLength(3);
  });
});

describe("wait", () => {
  const delivering = aJob({ status: "delivering", outcome: "failed", attempts: 1 });

  it("resolves as soon as the outcome is known", async () => {
    server.on(JOB, json(waiting)).on(HELD, json(polled), json(delivering));
    expect(await clientOf().client.wait("job_1")).toEqual(delivering);
  });

  it("waits for the end of the delivery, too, when told to", async () => {
    server.on(JOB, json(delivering)).on(HELD, json(over));
    expect(await clientOf().client.wait("job_1", { until: "over" })).toEqual(over);
  });

  describe("keeps its time", () => {
    const silence = () => new Promise<Response>(() => {});
    const stalled = () =>
      new Response(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array([123])) }));
    const held = `${JOB}?wait=2`;
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it.each([
      ["a server that takes the call and never answers", () => server.always(JOB, silence)],
      ["a body that stalls", () => server.always(JOB, stalled)],
      [
        "a Retry-After that is longer",
        () => server.always(JOB, problem(503, "unavailable", { headers: { "retry-after": "3" } })),
      ],
      ["a look that is held for longer", () => server.on(JOB, json(waiting)).on(held, silence)],
      [
        "a later Retry-After that is longer",
        () =>
          server
            .on(JOB, json(waiting))
            .always(held, problem(429, "rate_limited", { headers: { "retry-after": "3" } })),
      ],
    ])("with %s", async (_, script) => {
      script();
      const { client } = clientOf({ sleep });
      let end: unknown;
      void rejection(client.wait("job_1", { timeoutSeconds: 2 })).then((error) => {
        end = error;
      });
      await vi.advanceTimersByTimeAsync(1_999);
      expect(end).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      expect(end).toMatchObject({ code: "wait_over" });
      expect(vi.getTimerCount()).toBe(0);
    });

    it.each([0.3, 1, 2, 4.5])(
      "of %d s to the end, with a server that holds whole seconds",
      async (seconds) => {
        const look = (holdSeconds: number) => async () => {
          await sleep(holdSeconds * 1_000 + 12);
          return Response.json(waiting);
        };
        server.always(JOB, look(0));
        for (const hold of [1, 2, 5]) server.always(`${JOB}?wait=${hold}`, look(hold));
        let end: unknown;
        void rejection(clientOf({ sleep }).client.wait("job_1", { timeoutSeconds: seconds })).then(
          (error) => {
            end = error;
          },
        );
        await vi.advanceTimersByTimeAsync(seconds * 1_000 - 1);
        expect(end).toBeUndefined();
        await vi.advanceTimersByTimeAsync(1);
        expect(end).toMatchObject({ code: "wait_over", detail: expect.stringContaining("still waiting") });
        expect(vi.getTimerCount()).toBe(1);
      },
    );

    it("however long that is: more than a timer can count is no time at all to one", async () => {
      server.on(JOB, json(waiting)).on(HELD, async () => {
        await sleep(1_000);
        return Response.json(over);
      });
      const waited = clientOf().client.wait("job_1", { timeoutSeconds: 60 * 24 * 3600 });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await waited).toEqual(over);
    });
  });

  it("passes the reason of a signal on, also while its time runs", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    server.on(JOB, () => {
      controller.abort(reason);
      return new Promise<Response>(() => {});
    });
    const { signal } = controller;
    expect(await rejection(clientOf().client.wait("job_1", { timeoutSeconds: 60, signal }))).toBe(reason);
  });

  it("looks once without any time to wait", async () => {
    server.on(JOB, json(waiting), json(over));
    const { client } = clientOf();
    expect(await rejection(client.wait("job_1", { timeoutSeconds: 0 }))).toMatchObject({ code: "wait_over" });
    expect(await client.wait("job_1", { timeoutSeconds: 0 })).toEqual(over);
  });
});

describe("leaving", () => {
  const open = { headers: { "content-type": "text/event-stream" } };
  /** Neither answers nor heeds a signal. */
  const deaf = () => new Promise<Response>(() => {});

  it.each([
    ["before the answer", deaf],
    ["in the stream", () => new Response(new ReadableStream(), open)],
  ])("ends a next() that waits %s, at once", async (_, answer) => {
    server.on(EVENTS, answer);
    const events = clientOf().client.events("job_1");
    const waiting = [events.next(), events.next()];
    expect(await events.return()).toEqual({ done: true, value: undefined });
    for (const next of waiting) expect(await next).toEqual({ done: true, value: undefined });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it("ends a look, and a feed, too", async () => {
    server.on(JOB, deaf);
    const { client } = clientOf({ canStream: false });
    const events = client.events("job_1");
    const look = events.next();
    await events.return();
    expect(await look).toMatchObject({ done: true });
    server.on(at("/v1/events?wait=30"), deaf);
    const feed = client.followFeed();
    const page = feed.next();
    await feed.return();
    expect(await page).toMatchObject({ done: true });
  });

  it("closes the connection that a waiting next() has", async () => {
    let isClosed = false;
    const body = () =>
      new ReadableStream<Uint8Array>({
        cancel: () => {
          isClosed = true;
        },
      });
    server.on(EVENTS, () => new Response(body(), open));
    const events = clientOf().client.events("job_1");
    const waiting = events.next();
    await vi.waitFor(() => expect(server.sent).toHaveLength(1));
    await events.return();
    await waiting;
    expect(isClosed).toBe(true);
  });

  it("sends nothing where nothing had begun", async () => {
    const events = clientOf().client.events("job_1");
    await events.return();
    expect(await events.next()).toMatchObject({ done: true });
    expect(server.sent).toEqual([]);
  });

  it("leaves nothing with the caller's signal, however it ends", async () => {
    const { signal } = new AbortController();
    const [added, removed] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
    server.on(EVENTS, stream(DONE), stream(poll("1") + DONE), problem(403, "insufficient_scope"), deaf);
    await collect(clientOf().client.events("job_1", { signal }));
    for await (const _ of clientOf().client.events("job_1", { signal })) break;
    await rejection(clientOf().client.events("job_1", { signal }).next());
    const events = clientOf().client.events("job_1", { signal });
    const waiting = events.next();
    await events.return();
    await waiting;
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      expect.arrayContaining(added.mock.calls.map(([, listener]) => listener)),
    );
  });

  it("by a signal rejects a next() that waits, with its reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    server.on(EVENTS, deaf);
    const waiting = clientOf().client.events("job_1", controller).next();
    controller.abort(reason);
    expect(await rejection(waiting)).toBe(reason);
  });
});
