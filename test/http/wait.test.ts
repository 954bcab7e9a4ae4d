import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { MAX_WAITERS } from "../../src/job/waiters.ts";
import { type Answer, call, fire, PROVIDER, readJob, register, uniqueId } from "../support/api.ts";
import { expectProblem, idOf } from "../support/http.ts";
import { json, ScriptedFetch, status } from "../support/scripted-fetch.ts";

const HOOK = "https://example.com/hook";
/** No job's; a wait is judged before its job is looked for. */
const ID = `job_${"a".repeat(32)}`;
/** Longer than any test may take: a call that is held for all of it fails its test. */
const FOREVER = 60;

let fetched: ScriptedFetch;
let timed: MockInstance;
beforeEach(() => {
  fetched = new ScriptedFetch();
  timed = vi.spyOn(globalThis, "setTimeout");
});
afterEach(() => {
  timed.mockRestore();
  expect(fetched.unexpected).toEqual([]);
  fetched.restore();
});

const wait = (id: string, seconds: number | string): Promise<Answer> =>
  call("GET", `/v1/jobs/${id}?wait=${seconds}`);

/** Calls that are held: each has set its timer in the object, and none has been answered. */
async function hold(id: string, count = 1): Promise<Promise<Answer>[]> {
  const before = timers();
  let answered = 0;
  const calls = Array.from({ length: count }, () =>
    wait(id, FOREVER).finally(() => {
      answered++;
    }),
  );
  await vi.waitFor(() => expect(timers()).toBe(before + count), { timeout: 4_000, interval: 10 });
  expect(answered).toBe(0);
  return calls;
}

const timers = (): number => timed.mock.calls.filter(([, ms]) => ms === FOREVER * 1000).length;

describe("?wait=", () => {
  it.each([
    "61",
    "-1",
    "1.5",
    "1e1",
    "+1",
    "0x10",
    "",
    "%20",
    "10%20",
    "ten",
    "NaN",
    "Infinity",
    "99999",
    "１",
  ])("is refused: %s", async (value) => {
    const answer = await wait(ID, value);
    expectProblem(answer, { status: 422, code: "invalid_value", field: "wait" });
    expect(answer.body.detail).toContain("from 0 to 60");
  });

  it.each(["0", "00"])("answers at once with %s", async (value) => {
    const { body } = await register();
    expect((await wait(body.id, value)).body).toEqual(body);
  });

  it("answers at once when the job is over", async () => {
    const { body } = await register();
    const canceled = await call("POST", `/v1/jobs/${body.id}/cancel`);
    expect((await wait(body.id, FOREVER)).body).toEqual(canceled.body);
  });

  it("answers at once when there is no such job", async () => {
    expectProblem(await wait(await idOf(uniqueId()), FOREVER), { status: 404, code: "not_found" });
  });

  it("answers with the job as it was when its time is up", async () => {
    const { body } = await register();
    const startedAt = Date.now();
    const answer = await wait(body.id, 1);
    expect([answer.status, answer.body]).toEqual([200, body]);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(990);
  });
});

describe("a call that is held", () => {
  it("is answered after a poll, though the job still waits", async () => {
    const { body } = await register();
    const [held] = await hold(body.id);
    fetched.on(`${PROVIDER}/api/v3/fetch/${body.request_id}`, json({ status: "processing", eta: 600 }));
    await fire(body.id);
    expect((await held)?.body).toMatchObject({ status: "waiting", polls: 1 });
  });

  it("is answered once the outcome is known", async () => {
    const { body } = await register();
    const [held] = await hold(body.id);
    const success = { status: "success", output: ["https://x/1.png"] };
    fetched.on(`${PROVIDER}/api/v3/fetch/${body.request_id}`, json(success));
    fetched.on(HOOK, status(204));
    await fire(body.id);
    expect((await held)?.body).toMatchObject({ outcome: "succeeded", result: success });
  });

  it("is answered when the job is canceled", async () => {
    const { body } = await register();
    const [held] = await hold(body.id);
    const canceled = await call("POST", `/v1/jobs/${body.id}/cancel`);
    expect((await held)?.body).toEqual(canceled.body);
  });

  it("is answered when the job gets a callback", async () => {
    const { body } = await register({ callback_url: null });
    const [held] = await hold(body.id);
    await register({ request_id: body.request_id });
    expect((await held)?.body.callback_url).toBe(HOOK);
  });

  it("is a 404 when the job is erased", async () => {
    const { body } = await register();
    const [held] = await hold(body.id);
    await call("DELETE", `/v1/jobs/${body.id}`);
    const answer = await held;
    expect(answer?.status).toBe(404);
    expect(answer?.text).toBe((await readJob(body.id)).text);
  });

  it("is not answered by a registration that changes nothing", async () => {
    const { body } = await register();
    const [held] = await hold(body.id);
    await register({ request_id: body.request_id });
    await register({ request_id: body.request_id, callback_url: "https://example.com/other" });
    const first = await Promise.race([held, scheduler.wait(150)]);
    expect(first).toBeUndefined();
    await call("DELETE", `/v1/jobs/${body.id}`);
    await held;
  });

  it("is one of 32; a 33rd gets the present state at once", async () => {
    expect(MAX_WAITERS).toBe(32);
    const { body } = await register();
    const held = await hold(body.id, 32);
    const extra = await wait(body.id, FOREVER);
    expect(extra.body).toEqual(body);
    const canceled = await call("POST", `/v1/jobs/${body.id}/cancel`);
    for (const answer of await Promise.all(held)) expect(answer.body).toEqual(canceled.body);
  });

  it("counts for its own job only", async () => {
    const [first, second] = [await register(), await register()];
    const held = await hold(first.body.id, 32);
    const [other] = await hold(second.body.id);
    await call("POST", `/v1/jobs/${second.body.id}/cancel`);
    expect((await other)?.body.status).toBe("canceled");
    await call("DELETE", `/v1/jobs/${first.body.id}`);
    await Promise.all(held);
  });
});
