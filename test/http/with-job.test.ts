import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import type { Bindings } from "../../src/http/call.ts";
import { type JobStub, withJob } from "../../src/job/placement.ts";
import { register, registration, stored, stub } from "../support/api.ts";
import { callWith, expectProblem } from "../support/http.ts";

const ID = `job_${"a".repeat(32)}`;
const OBJECT = stub(ID).name;
const DETAIL = "sqlite at 10.1.2.3 said planted-detail";

const failure = (flags: { retryable?: boolean; overloaded?: boolean }): Error =>
  Object.assign(new Error(DETAIL), flags);
const lost = () => failure({ retryable: true });
const overloaded = () => failure({ retryable: true, overloaded: true });
const broken = () => failure({});

/** A namespace whose stubs fail so many times, one after the other, before calls reach the real object. */
function flaky(...failures: readonly (() => Error)[]) {
  const left = [...failures];
  const made: string[] = [];
  const failing = (error: Error) =>
    new Proxy({}, { get: (_, name) => (name === "then" ? undefined : () => Promise.reject(error)) });
  const namespace = {
    getByName(name: string) {
      made.push(name);
      const error = left.shift();
      return error ? failing(error()) : env.JOB.getByName(name);
    },
  };
  return { JOB: namespace as unknown as Bindings["JOB"], made };
}

let logged: MockInstance;
beforeEach(() => {
  logged = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  expect(JSON.stringify(logged.mock.calls)).not.toContain("planted-detail");
  logged.mockRestore();
});

describe("a call of a job's object", () => {
  const read = (job: JobStub) => job.read("acme", ID);

  it("is made once when it succeeds", async () => {
    const { JOB, made } = flaky();
    expect(await withJob({ ...env, JOB }, "acme", ID, read)).toEqual({ kind: "not_found" });
    expect(made).toEqual([OBJECT]);
  });

  it("is made again, each time with a fresh stub, when the platform lost it", async () => {
    const { JOB, made } = flaky(lost, lost);
    expect(await withJob({ ...env, JOB }, "acme", ID, read)).toEqual({ kind: "not_found" });
    expect(made).toEqual([OBJECT, OBJECT, OBJECT]);
  });

  it("is given up when it was lost three times", async () => {
    const { JOB, made } = flaky(lost, lost, lost, lost);
    await expect(withJob({ ...env, JOB }, "acme", ID, read)).rejects.toMatchObject({ retryable: true });
    expect(made).toHaveLength(3);
  });

  it("is never made again when the object is overloaded", async () => {
    const { JOB, made } = flaky(overloaded);
    await expect(withJob({ ...env, JOB }, "acme", ID, read)).rejects.toMatchObject({ overloaded: true });
    expect(made).toHaveLength(1);
  });

  it("is not made again when an overload follows a loss", async () => {
    const { JOB, made } = flaky(lost, overloaded);
    await expect(withJob({ ...env, JOB }, "acme", ID, read)).rejects.toMatchObject({ overloaded: true });
    expect(made).toHaveLength(2);
  });

  it("is not made again after an error that is no loss", async () => {
    const { JOB, made } = flaky(broken);
    await expect(withJob({ ...env, JOB }, "acme", ID, read)).rejects.toThrow(DETAIL);
    expect(made).toHaveLength(1);
  });
});

describe("a caller", () => {
  const calls = [
    ["POST", "/v1/jobs"],
    ["GET", `/v1/jobs/${ID}`],
    ["DELETE", `/v1/jobs/${ID}`],
    ["POST", `/v1/jobs/${ID}/cancel`],
    ["POST", `/v1/jobs/${ID}/redeliver`],
  ] as const;
  const bodyFor = (path: string) => (path === "/v1/jobs" ? { body: registration() } : {});

  it.each(calls)("does not notice that a call was lost twice: %s %s", async (method, path) => {
    const { JOB } = flaky(lost, lost);
    const { status } = await callWith({ JOB }, method, path, bodyFor(path));
    expect(status).toBe(path === "/v1/jobs" ? 202 : 404);
  });

  it.each(calls)("is asked to come back when the object is overloaded: %s %s", async (method, path) => {
    const { JOB, made } = flaky(overloaded);
    const answer = await callWith({ JOB }, method, path, bodyFor(path));
    expectProblem(answer, { status: 503, code: "unavailable" });
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(made).toHaveLength(1);
  });

  it.each(calls)("is asked to come back when three calls were lost: %s %s", async (method, path) => {
    const { JOB } = flaky(lost, lost, lost);
    const answer = await callWith({ JOB }, method, path, bodyFor(path));
    expectProblem(answer, { status: 503, code: "unavailable" });
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it.each(calls)("learns nothing about an error that is ours: %s %s", async (method, path) => {
    const { JOB } = flaky(broken);
    const answer = await callWith({ JOB }, method, path, bodyFor(path));
    expectProblem(answer, { status: 500, code: "internal_error" });
    expect(answer.text).not.toContain("planted-detail");
    expect(logged.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([
      { event: "http.failed", error: expect.stringMatching(/^Error at /) },
    ]);
    expect(String(logged.mock.calls)).not.toContain("planted-detail");
  });

  it("has one job after a registration whose answer was lost", async () => {
    const { body } = await register();
    const before = await stored(body.id);
    const { JOB } = flaky(lost);
    const again = await callWith({ JOB }, "POST", "/v1/jobs", {
      body: registration({ request_id: body.request_id }),
    });
    expect([again.status, again.body]).toEqual([200, body]);
    expect(await stored(body.id)).toEqual(before);
  });
});
