import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Answer, call, fire, PROVIDER, readJob, register, uniqueId } from "../support/api.ts";
import { EMPTY, expectProblem, forget, idOf, storageOf } from "../support/http.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

const HOOK = "https://example.com/hook";
const OTHER_HOOK = "https://example.com/other";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  expect(fetched.unexpected).toEqual([]);
  fetched.restore();
});

const cancel = (id: string, body?: unknown): Promise<Answer> =>
  call("POST", `/v1/jobs/${id}/cancel`, { body });
const redeliver = (id: string, body?: unknown): Promise<Answer> =>
  call("POST", `/v1/jobs/${id}/redeliver`, { body });

async function waiting(): Promise<string> {
  return (await register()).body.id;
}

/** A job whose success was sent to the callback, which answered with `code`. */
async function ended(code: number): Promise<string> {
  const { body } = await register();
  const success = { status: "success", output: ["https://x/1.png"] };
  fetched.on(`${PROVIDER}/api/v3/fetch/${body.request_id}`, json(success)).on(HOOK, status(code));
  await fire(body.id);
  return body.id;
}
const delivered = () => ended(204);
const delivering = () => ended(500);
const undelivered = () => ended(410);

/** A job without a callback, whose answer came with its registration. */
async function finished(): Promise<string> {
  const response = { status: "success", id: uniqueId(), output: ["https://x/1.png"] };
  return (await call("POST", "/v1/jobs", { body: { endpoint: "v3", response } })).body.id;
}

async function canceled(): Promise<string> {
  const id = await waiting();
  await cancel(id);
  return id;
}

const untilDelivered = (id: string) =>
  vi.waitFor(async () => expect((await readJob(id)).body.status).toBe("delivered"), { timeout: 4_000 });

describe("the states these tests begin with", () => {
  it.each([
    ["waiting", waiting],
    ["delivering", delivering],
    ["delivered", delivered],
    ["undelivered", undelivered],
    ["finished", finished],
    ["canceled", canceled],
  ])("are what they are called: %s", async (name, make) => {
    const id = await make();
    expect((await readJob(id)).body.status).toBe(name);
    await forget(id);
  });
});

describe("cancel", () => {
  it.each([
    ["no body", undefined],
    ["an empty body", ""],
    ["an empty object", {}],
    ["null", "null"],
  ])("ends a waiting job, with %s", async (_, body) => {
    const id = await waiting();
    const answer = await cancel(id, body);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      status: "canceled",
      outcome: "canceled",
      next_poll_at: null,
      error: null,
      delivery_error: null,
    });
    const { finished_at, expires_at } = answer.body;
    expect(Date.parse(expires_at) - Date.parse(finished_at)).toBe(168 * 3_600_000);
    expect((await readJob(id)).body).toEqual(answer.body);
  });

  it("stops a delivery, and keeps the outcome", async () => {
    const id = await delivering();
    const { status: code, body } = await cancel(id);
    expect(code).toBe(200);
    expect(body).toMatchObject({
      status: "undelivered",
      outcome: "succeeded",
      next_attempt_at: null,
      attempts: 1,
      delivery_error: { reason: "canceled" },
    });
  });

  it.each([
    ["canceled", canceled],
    ["finished", finished],
    ["delivered", delivered],
    ["undelivered", undelivered],
  ])("answers 409 for a job that is %s, and changes nothing", async (_, make) => {
    const id = await make();
    const before = await readJob(id);
    expectProblem(await cancel(id), { status: 409, code: "already_over" });
    expect((await readJob(id)).body).toEqual(before.body);
  });

  it.each([
    ["an array", "[]", { status: 422, code: "invalid_value" }],
    ["a string", '"now"', { status: 422, code: "invalid_value" }],
    ["zero", "0", { status: 422, code: "invalid_value" }],
    ["false", "false", { status: 422, code: "invalid_value" }],
    ["a field", { reason: "x" }, { status: 422, code: "unknown_field", field: "reason" }],
    ["half a text", "{", { status: 400, code: "malformed_body" }],
  ])("is refused with %s, and changes nothing", async (_, body, refusal) => {
    const id = await waiting();
    expectProblem(await cancel(id, body), refusal);
    expect((await readJob(id)).body.status).toBe("waiting");
  });
});

describe("redeliver", () => {
  it.each([
    ["no body", undefined],
    ["an empty object", {}],
    ["null", "null"],
    ["null for the callback", { callback_url: null }],
  ])("sends the same event again, with %s", async (_, body) => {
    const id = await delivered();
    const before = (await readJob(id)).body;
    fetched.on(HOOK, status(204));
    const answer = await redeliver(id, body);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({
      status: "delivering",
      outcome: "succeeded",
      event_id: before.event_id,
      callback_url: HOOK,
      delivered_at: null,
      expires_at: null,
    });
    await untilDelivered(id);
    const [first, second] = fetched.to(HOOK);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect((await readJob(id)).body.attempts).toBe(2);
  });

  it.each([
    ["delivered", delivered],
    ["undelivered", undelivered],
    ["delivering", delivering],
    ["finished", finished],
  ])(
    "sends the event of a job that is %s to another callback, and names it from then on",
    async (_, make) => {
      const id = await make();
      fetched.on(OTHER_HOOK, status(204));
      const answer = await redeliver(id, { callback_url: "https://EXAMPLE.com/other#x" });
      expect(answer.status).toBe(202);
      expect(answer.body).toMatchObject({ callback_url: OTHER_HOOK, delivery_error: null });
      await untilDelivered(id);
      expect((await readJob(id)).body.callback_url).toBe(OTHER_HOOK);
    },
  );

  it.each([
    ["waiting", waiting, {}],
    ["waiting, though a callback is named", waiting, { callback_url: OTHER_HOOK }],
    ["canceled", canceled, { callback_url: OTHER_HOOK }],
    ["finished without a callback", finished, {}],
  ])("answers 409 for a job that is %s, and changes nothing", async (_, make, body) => {
    const id = await make();
    const before = await readJob(id);
    expectProblem(await redeliver(id, body), { status: 409, code: "nothing_to_deliver" });
    expect((await readJob(id)).body).toEqual(before.body);
  });

  it.each([
    ["an array", "[]", { status: 422, code: "invalid_value" }],
    ["a string", '"now"', { status: 422, code: "invalid_value" }],
    ["a number for the callback", { callback_url: 5 }, { code: "invalid_value", field: "callback_url" }],
    ["an array for the callback", { callback_url: [HOOK] }, { code: "invalid_value", field: "callback_url" }],
    [
      "a refused callback",
      { callback_url: "http://example.com" },
      { code: "target_refused", field: "callback_url" },
    ],
    ["another field", { url: HOOK }, { code: "unknown_field", field: "url" }],
    ["a format", { format: "provider" }, { code: "unknown_field", field: "format" }],
    ["half a text", "{", { status: 400, code: "malformed_body" }],
  ])("is refused with %s, and changes nothing", async (_, body, refusal) => {
    const id = await finished();
    const before = await readJob(id);
    expectProblem(await redeliver(id, body), { status: 422, ...refusal });
    expect((await readJob(id)).body).toEqual(before.body);
  });
});

describe("erase", () => {
  it.each([
    ["waiting", waiting],
    ["delivering", delivering],
    ["delivered", delivered],
    ["canceled", canceled],
  ])("leaves nothing of a job that is %s", async (_, make) => {
    const id = await make();
    const answer = await call("DELETE", `/v1/jobs/${id}`);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(await storageOf(id)).toEqual(EMPTY);
    for (const again of [
      await call("DELETE", `/v1/jobs/${id}`),
      await readJob(id),
      await cancel(id),
      await redeliver(id, { callback_url: HOOK }),
    ])
      expectProblem(again, { status: 404, code: "not_found" });
  });

  it("lets the same request be registered afresh", async () => {
    const { body } = await register({ metadata: { first: true } });
    await call("DELETE", `/v1/jobs/${body.id}`);
    const again = await register({ request_id: body.request_id });
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({ id: body.id, metadata: {} });
    expect(again.body.event_id).not.toBe(body.event_id);
    expect(body.id).toBe(await idOf(body.request_id));
  });
});
