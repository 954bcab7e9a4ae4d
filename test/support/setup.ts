/**
 * What holds for every test in workerd. No test reaches the network by accident: a `fetch` that nobody scripted
 * fails. No job outlives its file: its alarm would poll in the middle of the next one. And nothing that an object logs
 * goes straight to vitest. And nobody learns from a job that a test has end at once: others would be polled within a second.
 */
import { afterAll, afterEach, beforeEach } from "vitest";
import { Tenant } from "../../src/tenant/tenant.ts";
import { clear } from "./api.ts";

globalThis.fetch = (input) => {
  const url = input instanceof Request ? input.url : String(input);
  return Promise.reject(new Error(`unscripted request: ${url}`));
};

afterAll(clear);

/** Tenants whose name begins so learn as they do in earnest. */
export const LEARNING = "learning-";
const { put } = Tenant.prototype;
Tenant.prototype.put = function (this: Tenant, rows, ...more) {
  const isLearning = (this as unknown as { ctx: DurableObjectState }).ctx.id.name?.startsWith(LEARNING);
  return put.call(this, isLearning ? rows : rows.map((row) => ({ ...row, seen: null })), ...more);
};

/**
 * vitest forwards a console line only from the runner's own context; one that an object prints waits there for the
 * runner's next message, and if that never comes, as behind a file's last test, the whole run waits with it. So lines
 * are kept, and shown by the runner itself when the test fails.
 */
const lines: string[] = [];
for (const method of ["log", "error", "warn"] as const)
  console[method] = (...values: unknown[]) => {
    lines.push(values.map(String).join(" "));
  };

beforeEach(() => {
  lines.length = 0;
});
afterEach(({ task }) => {
  if (task.result?.state === "fail" && lines.length > 0) console.debug(lines.join("\n"));
});
