import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AttemptResult, deliver } from "../../src/webhook/deliver.ts";
import { filled, texts, type WatchedBody } from "../support/bodies.ts";
import { type Script, ScriptedFetch } from "../support/scripted-fetch.ts";

const HOOK = "https://example.com/hook";
const KEYS = [new Uint8Array(32)];

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  fetched.restore();
});

function attempt(script: Script): Promise<AttemptResult> {
  fetched.on(HOOK, script);
  const event = { eventId: "msg_1", number: 1, parts: ["{}"], answer: null };
  return deliver({ url: HOOK, headers: {}, keys: KEYS, ...event });
}

const refusing =
  (body: BodyInit | null, status = 500): Script =>
  () =>
    new Response(body, { status });

const watching =
  (watched: WatchedBody): Script =>
  () =>
    new Response(watched.stream, { status: 500 });

describe("of a refusal's body the timeline keeps", () => {
  it.each([0, 1, 255, 256])("all of %i bytes", async (length) => {
    expect((await attempt(refusing("a".repeat(length)))).response).toBe("a".repeat(length));
  });

  it.each([257, 5_000])("the first 256 of %i bytes", async (length) => {
    const { response } = await attempt(refusing("a".repeat(256) + "b".repeat(length - 256)));
    expect(response).toBe("a".repeat(256));
  });

  it("nothing where there is none", async () => {
    expect((await attempt(refusing(null))).response).toBe("");
  });

  it("whole characters, and a mark where one was cut", async () => {
    expect((await attempt(refusing("ü".repeat(128)))).response).toBe("ü".repeat(128));
    expect((await attempt(refusing(`a${"ü".repeat(128)}`))).response).toBe(`a${"ü".repeat(127)}\ufffd`);
    expect((await attempt(refusing(`${"a".repeat(253)}🎈`))).response).toBe(`${"a".repeat(253)}\ufffd`);
    expect((await attempt(refusing(`${"a".repeat(252)}🎈`))).response).toBe(`${"a".repeat(252)}🎈`);
  });

  it("text, also of bytes that are none", async () => {
    const { response } = await attempt(refusing(new Uint8Array([0xff, 0x61, 0xc3])));
    expect(response).toBe("\ufffda\ufffd");
  });

  it.each([302, 400, 404, 410, 429, 500, 503])("something for %i", async (status) => {
    expect((await attempt(refusing("why", status))).response).toBe("why");
  });

  it.each([200, 201, 299])("nothing for %i", async (status) => {
    expect((await attempt(refusing("thanks", status))).response).toBeNull();
  });

  it("what came before it broke", async () => {
    const { response, verdict } = await attempt(watching(texts(["half "], "error")));
    expect(response).toBe("half ");
    expect(verdict).toMatchObject({ kind: "failed", cause: "http_error" });
  });

  it("no more of 100 MB, which are cancelled", async () => {
    const watched = filled(100 * 1024 * 1024);
    expect((await attempt(watching(watched))).response).toBe("a".repeat(256));
    expect(watched.handedOut()).toBeLessThanOrEqual(2 * 65_536);
    expect(watched.cancelled()).toBe(true);
  });
});
