import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  call,
  fire,
  PROVIDER,
  PROVIDER_KEY,
  readJob,
  registration,
  token,
  uniqueId,
} from "../support/api.ts";
import { callWith, expectProblem, objectCount } from "../support/http.ts";
import { HOOK, leave, success } from "../support/life.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const batch = (jobs: unknown) => call("POST", "/v1/jobs/batch", { body: { jobs } });
const statuses = (results: { status: number }[]): number[] => results.map(({ status }) => status);

describe("POST /v1/jobs/batch", () => {
  it("registers each, in order, and answers with its job without result and timeline", async () => {
    const jobs = [registration(), registration({ endpoint: "v6/video", callback_url: null }), registration()];
    const { status, body } = await batch(jobs);
    expect(status).toBe(200);
    expect(statuses(body.results)).toEqual([202, 202, 202]);
    for (const [i, { job }] of body.results.entries()) {
      const { result, timeline, ...stored } = (await readJob(job.id)).body;
      expect(job).toEqual(stored);
      expect(job.request_id).toBe(jobs[i]?.request_id);
    }
  });

  it("takes each one's metadata and response as they were written", async () => {
    const [a, b] = [uniqueId(), uniqueId()];
    const text = `{"jobs": [ {"request_id":"${a}","key":"k","metadata":{"n":90071992547409931}} ,
      {"response":{"status":"success","id":${b},"output":["u"],"seed":1.10e+02},"endpoint":"v3","callback_url":"${HOOK}","metadata":{"b":[1,{"c":"],"}]}} ]}`;
    fetched.on(HOOK, status(200));
    const { text: answer, body } = await call("POST", "/v1/jobs/batch", { body: text });
    expect(statuses(body.results)).toEqual([202, 202]);
    expect(answer).toContain('"metadata":{"n":90071992547409931}');
    expect(answer).toContain('"metadata":{"b":[1,{"c":"],"}]}');
    await expect.poll(() => fetched.to(HOOK)).toHaveLength(1);
    expect(fetched.to(HOOK)[0]?.body).toContain('"seed":1.10e+02');
  });

  it("lets one that is bad spoil no other", async () => {
    const known = registration();
    await call("POST", "/v1/jobs", { body: known });
    const { body } = await batch([
      registration(),
      registration({ callback_url: "https://10.0.0.1/" }),
      7,
      null,
      [],
      registration({ nonsense: 1 }),
      known,
      { ...known, callback_url: "https://other.example/" },
      registration(),
    ]);
    expect(statuses(body.results)).toEqual([202, 422, 422, 422, 422, 422, 200, 409, 202]);
    expect(body.results[1].problem).toMatchObject({
      code: "target_refused",
      field: "callback_url",
      status: 422,
    });
    expect(body.results[5].problem).toMatchObject({ code: "unknown_field", field: "nonsense" });
    expect(body.results[7].problem).toMatchObject({ code: "already_registered" });
  });

  it("holds each to the size of a registration", async () => {
    const sized = (bytes: number) => {
      const job = registration({ metadata: {} });
      const padding = bytes - JSON.stringify({ ...job, response: { x: "" } }).length;
      return { ...job, response: { x: "y".repeat(padding) } };
    };
    const { body } = await batch([sized(65_536), sized(65_537)]);
    expect(statuses(body.results)).toEqual([422, 413]);
    expect(body.results[1].problem).toMatchObject({ code: "body_too_large" });
  });

  it("registers one that stands in it twice once", async () => {
    const job = registration();
    const { body } = await batch([job, job]);
    expect(statuses(body.results).sort()).toEqual([200, 202]);
    expect(body.results[0].job.id).toBe(body.results[1].job.id);
  });

  it("takes 100, and each is polled and delivered", async () => {
    const { body } = await batch(Array.from({ length: 100 }, () => registration()));
    expect(statuses(body.results)).toEqual(Array(100).fill(202));
    const { job } = body.results[99];
    fetched.on(`${PROVIDER}/api/v3/fetch/${job.request_id}`, success).on(HOOK, status(200));
    await fire(job.id);
    expect((await readJob(job.id)).body.status).toBe("delivered");
    expect(JSON.stringify(body)).not.toContain(PROVIDER_KEY);
  });

  it.each([
    ["none", []],
    ["101", Array(101).fill(7)],
    ["no list", {}],
    ["nothing", null],
    ["nothing at all", undefined],
  ])("is refused with %s", async (_, jobs) => {
    const objects = await objectCount();
    const refused = await batch(jobs);
    expectProblem(refused, { status: 422, code: "invalid_value", field: "jobs" });
    expect(refused.body.detail).toMatch(/^jobs (must be|is missing)/);
    expect(await objectCount()).toBe(objects);
  });

  it("is refused without a body, with an unknown field, over 1 MiB, and without the scope", async () => {
    expectProblem(await call("POST", "/v1/jobs/batch"), { status: 400, code: "malformed_body" });
    const unknown = await call("POST", "/v1/jobs/batch", { body: { jobs: [registration()], now: true } });
    expectProblem(unknown, { status: 422, code: "unknown_field", field: "now" });
    const large = JSON.stringify({ jobs: [registration({ metadata: { x: "x".repeat(1_048_576) } })] });
    expectProblem(await call("POST", "/v1/jobs/batch", { body: large }), {
      status: 413,
      code: "body_too_large",
    });
    const auth = await token({ scope: "jobs:read" });
    const refused = await call("POST", "/v1/jobs/batch", { body: { jobs: [registration()] }, auth });
    expectProblem(refused, { status: 403, code: "insufficient_scope" });
  });

  it("says of each what could not be stored", async () => {
    const down = () => Promise.reject(Object.assign(new Error("down"), { overloaded: true }));
    const JOB = { getByName: () => ({ register: down }) } as never;
    const body = { jobs: [registration(), registration({ eta: -1 })] };
    const answer = await callWith({ JOB }, "POST", "/v1/jobs/batch", { body });
    expect(statuses(answer.body.results)).toEqual([503, 422]);
  });
});
