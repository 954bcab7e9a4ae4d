/**
 * The check that holds every answer against the document: each way in which an answer can differ fails it.
 */
import { describe, expect, it } from "vitest";
import { DELIVERED_JOB, EVENT_STREAM, WAITING_JOB } from "../../src/openapi/examples.ts";
import { ORIGIN } from "../support/api.ts";
import { described } from "../support/described.ts";

const ID = WAITING_JOB.id;
const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-store" };

const judge = (
  [method, path, sent]: readonly [string, string, string?],
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  described(
    { method, url: ORIGIN + path, body: sent },
    new Response(body === null ? null : typeof body === "string" ? body : JSON.stringify(body), {
      status,
      headers: { ...(body !== null && JSON_HEADERS), ...headers },
    }),
  );

const READ = ["GET", `/v1/jobs/${ID}`] as const;
const PROBLEM = {
  type: "urn:pollhook:problem:not_found",
  title: "There is no such thing",
  status: 404,
  detail: "There is no such job.",
  code: "not_found",
};
const AS_PROBLEM = { "content-type": "application/problem+json" };

describe("an answer as it is described", () => {
  it("passes, and can be read", async () => {
    expect(await (await judge(READ, 200, DELIVERED_JOB)).json()).toEqual(DELIVERED_JOB);
    await judge(READ, 404, PROBLEM, AS_PROBLEM);
    await judge(["DELETE", `/v1/jobs/${ID}`], 204, null);
    await judge(["HEAD", `/v1/jobs/${ID}`], 200, "");
    await judge(["PATCH", `/v1/jobs/${ID}`], 405, { ...PROBLEM, status: 405 }, AS_PROBLEM);
    await judge(["GET", "/nowhere"], 404, PROBLEM, AS_PROBLEM);
  });
});

describe("an answer fails the test", () => {
  const location = { location: `/v1/jobs/${ID}` };
  it.each<[string, readonly [string, string, string?], number, unknown, Record<string, string>, RegExp]>([
    ["with another status", READ, 202, WAITING_JOB, {}, /no such status/],
    ["at a path that is not described", ["GET", "/v1/nothing"], 200, {}, {}, /no such operation/],
    [
      "with another content type",
      READ,
      200,
      WAITING_JOB,
      { "content-type": "text/plain" },
      /no such content type/,
    ],
    ["with content where there is none", ["DELETE", READ[1]], 204, null, JSON_HEADERS, /none is expected/],
    ["with another header", READ, 200, WAITING_JOB, { etag: "x" }, /no such header: etag/],
    ["without a header", ["POST", "/v1/jobs"], 202, WAITING_JOB, location, /no header retry-after/],
    ["that may be cached", READ, 200, WAITING_JOB, { "cache-control": "max-age=1" }, /cached/],
    ["with another member", READ, 200, { ...WAITING_JOB, owner: "user-7" }, {}, /owner/],
    ["without a member", READ, 200, { ...WAITING_JOB, polls: undefined }, {}, /polls/],
    ["with another word", READ, 200, { ...WAITING_JOB, status: "lost" }, {}, /status/],
    ["with another member deep inside", READ, 200, { ...WAITING_JOB, timeline: [{ at: 1 }] }, {}, /timeline/],
    ["that is no JSON", READ, 200, "{", {}, /no JSON/],
    ["with another code", READ, 404, { ...PROBLEM, code: "gone" }, AS_PROBLEM, /code/],
    ["with another member of a problem", READ, 404, { ...PROBLEM, stack: "" }, AS_PROBLEM, /stack/],
    [
      "to a query that is not described",
      ["GET", "/v1/jobs?color=1"],
      200,
      { jobs: [], next_cursor: null },
      {},
      /color/,
    ],
    [
      "to a body that is not described",
      ["POST", "/v1/jobs", '{"colour":1}'],
      200,
      WAITING_JOB,
      location,
      /colour/,
    ],
  ])("%s", async (_, sent, status, body, headers, message) => {
    await expect(judge(sent, status, body, headers)).rejects.toThrow(message);
  });
});

describe("a stream of events", () => {
  const stream = async (text: string) => {
    const headers = { "content-type": "text/event-stream" };
    return (await judge(["GET", `/v1/jobs/${ID}/events`], 200, text, headers)).text();
  };

  it("passes as it is described", async () => {
    expect(await stream(`:\n\n${EVENT_STREAM}`)).toBe(`:\n\n${EVENT_STREAM}`);
  });

  it.each([
    ["another event", EVENT_STREAM.replace("event: done", "event: over"), /no such event: over/],
    ["another member", EVENT_STREAM.replace('{"status"', '{"x":1,"status"'), /x/],
    ["no id", EVENT_STREAM.replace(/^id: .*\n/, ""), /without an id/],
    ["another line", `retry: 1\n${EVENT_STREAM}`, /no such line/],
  ])("breaks off at %s", async (_, text, message) => {
    await expect(stream(text)).rejects.toThrow(message);
  });
});
