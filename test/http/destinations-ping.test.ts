import { reset } from "cloudflare:test";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { call } from "../support/api.ts";
import { get, post, put, tenantOf } from "../support/destinations.ts";
import { callWith, expectProblem } from "../support/http.ts";
import { HOOK } from "../support/life.ts";
import { networkError, type Script, ScriptedFetch, type Sent, status } from "../support/scripted-fetch.ts";

/** Stands in a receiver's answer, a header's value or the URL: no answer of ours and no log may show it. */
const PLANTED = "Planted-2b7c";
const SECRET = `whsec_${btoa("PlantedSecretPlantedSecret")}`;

let fetched: ScriptedFetch;
let logs: MockInstance[];
beforeEach(() => {
  fetched = new ScriptedFetch();
  logs = [vi.spyOn(console, "log"), vi.spyOn(console, "error"), vi.spyOn(console, "warn")].map((spy) =>
    spy.mockImplementation(() => {}),
  );
});
afterEach(async () => {
  for (const spy of logs) {
    expect(JSON.stringify(spy.mock.calls)).not.toMatch(/Planted|whsec_|example\.com/);
    spy.mockRestore();
  }
  fetched.restore();
  vi.useRealTimers();
  await reset();
});

const ping = async (name = "a"): Promise<Sent> => {
  const answer = await post(name, "test");
  expect(answer.body).toMatchObject({ delivered: true, http_status: 204, reason: null });
  const sent = fetched.sent.at(-1);
  if (!sent) throw new Error("nothing was sent");
  return sent;
};
const verifies = ({ body, headers }: Sent, secret: string): boolean => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};

describe("POST /v1/destinations/{name}/test", () => {
  it("sends a ping as an event is sent, with the destination's headers", async () => {
    const headers = { Authorization: `Bearer ${PLANTED}`, "user-agent": "mine/1" };
    const { body } = await put("a", { headers, format: "provider" });
    fetched.always(HOOK, status(204));
    const sent = await ping();
    expect(sent.method).toBe("POST");
    expect(sent.headers).toMatchObject({
      authorization: `Bearer ${PLANTED}`,
      "user-agent": "mine/1",
      "content-type": "application/json",
      "pollhook-attempt": "1",
    });
    expect(sent.headers["webhook-id"]).toMatch(/^msg_[a-z2-7]{32}$/);
    const event = JSON.parse(sent.body);
    expect(event).toEqual({ type: "ping", timestamp: event.timestamp, data: { destination: "a" } });
    expect(new Date(event.timestamp).toISOString()).toBe(event.timestamp);
    expect(verifies(sent, body.secret)).toBe(true);
    expect((await ping()).headers["webhook-id"]).not.toBe(sent.headers["webhook-id"]);
  });

  it("works while the destination is paused, and changes nothing about it", async () => {
    await put("a");
    const paused = (await post("a", "pause", {})).body;
    fetched.always(HOOK, status(204));
    await ping();
    expect((await get("a")).body).toEqual(paused);
  });

  it.each<[string, Script, object]>([
    ["204", status(204), { delivered: true, http_status: 204, reason: null }],
    ["200 with a body", () => new Response(PLANTED), { delivered: true, http_status: 200, reason: null }],
    [
      "500 with a body",
      () => new Response(PLANTED, { status: 500, headers: { "x-planted": PLANTED } }),
      { delivered: false, http_status: 500, reason: "http_error" },
    ],
    ["401", status(401), { delivered: false, http_status: 401, reason: "http_error" }],
    [
      "a redirect, which is not followed",
      status(302, { location: `https://other.example/${PLANTED}` }),
      { delivered: false, http_status: 302, reason: "redirect" },
    ],
    ["410", status(410), { delivered: false, http_status: 410, reason: "gone" }],
    ["a broken connection", networkError, { delivered: false, http_status: null, reason: "network" }],
  ])("says what came of %s, and shows nothing of the answer", async (_, script, expected) => {
    await put("a");
    fetched.on(HOOK, script);
    const answer = await post("a", "test");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(Object.keys(answer.body)).toEqual(["delivered", "http_status", "duration_ms", "reason"]);
    expect(answer.body).toMatchObject(expected);
    expect(answer.body.duration_ms).toBeGreaterThanOrEqual(0);
    expect(answer.text + JSON.stringify([...answer.headers])).not.toContain(PLANTED);
    expect(fetched.sent).toHaveLength(1);
  });

  it("does not call what may not be called any more", async () => {
    await put("a");
    const answer = await callWith({ PUBLIC_URL: "https://example.com" }, "POST", "/v1/destinations/a/test");
    const refused = { delivered: false, http_status: null, duration_ms: null, reason: "target_refused" };
    expect([answer.status, answer.body]).toEqual([200, refused]);
    expect(fetched.sent).toEqual([]);
  });

  it("calls nobody for a destination that is not there", async () => {
    expectProblem(await post("a", "test"), { status: 404, code: "not_found" });
    expect(fetched.sent).toEqual([]);
  });
});

describe("a secret that is rotated", () => {
  it("signs alone before, together with the new one until its overlap is over, and then no more", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const first = (await put("a", { secret: SECRET })).body.secret;
    fetched.always(HOOK, status(204));
    expect(verifies(await ping(), first)).toBe(true);

    const second = (await post("a", "rotate-secret", { overlap_seconds: 60 })).body.secret;
    const both = await ping();
    expect([first, second].map((secret) => verifies(both, secret))).toEqual([true, true]);
    const signatures = await Promise.all(
      [second, first].map((secret) =>
        new Webhook(secret).sign(
          both.headers["webhook-id"] ?? "",
          new Date(Number(both.headers["webhook-timestamp"]) * 1000),
          both.body,
        ),
      ),
    );
    expect(both.headers["webhook-signature"]).toBe(signatures.join(" "));

    vi.setSystemTime(Date.now() + 59_999);
    const last = await ping();
    expect([first, second].map((secret) => verifies(last, secret))).toEqual([true, true]);
    vi.setSystemTime(Date.now() + 1);
    const after = await ping();
    expect([first, second].map((secret) => verifies(after, secret))).toEqual([false, true]);
  });

  it("signs no more once a PUT has brought another", async () => {
    const first = (await put("a")).body.secret;
    await put("a", { secret: SECRET });
    fetched.always(HOOK, status(204));
    const sent = await ping();
    expect([first, SECRET].map((secret) => verifies(sent, secret))).toEqual([false, true]);
  });
});

describe("a secret and the values of headers", () => {
  it("stand in no answer but the one that shows the secret, and in no log", async () => {
    const headers = { "x-key": PLANTED };
    const made = await put("a", { url: HOOK, headers, secret: SECRET });
    expect(made.body.secret).toBe(SECRET);
    expect(made.text.replace(SECRET, "")).not.toMatch(/Planted|whsec_/);
    fetched.always(HOOK, status(204));
    const rotated = await post("a", "rotate-secret");
    expect(rotated.text.replace(rotated.body.secret, "")).not.toMatch(/Planted|whsec_/);
    const answers = [
      await get("a"),
      await call("GET", "/v1/destinations"),
      await put("a"),
      await put("a", { headers }),
      await post("a", "pause"),
      await post("a", "resume"),
      await post("a", "test"),
      await call("DELETE", "/v1/destinations/a"),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200, 200, 200, 204]);
    for (const answer of answers)
      expect(answer.text + JSON.stringify([...answer.headers])).not.toMatch(/Planted|whsec_/);
  });

  it.each<[string, Record<string, unknown>]>([
    ["headers.x-key", { headers: { "x-key": `${PLANTED}\n` } }],
    ["headers.host", { headers: { host: PLANTED } }],
    ["headers", { headers: PLANTED }],
    ["headers.x-key", { headers: { "x-key": [PLANTED] } }],
    ["secret", { secret: PLANTED }],
    ["secret", { secret: `whsec_${PLANTED}` }],
    ["url", { url: `http://example.com/${PLANTED}` }],
    ["url", { url: `https://user:${PLANTED}@example.com/` }],
    ["format", { format: PLANTED }],
    ["retry_schedule", { retry_schedule: PLANTED }],
    ["max_in_flight", { max_in_flight: PLANTED }],
    ["max_per_second", { max_per_second: PLANTED }],
    ["unknown", { unknown: PLANTED }],
  ])("are not repeated by the refusal of %s: %j", async (field, body) => {
    const answer = await put("a", { headers: { "x-key": PLANTED }, secret: SECRET, ...body });
    expect([answer.status, answer.body.field]).toEqual([422, field]);
    expect(answer.text).not.toContain("Planted");
    expect(await tenantOf().findDestination("a")).toBeNull();
  });
});
