/** One job in the console, while it runs. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { dayOfPolls, showJob } from "./console-job.ts";
import { goTo, looksWell, openConsole } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
}, 120_000);
afterAll(() => setting.tearDown());

let nextId = 7_100_000;

/** Registers a request that is ready after a while. */
async function running(readyAfterMs: number, more: Record<string, unknown> = {}): Promise<string> {
  const id = String(nextId++);
  // Nothing that the page would load by itself.
  const answer = { status: "success", id: Number(id), output: ["https://pub-1.r2.dev/generations/a.mp3"] };
  setting.provider.add({ endpoint: "v3", id, readyAfterMs, answer });
  return setting.register({
    endpoint: "v3",
    request_id: id,
    eta: 1,
    callback_url: setting.receiver.hookUrl(id),
    ...more,
  });
}

const open = (id: string): Promise<View> => openConsole(browser, setting, { at: `#/jobs/${id}` });

/** The rows of the timeline's table, each as its cells. */
const rowsOf = ({ page }: View): Promise<string[][]> =>
  page
    .locator(".entries tbody tr")
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? "")));

it("follows a job until it is delivered, in place", async () => {
  const id = await running(3_000);
  const view = await open(id);
  const { page } = view;
  await page.getByText("of about 1 s").or(page.getByText("past its ETA of 1 s")).waitFor();
  await page.getByText("waiting", { exact: true }).waitFor();
  await expect.poll(() => page.getByRole("button", { name: "Cancel…" }).isVisible()).toBe(true);
  const mark = page.getByRole("img", { name: /^Registered/ });
  await mark.focus();
  await page.locator(".badge", { hasText: "delivered" }).waitFor();
  const rows = await rowsOf(view);
  expect(rows.map(([, , what, result, http]) => [what, result, http].join(" ").trim())).toEqual([
    "Registered",
    ...rows.slice(1, -2).map(() => "Poll pending 200"),
    "Poll succeeded 200",
    "Attempt delivered 204",
  ]);
  await expect.poll(() => page.locator(".mark").count()).toBe(rows.length);
  // It is still the same element, and still has the focus.
  await expect.poll(() => mark.evaluate((element) => element === document.activeElement)).toBe(true);
  await expect.poll(() => page.getByRole("button", { name: "Cancel…" }).isVisible()).toBe(false);
  await expect.poll(() => page.getByRole("progressbar").count()).toBe(0);
  await looksWell(view);
  expect(view.complaints()).toEqual([]);
});

it("tells of each mark what it is: to the pointer, and along the arrow keys", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  await showJob(view, {
    eta: 20,
    timeline: [
      { after: 0, type: "registered" },
      { after: 20_000, type: "poll", result: "pending", http_status: 200, duration_ms: 41 },
      { after: 24_000, type: "poll", result: "succeeded", http_status: 200, duration_ms: 1_500 },
      {
        after: 25_600,
        type: "attempt",
        result: "failed",
        reason: "http_error",
        http_status: 503,
        duration_ms: 12,
        response: "deploying",
      },
    ],
  });
  const tip = page.locator(".tip");
  await page.getByRole("img", { name: /^Poll, succeeded/ }).hover();
  await expect.poll(() => tip.innerText()).toMatch(/^Poll, succeeded, HTTP 200, 1\.5 s, \+24 s\n/);
  await page.mouse.move(0, 0);
  await tip.waitFor({ state: "hidden" });
  // The marks are one stop of the Tab key.
  await page.getByRole("button", { name: "Erase…" }).focus();
  await page.keyboard.press("Tab");
  await expect.poll(() => tip.innerText()).toMatch(/^Registered, \+0/);
  for (const [key, text] of [
    ["ArrowRight", /^Poll, pending, HTTP 200, 41 ms, \+20 s/],
    ["End", /^Attempt, failed: http_error, HTTP 503, 12 ms, \+25\.6 s\n.*\ndeploying$/],
    ["ArrowLeft", /^Poll, succeeded/],
    ["Home", /^Registered/],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(() => tip.innerText()).toMatch(text);
  }
  await page.keyboard.press("Escape");
  await expect.poll(() => tip.isVisible()).toBe(false);
  await expect.poll(() => page.locator(".axis").textContent()).toMatch(/ETA 20 s/);
  // The deadline was the outcome's.
  await expect.poll(() => page.locator(".axis").textContent()).not.toMatch(/deadline/);
  await expect.poll(() => page.title()).toBe("v3 12202888 · Pollhook");
  expect(view.complaints()).toEqual([]);
});

it("keeps the marks of a long and crowded timeline apart, and gets into a phone", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  await showJob(view, {
    eta: 20,
    deadline_at: new Date(Date.UTC(2026, 0, 3)).toISOString(),
    timeline: dayOfPolls(),
  });
  await page.getByText("Not to scale: long waits are shortened.").waitFor();
  const distances = () =>
    page.locator(".mark").evaluateAll((marks) => {
      const places = marks.map((mark) => mark.getBoundingClientRect()).map(({ x, y }) => ({ x, y }));
      return places.flatMap((a, i) =>
        places
          .slice(i + 1)
          .filter((b) => a.y === b.y)
          .map((b) => Math.abs(a.x - b.x)),
      );
    });
  for (const width of [1200, 375]) {
    await page.setViewportSize({ width, height: 700 });
    await page.waitForTimeout(100);
    await expect.poll(() => page.locator(".mark").count()).toBe(64);
    expect(Math.min(...(await distances()))).toBeGreaterThan(12);
  }
  await expect.poll(() => page.locator(".axis").textContent()).toMatch(/30 s.*5 min.* h.*ETA 20 s/);
  await looksWell(view);
  expect(view.complaints()).toEqual([]);
});

it("looks at a job now and then where too many watch its stream", async () => {
  const id = await running(2_000);
  const view = await openConsole(browser, setting);
  const { page } = view;
  await page.route("**/events", (route) =>
    route.fulfill({ status: 503, json: { code: "unavailable", detail: "As many watch this job as may." } }),
  );
  await goTo(view, `#/jobs/${id}`);
  await page.getByText("live, by looking now and then").waitFor();
  await page.locator(".badge", { hasText: "delivered" }).waitFor();
  await view.complained(/a status of 503 /);
  expect(view.complaints()).toEqual([]);
});

it("rests while nobody sees it, and goes on where it was", async () => {
  const id = await running(60_000);
  const view = await openConsole(browser, setting);
  const { page } = view;
  const streams: (string | undefined)[] = [];
  const looks: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/events")) streams.push(request.headers()["last-event-id"]);
    else if (request.url().includes(id)) looks.push(request.url());
  });
  await goTo(view, `#/jobs/${id}`);
  await page
    .getByRole("img", { name: /^Poll, pending/ })
    .first()
    .waitFor();
  const turn = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await turn(true);
  const [before, seen] = [looks.length, streams.length];
  // Long enough for the next poll.
  await page.waitForTimeout(3_500);
  expect([looks.length, streams.length]).toEqual([before, seen]);
  await turn(false);
  await expect.poll(() => streams.length).toBe(seen + 1);
  expect([streams[0], streams.at(-1)]).toEqual([undefined, expect.stringMatching(/^\d+-\d+$/)]);
  // Nor does it go on once another view is open.
  await goTo(view, "#/stats");
  await page.getByRole("heading", { name: "Statistics" }).waitFor();
  const left = looks.length;
  await page.waitForTimeout(1_500);
  expect(looks.length).toBe(left);
  expect(view.complaints()).toEqual([]);
});

it("says that a job is not there, and what a token may not do", async () => {
  const view = await open(`job_${"a".repeat(32)}`);
  await view.page.getByRole("alert").getByText("There is no such job.").waitFor();
  await view.complained(/a status of 404 /);
  await view.page.getByRole("link", { name: "All jobs" }).waitFor();
  expect(view.complaints()).toEqual([]);
  const id = await running(0);
  const token = await setting.tokenFor("e2e", { scope: "jobs:read" });
  const reader = await openConsole(browser, setting, { token, at: `#/jobs/${id}` });
  await reader.page.getByText("sign in with a token that has jobs:write").waitFor();
  await expect.poll(() => reader.page.getByRole("button", { name: "Erase…" }).count()).toBe(0);
  await looksWell(reader);
  expect(reader.complaints()).toEqual([]);
});
