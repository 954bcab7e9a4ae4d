/**
 * The files that are served beside the Worker: they come with their headers, and take no path away from the API.
 */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../demo/worker-process.ts";
import { Setting } from "./setting.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
}, 90_000);
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

it("has a page that needs no script, no inline style and no other host", async () => {
  const text = await (await get("/docs")).text();
  expect(text).not.toMatch(/<script|<style|<iframe|<img|\sstyle=|\son\w+=|javascript:/i);
  const links = [...text.matchAll(/ (?:href|src)="([^"]*)"/g)].map(([, link = ""]) => link);
  expect(links.filter((link) => !/^(#|\/docs\.css$|\/openapi\.json$)/.test(link))).toEqual([]);
  expect((await get("/docs.css")).headers.get("content-type")).toBe("text/css; charset=utf-8");
});

it("has an anchor for every operation and every schema, and no link to nowhere", async () => {
  const text = await (await get("/docs")).text();
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id = ""]) => id);
  expect(ids).toHaveLength(new Set(ids).size);
  const document = (await (await get("/openapi.json")).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
    components: { schemas: Record<string, unknown> };
  };
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  for (const { operationId } of operations) expect(ids).toContain(operationId);
  for (const name of Object.keys(document.components.schemas)) expect(ids).toContain(`schema-${name}`);
  for (const [, id = ""] of text.matchAll(/ (?:href="#|aria-labelledby=")([^"]+)"/g))
    expect(ids).toContain(id);
});

it("shows what any call may be refused with once, and a link to it with every operation", async () => {
  const text = await (await get("/docs")).text();
  for (const code of ["malformed_body", "token_expired", "insufficient_scope", "unavailable"])
    expect(text.split(`<code>${code}</code>`), code).toHaveLength(2);
  const operations = text.split('<p class="call">').slice(1);
  for (const operation of operations) expect(operation).toContain('href="#refusals"');
});

it("is what npm run openapi would write", () => {
  const { status, stderr } = spawnSync(process.execPath, ["src/openapi/write.ts", "--check"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
});

it.each(["/docs/", "/docs.html"])("has one address for it: %s leads there", async (path) => {
  const { status, headers } = await get(path);
  expect([status, headers.get("location")]).toEqual([307, "/docs"]);
});

it("leads whoever opens its address to the console", async () => {
  const { status, headers } = await get("/");
  expect([status, headers.get("location")]).toEqual([302, "/console"]);
  expect((await fetch(setting.worker.origin)).headers.get("content-type")).toBe("text/html; charset=utf-8");
});

it.each([
  ["GET", "/nothing", 404],
  ["POST", "/nothing", 404],
  ["GET", "/_headers", 404],
  ["GET", "/_redirects", 404],
  ["GET", "/v1/jobs/", 404],
  ["POST", "/v1/jobs", 401],
  ["PUT", "/v1/destinations/app", 401],
  ["POST", "/healthz", 405],
])("leaves everything else to the Worker: %s %s", async (method, path, status) => {
  const answer = await get(path, method);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
  expect(answer.headers.get("content-security-policy")).toBeNull();
});
