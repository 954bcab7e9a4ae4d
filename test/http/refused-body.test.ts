import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_BODY_BYTES } from "../../src/http/body.ts";
import { type Answer, call, fetchWorker, registration, token } from "../support/api.ts";
import { answerOf, expectProblem, objectCount, requestApp } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
let objects: number;
beforeEach(async () => {
  fetched = new ScriptedFetch();
  objects = await objectCount();
});
afterEach(() => {
  fetched.restore();
});

const encoder = new TextEncoder();

async function expectNoTrace(): Promise<void> {
  expect(await objectCount()).toBe(objects);
  expect(fetched.sent).toEqual([]);
}

const JSON_TYPE = { "content-type": "application/json" };

/** Registers with exactly these headers and this body; a stream has no content-length. */
const post = async (body: BodyInit | null, headers: Record<string, string> = JSON_TYPE): Promise<Answer> =>
  answerOf(await fetchWorker("/v1/jobs", await request(body, headers)));

/** The same without a connection in between, for a body that is not read to its end. */
const postDirectly = async (body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> =>
  answerOf(await requestApp("/v1/jobs", await request(body, { ...JSON_TYPE, ...headers })));

const request = async (body: BodyInit | null, headers: Record<string, string>) => ({
  method: "POST",
  headers: { authorization: `Bearer ${await token()}`, ...headers },
  body,
});

/** An acceptable registration, with white space up to this size. */
const sized = (bytes: number): Uint8Array => encoder.encode(JSON.stringify(registration()).padEnd(bytes));

/** The same bytes in pieces of 1000, without a length. */
const chunked = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (let i = 0; i < bytes.length; i += 1000) controller.enqueue(bytes.slice(i, i + 1000));
      controller.close();
    },
  });

describe("a body that cannot be read", () => {
  it.each([
    ["nothing but white space", " \n"],
    ["half a text", '{"request_id":"1"'],
    ["text behind the object", '{"request_id":"1"} x'],
    ["two objects", "{}{}"],
    ["single quotes", "{'request_id':'1'}"],
    ["a trailing comma", '{"request_id":"1",}'],
    ["a comment", '{"request_id":"1"/* */}'],
    ["NaN", '{"request_id":"1","eta":NaN}'],
    ["a raw line break in a string", '{"request_id":"1\n"}'],
    ["a form", "request_id=1&callback_url=https://example.com/"],
    ["brackets without end", "[".repeat(60_000)],
  ])("is refused with 400: %s", async (_, body) => {
    const answer = await post(body);
    expectProblem(answer, { status: 400, code: "malformed_body" });
    expect(answer.body.detail).toContain("JSON");
    await expectNoTrace();
  });

  it.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong encoding", [0xc0, 0xaf]],
    ["an encoded surrogate", [0xed, 0xa0, 0x80]],
    ["a character cut short", [0xe2, 0x82]],
    ["a code point past the last", [0xf4, 0x90, 0x80, 0x80]],
  ])("is refused with 400: %s", async (_, bytes) => {
    const body = Uint8Array.from([
      ...encoder.encode('{"request_id":"1","metadata":{"a":"'),
      ...bytes,
      ...encoder.encode('"}}'),
    ]);
    const answer = await post(body);
    expectProblem(answer, { status: 400, code: "malformed_body" });
    expect(answer.body.detail).toContain("UTF-8");
    await expectNoTrace();
  });

  it("is refused with 400 in UTF-16", async () => {
    const text = JSON.stringify(registration());
    const answer = await post(new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer));
    expectProblem(answer, { status: 400, code: "malformed_body" });
    await expectNoTrace();
  });

  it.each([
    ["no body", null],
    ["an empty one", ""],
    ["an empty stream", "stream"],
  ])("is refused with 400: %s", async (_, body) => {
    const answer = await post(body === "stream" ? chunked(new Uint8Array(0)) : body);
    expectProblem(answer, { status: 400, code: "malformed_body" });
    await expectNoTrace();
  });
});

describe("JSON that is no object", () => {
  it.each([
    "[]",
    '[{"request_id":"1"}]',
    "null",
    '"text"',
    "7",
    "true",
    `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
  ])("is refused with 422: %s", async (body) => {
    const answer = await post(body);
    expectProblem(answer, { status: 422, code: "invalid_value" });
    expect(answer.body.detail).toBe("The body must be a JSON object.");
    await expectNoTrace();
  });
});

describe("a body's size", () => {
  it("may be 65536 bytes", async () => {
    expect(MAX_BODY_BYTES).toBe(65_536);
    expect((await post(sized(65_536))).status).toBe(202);
  });

  it("may be 65536 bytes that come in pieces, without content-length", async () => {
    expect((await post(chunked(sized(65_536)))).status).toBe(202);
  });

  it.each([
    ["with content-length", () => sized(65_537)],
    ["in pieces, without content-length", () => chunked(sized(65_537))],
  ])("may not be more: %s", async (_, body) => {
    expectProblem(await post(body()), { status: 413, code: "body_too_large" });
    await expectNoTrace();
  });

  it("is judged before the type and the text of the body", async () => {
    const answer = await post(new Uint8Array(65_537).fill(0x80), { "content-type": "image/png" });
    expectProblem(answer, { status: 413, code: "body_too_large" });
  });

  it("is not begun when its content-length says that it is too large", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(16_384).fill(0x20));
        },
      },
      { highWaterMark: 0 },
    );
    expectProblem(await postDirectly(body, { "content-length": "10000000" }), {
      status: 413,
      code: "body_too_large",
    });
    expect(pulled).toBe(0);
  });

  it("ends the reading of a body without end", async () => {
    let pulled = 0;
    let canceled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(16_384).fill(0x20));
      },
      cancel() {
        canceled = true;
      },
    });
    expectProblem(await postDirectly(endless), { status: 413, code: "body_too_large" });
    expect(canceled).toBe(true);
    expect(pulled).toBeLessThan(20);
  });
});

describe("a body's type", () => {
  it.each([
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON;charset=UTF-8",
    "Application/Json ; x=y",
  ])("is accepted: %s", async (type) => {
    expect((await post(JSON.stringify(registration()), { "content-type": type })).status).toBe(202);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "text/json",
    "application/json, text/plain",
    "application/merge-patch+json",
  ])("is refused with 415: %s", async (type) => {
    const answer = await post(JSON.stringify(registration()), { "content-type": type });
    expectProblem(answer, { status: 415, code: "unsupported_media_type" });
    await expectNoTrace();
  });

  it("is refused with 415 when there is none", async () => {
    const answer = await post(encoder.encode(JSON.stringify(registration())), {});
    expectProblem(answer, { status: 415, code: "unsupported_media_type" });
    await expectNoTrace();
  });

  it.each(["cancel", "redeliver"])("matters to %s too", async (step) => {
    const path = `/v1/jobs/job_${"a".repeat(32)}/${step}`;
    const answer = await call("POST", path, { body: "{}", headers: { "content-type": "text/plain" } });
    expectProblem(answer, { status: 415, code: "unsupported_media_type" });
  });
});
