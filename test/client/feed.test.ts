import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Destinations, type FeedEvent, PollhookError, verifyWebhook } from "../../src/client/index.ts";
import { json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";
import { at, clientOf, problem, rejection } from "./client-of.ts";

const HELD = (after: string): string => at(`/v1/events?after=${after}&wait=30`);

let server: ScriptedFetch;
beforeEach(() => {
  server = new ScriptedFetch();
});
afterEach(() => {
  server.restore();
  expect(server.unexpected).toEqual([]);
});

const anEvent = (cursor: string, more: Partial<FeedEvent> = {}): FeedEvent => ({
  cursor,
  job_id: "job_1",
  id: `msg_${cursor}`,
  headers: { "webhook-id": `msg_${cursor}` },
  body: "{}",
  ...more,
});

const page = (next_cursor: string, ...cursors: readonly string[]) =>
  json({ events: cursors.map((cursor) => anEvent(cursor)), next_cursor });

/** The cursors of so many events; the generator is ended behind them. */
async function take(events: AsyncGenerator<FeedEvent>, count: number): Promise<string[]> {
  const cursors: string[] = [];
  while (cursors.length < count) {
    const { value } = await events.next();
    if (value) cursors.push(value.cursor);
  }
  await events.return(undefined);
  return cursors;
}

describe("feed", () => {
  it("asks for one page, with what is said and nothing else", async () => {
    server.on(at("/v1/events"), page("0"));
    server.on(at("/v1/events?after=c1%3D&wait=60&limit=100"), page("c2", "c2"));
    const { client } = clientOf();
    expect(await client.feed()).toEqual({ events: [], next_cursor: "0" });
    expect(await client.feed({ after: "c1=", wait: 60, limit: 100 })).toEqual({
      events: [anEvent("c2")],
      next_cursor: "c2",
    });
  });

  it("is tried again like every call that does no harm", async () => {
    server.on(at("/v1/events"), networkError, status(503), page("0"));
    expect(await clientOf().client.feed()).toMatchObject({ next_cursor: "0" });
  });
});

describe("followFeed", () => {
  it("goes on from page to page", async () => {
    server.on(at("/v1/events?wait=30"), page("2", "1", "2"));
    server.on(HELD("2"), page("3", "3"));
    expect(await take(clientOf().client.followFeed(), 3)).toEqual(["1", "2", "3"]);
  });

  it("begins behind the cursor that is given, in pages of the size that is given", async () => {
    server.on(at("/v1/events?after=7&wait=30&limit=1"), page("8", "8"));
    expect(await take(clientOf().client.followFeed({ after: "7", limit: 1 }), 1)).toEqual(["8"]);
  });

  it("takes what is undefined for what was not said", async () => {
    server.on(at("/v1/events?wait=30"), page("1", "1"));
    const options = { after: undefined, limit: undefined, onOutage: undefined, signal: undefined };
    expect(await take(clientOf().client.followFeed(options), 1)).toEqual(["1"]);
  });

  it("settles what `latest` means before it waits for anything", async () => {
    server.on(at("/v1/events?after=latest&wait=0"), page("9"));
    server.on(HELD("9"), page("10", "10"));
    expect(await take(clientOf().client.followFeed({ after: "latest" }), 1)).toEqual(["10"]);
  });

  it("goes on where the server has looked through events that are not ours", async () => {
    server.on(HELD("1"), page("5"));
    server.on(HELD("5"), page("6", "6"));
    const { client, pauses } = clientOf();
    expect(await take(client.followFeed({ after: "1" }), 1)).toEqual(["6"]);
    expect(pauses).toEqual([]);
  });

  it("stays away for a while, and then for longer, from a server that does not hold its answers", async () => {
    server.on(HELD("1"), page("1"), page("1"), page("1"), page("2", "2"));
    const { client, pauses } = clientOf();
    expect(await take(client.followFeed({ after: "1" }), 1)).toEqual(["2"]);
    expect(pauses).toHaveLength(3);
    expectWithin(pauses, [1_000, 2_000, 4_000]);
  });

  it("outlasts an outage, with pauses that grow, and tells of it", async () => {
    server.on(HELD("1"), ...Array(8).fill(networkError), ...Array(4).fill(status(502)), page("2", "2"));
    const told: [string, number][] = [];
    const onOutage = ({ code }: PollhookError, pauseMs: number) => void told.push([code, pauseMs]);
    const { client, pauses } = clientOf();
    expect(await take(client.followFeed({ after: "1", onOutage }), 1)).toEqual(["2"]);
    expect(told.map(([code]) => code)).toEqual(["network", "network", "unexpected_answer"]);
    const long = pauses.filter((_, index) => index % 4 === 3);
    expect(long).toEqual(told.map(([, pauseMs]) => pauseMs));
    expectWithin(long, [4_000, 8_000, 16_000]);
  });

  it("asks for less where a page takes longer than a call may", async () => {
    const never = () => new Promise<never>(() => {});
    const first = at("/v1/events?after=latest&wait=0");
    // Each call is tried four times.
    server.on(first, never, never, never, never);
    server.on(`${first}&limit=10`, never, never, never, never);
    server.on(`${first}&limit=5`, page("1", "1"));
    const { client } = clientOf({ timeoutMs: 1 });
    expect(await take(client.followFeed({ after: "latest" }), 1)).toEqual(["1"]);
  });

  it("never pauses for more than a minute, unless it is asked to", async () => {
    server.on(HELD("1"), ...Array(40).fill(networkError));
    server.on(HELD("1"), problem(429, "rate_limited", { headers: { "retry-after": "300" } }), page("2", "2"));
    const { client, pauses } = clientOf();
    await take(client.followFeed({ after: "1" }), 1);
    expect(Math.max(...pauses.slice(0, -1))).toBeLessThanOrEqual(60_000);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(300_000);
  });

  it.each([
    [401, "token_invalid"],
    [403, "insufficient_scope"],
    [422, "invalid_value"],
    [404, "not_found"],
  ])("ends with a %i, which does not pass by itself", async (code, name) => {
    server.on(HELD("1"), problem(code, name));
    const { client, pauses } = clientOf();
    expect(await rejection(client.followFeed({ after: "1" }).next())).toMatchObject({ code: name });
    expect(pauses).toEqual([]);
  });

  it("ends when it is told to, between two events and in a pause", async () => {
    const reason = new Error("enough");
    const between = new AbortController();
    server.on(HELD("1"), page("3", "2", "3"));
    const events = clientOf().client.followFeed({ after: "1", signal: between.signal });
    expect((await events.next()).value).toMatchObject({ cursor: "2" });
    between.abort(reason);
    expect(await rejection(events.next())).toBe(reason);
    const paused = new AbortController();
    server.on(HELD("4"), ...Array(4).fill(networkError));
    const onOutage = () => paused.abort(reason);
    const waiting = clientOf().client.followFeed({ after: "4", signal: paused.signal, onOutage });
    expect(await rejection(waiting.next())).toBe(reason);
  });
});

it("yields events that verifyWebhook takes as they are", async () => {
  const secret = new Uint8Array(32).fill(7);
  const body = '{"type":"job.expired","timestamp":"2026-11-20T12:00:00.000Z","data":{"error":null}}';
  const now = Math.floor(Date.now() / 1000);
  const signature = await signatureOf(secret, `msg_1.${now}.${body}`);
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(now),
    "webhook-signature": `v1,${signature}`,
  };
  server.on(HELD("0"), json({ events: [anEvent("1", { headers, body })], next_cursor: "1" }));
  const { value } = await clientOf().client.followFeed({ after: "0" }).next();
  if (!value) throw new Error("no event");
  const text = `whsec_${btoa(String.fromCharCode(...secret))}`;
  expect(await verifyWebhook(value, text)).toMatchObject({ id: "msg_1", type: "job.expired" });
  const other = { ...value, body: body.replace("expired", "failed") };
  expect(await rejection(verifyWebhook(other, text))).toBeInstanceOf(PollhookError);
});

describe("rotateSecret", () => {
  const ROTATE = at("/v1/destinations/app/rotate-secret");
  const rotated = { secret: "whsec_x", previous_until: null };

  it("says what it is told, and nothing else", async () => {
    server.always(ROTATE, json(rotated));
    const destinations = new Destinations(clientOf().client);
    expect(await destinations.rotateSecret("app")).toEqual(rotated);
    await destinations.rotateSecret("app", { overlapSeconds: 0 });
    await destinations.rotateSecret("app", { overlapSeconds: 60, secret: "whsec_x" });
    expect(server.sent.map(({ body }) => body)).toEqual([
      "{}",
      '{"overlap_seconds":0}',
      '{"overlap_seconds":60,"secret":"whsec_x"}',
    ]);
  });

  it("is repeated only where the secret is the caller's: another is shown once", async () => {
    server.on(ROTATE, status(503), status(503), json(rotated));
    const destinations = new Destinations(clientOf().client);
    expect(await rejection(destinations.rotateSecret("app"))).toMatchObject({ tries: 1 });
    expect(await destinations.rotateSecret("app", { secret: "whsec_x" })).toEqual(rotated);
  });
});

async function signatureOf(secret: Uint8Array<ArrayBuffer>, content: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(content));
  return btoa(String.fromCharCode(...new Uint8Array(mac)));
}

/** Each at least half of the most that it may be. */
function expectWithin(pauses: readonly number[], most: readonly number[]): void {
  for (const [index, limit] of most.entries()) {
    expect(pauses[index]).toBeGreaterThanOrEqual(limit / 2);
    expect(pauses[index]).toBeLessThanOrEqual(limit);
  }
}
