/**
 * Ten thousand jobs in the console's list. The page is the one that is deployed, under the same policy; what stands
 * behind it answers from memory, as registering so many would take longer than looking at them.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../demo/worker-process.ts";
import { type Listening, listen, sendJson } from "../simulator/wire.ts";
import { isOnlyText, looksWell, PLANTED } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const JOBS = 10_000;
/** Longer than the list waits between two looks, while something happens. */
const LOOK_MS = 2_500;
/** More than fit on any screen, with those that are kept ready: what is not seen is no element. */
const MANY_ROWS = 80;
const LONGEST_FRAME_MS = 100;
/** Each shows other rows, all of them: more than anybody scrolls in one. */
const FRAMES = 120;

/** Put together as for a Worker. */
const SITE = join(ROOT, "dist", "site");
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  js: "text/javascript",
  svg: "image/svg+xml",
};
const POLICY =
  /Content-Security-Policy: (.*)/.exec(readFileSync(join(ROOT, "src", "site", "_headers"), "utf8"))?.[1] ??
  "";
/** Nobody checks its signature. */
const TOKEN = `x.${btoa(JSON.stringify({ sub: "many", scope: "jobs:read jobs:write stats:read", exp: 9e9 }))}.x`;

const browser = browserOfThisFile();
let server: Listening;
let view: View;
let registered = JOBS;
let asked = 0;

/** The n-th job since the beginning. Every member that can be is hostile. */
function job(n: number) {
  const at = new Date(Date.UTC(2026, 10, 1) + n * 1000).toISOString();
  const isFailed = n % 7 === 0;
  return {
    id: `job_${String(n).padStart(8, "a")}`,
    status: isFailed ? PLANTED : "delivered",
    outcome: isFailed ? PLANTED : "succeeded",
    endpoint: isFailed ? PLANTED : "v6/video",
    request_id: isFailed ? PLANTED : String(n),
    callback_url: isFailed ? PLANTED : "https://app.example.com/hook",
    destination: n % 14 === 0 ? PLANTED : null,
    metadata: { user: n, note: PLANTED },
    registered_at: at,
    finished_at: at,
    delivered_at: new Date(Date.parse(at) + 20 + (n % 50)).toISOString(),
    parked: n % 3 === 0 ? PLANTED : null,
    polls: 1,
    attempts: isFailed ? PLANTED : 1,
    error: isFailed ? { reason: PLANTED, message: PLANTED } : null,
    delivery_error: null,
  };
}

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, "src", "site", "pack.mjs")]);
  server = await listen(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://console");
    if (pathname.startsWith("/v1/")) asked++;
    if (pathname === "/v1/jobs") {
      const from = Number(searchParams.get("cursor") ?? registered);
      const limit = Math.min(from, Number(searchParams.get("limit")));
      const jobs = Array.from({ length: limit }, (_, i) => job(from - i));
      sendJson(response, 200, { jobs, next_cursor: from > limit ? String(from - limit) : null });
    } else if (pathname === "/v1/stats") sendJson(response, 200, { statuses: { delivered: registered } });
    else {
      const file = pathname === "/console" ? "console.html" : pathname;
      response.setHeader("content-type", TYPES[file.split(".")[1] ?? ""] ?? "text/html");
      response.setHeader("content-security-policy", POLICY);
      response.end(readFileSync(join(SITE, file)));
    }
  }, 0);
  view = await browser.open(`${server.origin}/console#token=${TOKEN}`, {
    viewport: { width: 1200, height: 750 },
  });
  await rowAt(2).waitFor();
}, 120_000);
afterAll(() => server?.close());

const grid = () => view.page.getByRole("grid", { name: "Jobs" });
const rowAt = (index: number) => grid().locator(`[role=row][aria-rowindex="${index}"]`);
const rowCount = () => view.page.evaluate(() => document.querySelectorAll(".job-body > [role=row]").length);

it("has all of them, as one scrolls on", async () => {
  await expect.poll(() => grid().getAttribute("aria-rowcount")).toBe("-1");
  await view.page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    while (document.querySelector("[role=grid]")?.getAttribute("aria-rowcount") === "-1") {
      scrollTo(0, document.body.scrollHeight);
      await frame();
    }
  });
  await expect.poll(() => grid().getAttribute("aria-rowcount")).toBe(String(JOBS + 1));
  await view.page.getByText("10,000 jobs in all").waitFor();
  await view.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await rowAt(JOBS + 1).waitFor();
  expect(
    await rowAt(JOBS + 1)
      .getByRole("link")
      .innerText(),
  ).toBe("v6/video / 1");
  await expect.poll(() => rowCount()).toBeLessThan(MANY_ROWS);
});

it(`scrolls through all of them without a frame of more than ${LONGEST_FRAME_MS} ms`, async () => {
  const { page } = view;
  const chromium = page.context().browser();
  await chromium?.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
  const mostRows = await page.evaluate(async (frames) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const far = document.body.scrollHeight - innerHeight;
    let mostRows = 0;
    for (let i = 0; i <= frames; i++) {
      scrollTo(0, (far * i) / frames);
      performance.mark("frame");
      await frame();
      mostRows = Math.max(mostRows, document.querySelectorAll(".job-body > [role=row]").length);
    }
    return mostRows;
  }, FRAMES);
  const trace = await chromium?.stopTracing();
  await rowAt(JOBS + 1).waitFor();
  expect(mostRows).toBeGreaterThan(10);
  expect(mostRows).toBeLessThan(MANY_ROWS);
  const frames = framesOf(String(trace));
  expect(frames.length).toBeGreaterThan(FRAMES / 2);
  expect(Math.max(...frames)).toBeLessThan(LONGEST_FRAME_MS);
});

it("goes to the last and the first by a key each, and selects all that are between", async () => {
  const { page } = view;
  await page.evaluate(() => scrollTo(0, 0));
  const box = (index: number) => rowAt(index).getByRole("checkbox");
  await box(2).click();
  await page.keyboard.press("End");
  await rowAt(JOBS + 1).waitFor();
  await expect.poll(() => box(JOBS + 1).evaluate((box) => box === document.activeElement)).toBe(true);
  await box(JOBS + 1).click({ modifiers: ["Shift"] });
  await page.getByText("10,000 jobs selected").waitFor();
  await page.keyboard.press("Home");
  await expect.poll(() => box(2).evaluate((box) => box === document.activeElement)).toBe(true);
  await expect.poll(() => page.evaluate(() => scrollY)).toBeLessThan(400);
  await page.getByRole("button", { name: "Clear" }).click();
});

it("stays where one is while jobs come, though they come by the thousand", async () => {
  const { page } = view;
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2));
  const link = grid().getByRole("link", { name: "v6/video / 5000" });
  await link.waitFor();
  const place = () => link.evaluate((link) => Math.round(link.getBoundingClientRect().top));
  const before = await place();
  registered += 700;
  const newer = page.getByRole("button", { name: "700 new ↑" });
  await newer.waitFor();
  await expect.poll(() => place()).toBe(before);
  await newer.click();
  await grid().getByRole("link", { name: "v6/video / 10697" }).waitFor();
});

it("asks for nothing while nobody can see it, and at once when somebody can", async () => {
  const { page } = view;
  const setHidden = (isHidden: boolean) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  // Something has just happened: the next look would come soon.
  await page.evaluate(() => scrollTo(0, 0));
  registered++;
  await grid()
    .getByRole("link", { name: `v6/video / ${registered}` })
    .waitFor();
  await setHidden(true);
  // Whatever was under way.
  await page.waitForLoadState("networkidle");
  await setTimeout(500);
  const before = asked;
  await setTimeout(LOOK_MS);
  expect(asked).toBe(before);
  await setHidden(false);
  await expect.poll(() => asked).toBeGreaterThan(before);
});

it("shows whatever stands in them as text", async () => {
  await view.page.evaluate(() => scrollTo(0, 0));
  await rowAt(2).waitFor();
  await isOnlyText(view);
  await looksWell(view);
  expect(view.complaints()).toEqual([]);
});

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: when it began, and for how long the processor was at it. */
  readonly ts: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * What each frame has cost the page's main thread, in ms of the processor's time: whatever else the machine is busy
 * with, and however slowly it paints without a graphics card, is not the page's.
 */
function framesOf(trace: string): number[] {
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  const main = traceEvents.find(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const events = traceEvents
    .filter(({ pid, tid, ph }) => pid === main?.pid && tid === main.tid && ph === "X")
    .toSorted((a, b) => a.ts - b.ts);
  const frames = [0];
  for (const { name, tdur = 0 } of events)
    if (name === "ThreadControllerImpl::RunTask") frames.push((frames.pop() ?? 0) + tdur / 1000);
    else if (name === "Layerize") frames.push(0);
  return frames;
}
