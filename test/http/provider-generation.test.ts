import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readHint } from "../../src/crypto/hint.ts";
import { call, config, fire, ORIGIN, PROVIDER, readJob, stored, token, uniqueId } from "../support/api.ts";
import { callWith, idOf } from "../support/http.ts";
import { HOOK, leave, reached, success } from "../support/life.ts";
import { expectRefusal, OWN_KEY, post } from "../support/provider-api.ts";
import { json, networkError, ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const PATH = "/api/v6/images/text2img";
const CALLED = PROVIDER + PATH;

const queued = (id: string, more: Record<string, unknown> = {}) =>
  json({
    status: "processing",
    id: Number(id),
    eta: 60,
    fetch_result: `${PROVIDER}/api/v6/images/fetch/${id}`,
    ...more,
  });

/** What the provider got, without the key. */
const forwarded = (): Record<string, unknown> => JSON.parse(fetched.to(CALLED)[0]?.body ?? "null");

describe("a generation call", () => {
  it("is forwarded with the provider's key in place of the token, and everything else as it was written", async () => {
    fetched.on(CALLED, success);
    const key = await token();
    const body = `{ "key":"${key}", "prompt":"a \\"b\\" \\u00e9\\/", "seed":90071992547409931, "provider_key":"${OWN_KEY}", "key":"${key}" }`;
    const answer = await call("POST", PATH, { auth: null, body });
    expect(answer.text).toBe('{"status":"success","output":["https://cdn.example/1.png"]}');
    expect(fetched.sent[0]?.body).toBe(
      `{"key":"${OWN_KEY}","prompt":"a \\"b\\" \\u00e9\\/","seed":90071992547409931}`,
    );
    expect(fetched.sent[0]?.headers["content-type"]).toBe("application/json");
  });

  it("leads to us with its fetch_result, also without a webhook, and registers nothing", async () => {
    const id = uniqueId();
    fetched.on(CALLED, queued(id));
    const { body } = await post(PATH);
    expect(body).toEqual({
      status: "processing",
      id: Number(id),
      eta: 60,
      fetch_result: `${ORIGIN}/api/v6/images/fetch/${id}`,
    });
    expect((await readJob(await idOf(id, "v6/images"))).status).toBe(404);
  });

  it.each([
    [
      "another version's endpoint",
      "https://stablediffusionapi.com/api/v3/dreambooth/fetch/ID",
      "v3/dreambooth",
    ],
    ["a host that is not the provider's", "https://evil.example/api/v3/fetch/ID", "v6/images"],
    ["nothing that can be read", "soon", "v6/images"],
  ])("leads to us when its fetch_result names %s", async (_, url, endpoint) => {
    const id = uniqueId();
    fetched.on(CALLED, queued(id, { fetch_result: url.replace("ID", id) }));
    expect((await post(PATH)).body.fetch_result).toBe(`${ORIGIN}/api/${endpoint}/fetch/${id}`);
  });

  it("registers the request that its answer names, when it carries a webhook", async () => {
    const id = uniqueId();
    fetched.on(CALLED, queued(id));
    const { body } = await post(PATH, { webhook: HOOK, track_id: 12, prompt: "x" });
    const job = await idOf(id, "v6/images");
    expect(body).toMatchObject({
      status: "processing",
      fetch_result: `${ORIGIN}/api/v6/images/fetch/${id}`,
      job_id: job,
    });
    expect(forwarded()).toEqual({ key: OWN_KEY, track_id: 12, prompt: "x" });
    expect((await readJob(job)).body).toMatchObject({
      status: "waiting",
      eta: 60,
      callback_url: HOOK,
      format: "provider",
      metadata: { track_id: 12 },
    });
    expect(JSON.stringify(await stored(job))).not.toContain(OWN_KEY);

    fetched.on(`${PROVIDER}/api/v6/images/fetch/${id}`, success).on(HOOK, status(200));
    await fire(job);
    expect(fetched.to(HOOK)[0]?.body).toBe(
      '{"status":"success","output":["https://cdn.example/1.png"],"track_id":12}',
    );
  });

  it("delivers an answer that is a success already at once, and polls nothing", async () => {
    const id = uniqueId();
    fetched.on(CALLED, json({ status: "success", id: Number(id), output: ["u"] })).on(HOOK, status(200));
    const { body } = await post(PATH, { webhook: HOOK, webhook_format: "standard" });
    await reached(body.job_id, "delivered");
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toMatchObject({
      type: "job.succeeded",
      data: { request_id: id, endpoint: "v6/images", output: ["u"], polls: 0 },
    });
  });

  it("delivers a success of several megabytes that names no request", async () => {
    const output = ["x".repeat(3_000_000)];
    fetched.on(CALLED, json({ status: "success", output })).on(HOOK, status(200));
    const { body } = await post(PATH, { webhook: HOOK });
    await reached(body.job_id, "delivered");
    expect(JSON.parse(fetched.to(HOOK)[0]?.body ?? "")).toEqual({ status: "success", output });
  });

  it.each([
    ["an error", json({ status: "error", message: "Model id not found" }), 200],
    ["a rate limit", json({ status: "error", message: "Rate limit exceeded" }, { status: 429 }), 429],
    ["a failure", json({ status: "failed", message: "Failed, Try Again", id: "" }), 200],
    ["a fault of the provider", json({ status: "error", message: "down" }, { status: 503 }), 503],
  ] as const)("hands on %s, and registers nothing", async (_, script, code) => {
    fetched.on(CALLED, script);
    const answer = await post(PATH, { webhook: HOOK });
    expect([answer.status, answer.body.job_id]).toEqual([code, undefined]);
    expect(answer.body.status).toMatch(/error|failed/);
  });

  it.each([
    ["cannot be reached", networkError, 502, /could not be reached/],
    ["answers HTML", json("<html>"), 502, /no JSON object/],
    ["redirects", status(307, { location: "https://example.com/" }), 502, /redirect/],
    ["answers too much", json({ status: "success", output: ["x".repeat(9_000_000)] }), 502, /too large/],
  ] as const)("is refused in the provider's shape when the provider %s", async (_, script, code, message) => {
    fetched.on(CALLED, script);
    expectRefusal(await post(PATH, { webhook: HOOK }), code, message);
  });

  it("hands on a rate limit that is no JSON, and may be made again under the same Idempotency-Key", async () => {
    const limited = json("<html>", { status: 429, headers: { "retry-after": "7" } });
    fetched.on(CALLED, limited, success);
    const headers = { "idempotency-key": "limited-1" };
    const answer = await post(PATH, {}, { headers });
    expectRefusal(answer, 429, /rate-limiting/);
    expect(answer.headers.get("retry-after")).toBe("7");
    expect((await post(PATH, {}, { headers })).body.status).toBe("success");
  });

  it("that brings an id of an older job that is over starts anew, and delivers", async () => {
    const id = uniqueId();
    const answer = (n: number) => json({ status: "success", id: Number(id), output: [`u${n}`] });
    fetched.on(CALLED, answer(1), answer(2)).on(HOOK, status(200), status(200));
    const first = await post(PATH, { webhook: HOOK });
    await reached(first.body.job_id, "delivered");
    const second = await post(PATH, { webhook: HOOK });
    expect(second.body.job_id).toBe(first.body.job_id);
    await expect
      .poll(() => fetched.to(HOOK).map(({ body }) => JSON.parse(body).output))
      .toEqual([["u1"], ["u2"]]);
  });

  it("that brings an id of another job that is not over has no job_id", async () => {
    const id = uniqueId();
    fetched.on(CALLED, queued(id), queued(id));
    await post(PATH, { webhook: HOOK });
    const second = await post(PATH, { webhook: "https://other.example/" });
    expect([second.status, second.body.job_id]).toEqual([200, undefined]);
  });

  it.each(["null", '""', '"\\u0000"', "7"])(
    "never sends a webhook of the caller's on, also where it stands twice: %s",
    async (last) => {
      fetched.always(CALLED, success);
      const body = `{"key":"${await token()}","provider_key":"${OWN_KEY}","webhook":"https://caller.example/h","webhook":${last}}`;
      await call("POST", PATH, { auth: null, body });
      expect(JSON.stringify(fetched.sent.map(({ body }) => body))).not.toContain("caller.example");
    },
  );

  it.each([{ status: "processing" }, { choices: [{ text: "hello" }] }])(
    "hands on an answer that names no request, without a job_id: %j",
    async (body) => {
      fetched.on(CALLED, json(body));
      const answer = await post(PATH, { webhook: HOOK });
      expect([answer.status, answer.body]).toEqual([200, body]);
    },
  );

  it("takes up to 10 MiB, for pictures in base64", async () => {
    const overhead = JSON.stringify({ key: await token(), provider_key: OWN_KEY, init_image: "" }).length;
    const picture = "x".repeat(10 * 1024 * 1024 - overhead);
    fetched.on(CALLED, success);
    expect((await post(PATH, { init_image: picture }, { auth: await token() })).status).toBe(200);
    expect(fetched.to(CALLED)[0]?.bytes.length).toBeGreaterThan(10_000_000);
    const over = await post(PATH, { init_image: `${picture}y` }, { auth: await token() });
    expectRefusal(over, 413, /10485760 bytes/);
  });
});

describe("the provider's own webhook", () => {
  const PUBLIC_URL = "https://hooks.example.com/";
  const hintOf = async (variables: Record<string, string>, body = {}): Promise<unknown> => {
    fetched.on(CALLED, json({ status: "error", message: "no" }));
    const key = await token();
    await callWith(variables, "POST", PATH, { auth: null, body: { key, provider_key: OWN_KEY, ...body } });
    return forwarded().webhook;
  };

  it("is set to a hint URL of ours that names the call's object", async () => {
    const hint = await hintOf({ PUBLIC_URL }, { webhook: HOOK });
    const [, token] = /^https:\/\/hooks\.example\.com\/hints\/(.+)$/.exec(String(hint)) ?? [];
    expect(await readHint(token ?? "", config.masterKeys)).toMatch(/^gen_[a-z2-7]{32}$/);
  });

  it.each<[string, Record<string, string>, Record<string, unknown>, unknown]>([
    ["nobody is to be called", { PUBLIC_URL }, {}, undefined],
    ["the call says null", { PUBLIC_URL }, { webhook: null }, null],
    ["it is switched off", { PUBLIC_URL, PROVIDER_WEBHOOKS: "false" }, { webhook: HOOK }, undefined],
    ["our own address is not known", {}, { webhook: HOOK }, undefined],
  ])("is not set when %s", async (_, variables, body, expected) => {
    expect(await hintOf(variables, body)).toBe(expected);
  });
});

describe("a call that is not one of generation", () => {
  const RESTART = "/api/v1/enterprise/restart_server";

  it("takes the scope provider:admin, by name", async () => {
    expectRefusal(await post(RESTART), 403, /provider:admin/);
    expectRefusal(
      await post(RESTART, {}, { auth: await token({ scope: "generations:write" }) }),
      403,
      /admin/,
    );
    fetched.on(PROVIDER + RESTART, json({ status: "success" }));
    const auth = await token({ scope: "provider:admin" });
    expect((await post(RESTART, {}, { auth })).body).toEqual({ status: "success" });
  });

  it("and one of generation takes generations:write", async () => {
    for (const scope of ["jobs:read jobs:write", "provider:admin"])
      expectRefusal(await post(PATH, {}, { auth: await token({ scope }) }), 403, /generations:write/);
  });
});
