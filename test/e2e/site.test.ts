/**
 * The files that are served beside the Worker: they come with their headers, and take no path away from the API.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Setting } from "./setting.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
});
afterAll(() => setting.tearDown());

const get = (path: string, method = "GET") =>
  fetch(setting.worker.origin + path, {
    method,
    redirect: "manual",
    ...(method === "POST" && { body: "{}" }),
  });

it("serves the page under a policy that lets nothing in from elsewhere", async () => {
  const page = await get("/docs");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await page.text()).toMatch(/^<!doctype html>/);
  const policy = page.headers.get("content-security-policy") ?? "";
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "frame-ancestors 'none'",
  ])
    expect(policy.split("; ")).toContain(rule);
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect(page.headers.get("referrer-policy")).toBe("no-referrer");
  const head = await get("/docs", "HEAD");
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

it.each(["/docs/", "/docs.html"])("has one address for it: %s leads there", async (path) => {
  const { status, headers } = await get(path);
  expect([status, headers.get("location")]).toEqual([307, "/docs"]);
});

it.each([
  ["GET", "/", 404],
  ["GET", "/nothing", 404],
  ["POST", "/nothing", 404],
  ["GET", "/_headers", 404],
  ["GET", "/v1/jobs/", 404],
  ["POST", "/v1/jobs", 401],
  ["PUT", "/v1/destinations/app", 401],
  ["POST", "/healthz", 405],
])("leaves everything else to the Worker: %s %s", async (method, path, status) => {
  const answer = await get(path, method);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
  expect(answer.headers.get("content-security-policy")).toBeNull();
});
