/** The meter counts what an object does, and nothing that a test does. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { change, register, stub } from "./api.ts";
import { covered } from "./covered.ts";
import { Meter } from "./meter.ts";

let meter: Meter;
beforeEach(async () => {
  meter = await Meter.start();
});
afterEach(() => meter.stop());

it("counts a call, its rows and its time, by the class of the object", async () => {
  const { body } = await register();
  await meter.settled(50);
  expect(meter.requests("Job")).toEqual(["register"]);
  expect(meter.writes("Job")).toEqual(["put", "setAlarm"]);
  expect(meter.rowsWritten("Job")).toBe(2);
  expect(meter.requests("Tenant")).toContain("put");
  expect(meter.rowsRead("Tenant")).toBeGreaterThan(0);
  await stub(body.id).read("acme", body.id, 20);
  expect(meter.busyMs("Job")).toBeGreaterThanOrEqual(19);
});

it("counts as one request what calls another method of itself", async () => {
  const { body } = await register();
  const before = meter.requests("Job").length;
  await stub(body.id).read("acme", body.id, 1);
  expect(meter.requests("Job").slice(before)).toEqual(["read"]);
});

it("does not count what a test does to an object, nor anything once it is stopped", async () => {
  const { body } = await register();
  await meter.settled(50);
  const before = meter.rowsWritten("Job");
  await change(body.id, (job) => job);
  expect(meter.rowsWritten("Job")).toBe(before);
  meter.stop();
  await register();
  expect(meter.requests("Job")).toHaveLength(1);
  const put = await runInDurableObject(env.JOB.getByName("plain"), (_, { storage }) =>
    String(storage.kv.put),
  );
  expect(put).toContain("[native code]");
});

it("counts time once that several calls share", () => {
  expect(covered([])).toBe(0);
  expect(
    covered([
      [5, 7],
      [0, 4],
      [1, 2],
      [3, 6],
    ]),
  ).toBe(7);
});
