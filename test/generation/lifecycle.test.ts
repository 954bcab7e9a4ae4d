import { describe, expect, it } from "vitest";
import {
  answered,
  begin,
  CALL_TIMEOUT_MS,
  type Intent,
  isStale,
  judge,
  mayBeRepeated,
  triedInVain,
  wakeAt,
  wishFor,
} from "../../src/generation/lifecycle.ts";
import type { Exchange } from "../../src/provider/client.ts";
import { bytesOf, DAY, HOUR, REGISTERED_AT, registrationOf, SECOND } from "../support/jobs.ts";

const NOW = REGISTERED_AT;
const ORIGINS = ["https://modelslab.com"];

const INTENT: Intent = {
  name: "gen_a",
  tenant: "acme",
  digest: "d",
  repeatable: true,
  path: "v6/images/text2img",
  body: new Uint8Array(0),
  providerKey: "sk-1",
  ownKey: true,
  watch: {
    callbackUrl: "https://example.com/hook",
    format: "provider",
    metadata: "{}",
    host: "pollhook.example",
  },
};

const answer = (
  json: Record<string, unknown>,
  status = 200,
  headers: Record<string, string> = {},
): Exchange => ({
  kind: "answer",
  status,
  headers: new Headers(headers),
  end: "complete",
  answer: { json, bytes: bytesOf(json) },
  durationMs: 5,
});
const broken = (overrides: Partial<Extract<Exchange, { kind: "answer" }>>): Exchange => ({
  ...(answer({ status: "success", output: ["u"] }) as Extract<Exchange, { kind: "answer" }>),
  answer: null,
  ...overrides,
});
const wishOf = (json: Record<string, unknown>, intent: Partial<Intent> = {}, status = 200) => {
  const seen = answer(json, status);
  return wishFor({ ...INTENT, ...intent }, seen, judge(seen, NOW).verdict, ORIGINS);
};

describe("what came of a call", () => {
  it.each<[string, Exchange, string]>([
    ["no answer in time", { kind: "none", reason: "timeout", durationMs: CALL_TIMEOUT_MS }, "timeout"],
    ["no connection", { kind: "none", reason: "network", durationMs: 5 }, "network"],
    ["a redirect, whatever its body", answer({ status: "success", output: ["u"] }, 307), "redirect"],
    ["a body that never ends", broken({ end: "timeout" }), "timeout"],
    ["a body that breaks off", broken({ end: "network" }), "network"],
    ["a body that is too large", broken({ end: "too_large" }), "too_large"],
    ["a body that is no JSON object", broken({}), "not_json"],
  ])("is a fault: %s", (_, seen, fault) => {
    expect(judge(seen, NOW)).toEqual({
      outcome: { kind: "fault", fault, headers: {} },
      body: null,
      verdict: null,
    });
  });

  it("is the answer, with the headers that mean something to its caller", () => {
    const headers = { "retry-after": "3", "x-ratelimit-reset": "9", "set-cookie": "a=b", server: "x" };
    const json = { status: "error", message: "no" };
    const judged = judge(answer(json, 400, headers), NOW);
    expect(judged.outcome).toEqual({
      kind: "answer",
      status: 400,
      headers: { "retry-after": "3", "x-ratelimit-reset": "9" },
    });
    expect(judged.body).toEqual(bytesOf(json));
  });

  it("lets the call be repeated after a rate limit only", () => {
    const repeatable = (seen: Exchange) => mayBeRepeated(judge(seen, NOW));
    expect(repeatable(answer({ status: "error", message: "Rate limit exceeded" }))).toBe(true);
    expect(repeatable(answer({}, 429))).toBe(true);
    expect(repeatable(broken({ status: 429 }))).toBe(true);
    expect(repeatable(answer({ status: "error", message: "no" }, 503))).toBe(false);
    expect(repeatable({ kind: "none", reason: "timeout", durationMs: 1 })).toBe(false);
    expect(repeatable(answer({ status: "success", output: ["u"] }))).toBe(false);
  });
});

describe("the job to register", () => {
  const fetchResult = "https://modelslab.com/api/v6/images/fetch/7";

  it.each<[string, Record<string, unknown>, string, string]>([
    ["its fetch_result", { id: 7, fetch_result: fetchResult }, "v6/images", "7"],
    [
      "the fetch_result of another version",
      { id: 7, fetch_result: fetchResult.replace("v6/images", "v3") },
      "v3",
      "7",
    ],
    ["its id, without a fetch_result", { id: "7" }, "v6/images", "7"],
    [
      "its id, beside a fetch_result elsewhere",
      { id: 7, fetch_result: "https://evil.example/api/v3/fetch/9" },
      "v6/images",
      "7",
    ],
    ["the id in its fetch_result alone", { fetch_result: fetchResult }, "v6/images", "7"],
    ["its request_id", { request_id: 7 }, "v6/images", "7"],
  ])("is named by %s", (_, json, endpoint, requestId) => {
    expect(wishOf({ status: "processing", ...json })).toMatchObject({
      endpoint,
      requestId,
      finalAnswer: null,
    });
  });

  it.each([
    ["v3/text2img", "v3"],
    ["v4/dreambooth", "v4/dreambooth"],
    ["v4/dreambooth/img2img", "v4/dreambooth"],
    ["v5/controlnet", "v3"],
    ["v1/enterprise/text2img", "v1/enterprise"],
    ["v1/enterprise/flux/text2img", "v1/enterprise/flux"],
    ["v7/video-fusion/text-to-video", "v7/video-fusion"],
  ])("of a call on %s is fetched at %s, where the answer does not say", (path, endpoint) => {
    expect(wishOf({ status: "processing", id: 7 }, { path })).toMatchObject({ endpoint });
  });

  it("has the answer with it when that is a success, under our own name where it has no id", () => {
    const json = { status: "success", output: ["u"] };
    expect(wishOf(json)).toMatchObject({ requestId: "gen_a", finalAnswer: bytesOf(json) });
    expect(wishOf({ ...json, id: 7 })).toMatchObject({ requestId: "7" });
  });

  it("takes the eta and the tenant, and the key only if the call brought it", () => {
    expect(wishOf({ status: "processing", id: 7, eta: "4.5" })).toMatchObject({
      etaSeconds: 4.5,
      tenant: "acme",
      key: "sk-1",
    });
    expect(wishOf({ status: "processing", id: 7 }, { ownKey: false })).toMatchObject({ key: null });
  });

  it("is none without a webhook, or where nothing is queued", () => {
    expect(wishOf({ status: "processing", id: 7 }, { watch: null })).toBeNull();
    expect(wishOf({ status: "error", message: "no", id: 7 })).toBeNull();
    expect(wishOf({ status: "processing", id: 7 }, {}, 503)).toBeNull();
    expect(wishOf({ id: 7 })).toBeNull();
  });

  it("is none where the answer names no request", () => {
    expect(wishOf({ status: "processing" })).toBeNull();
    expect(wishOf({ status: "processing", id: "a/b" })).toBeNull();
    expect(wishOf({ status: "success", output: [] })).toBeNull();
  });
});

describe("the record of a call", () => {
  const ANSWER = { kind: "answer", status: 200, headers: {} } as const;
  const begun = begin(INTENT, NOW);

  it("wakes up when the call must be over, and is kept for a day", () => {
    expect(wakeAt(begun, NOW)).toBe(NOW + 120 * SECOND);
    expect(wakeAt(begun, NOW + 120 * SECOND)).toBe(NOW + DAY);
    expect(wakeAt(answered(begun, ANSWER, null, NOW), NOW)).toBe(NOW + DAY);
  });

  it("wakes up should the first try to register die, and for the next after 2 s, doubling to a minute", () => {
    let record = answered(begun, ANSWER, registrationOf(), NOW);
    expect(wakeAt(record, NOW)).toBe(NOW + 10 * SECOND);
    const waits = Array.from({ length: 7 }, () => {
      record = triedInVain(record, NOW);
      return (wakeAt(record, NOW) - NOW) / SECOND;
    });
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });

  it.each([
    ["under an Idempotency-Key, for a day", true, null, 23 * HOUR, false],
    ["under an Idempotency-Key, no longer", true, null, DAY, true],
    ["without one, not at all", false, null, 0, true],
    ["without one, while a hint may lead to its job", false, registrationOf(), 23 * HOUR, false],
    ["without one, and the job a day old, no longer", false, registrationOf(), DAY, true],
  ] as const)("is kept %s", (_, repeatable, registration, age, stale) => {
    const record = { ...answered({ ...begun, repeatable }, ANSWER, registration, NOW), pending: null };
    expect(isStale(record, NOW + age)).toBe(stale);
  });

  it("is kept for as long as its job is not registered", () => {
    expect(isStale(answered(begun, ANSWER, registrationOf(), NOW), NOW + 30 * DAY)).toBe(false);
  });

  it.each([
    [true, 3 * HOUR, false],
    [false, 119 * SECOND, false],
    [false, 120 * SECOND, true],
  ])("of a call that was lost is kept only under an Idempotency-Key: %s, %i ms", (repeatable, age, stale) => {
    expect(isStale({ ...begun, repeatable }, NOW + age)).toBe(stale);
  });
});
