/** What the console makes of an outage, of answers that are not Pollhook's, of a wrong clock and of odd looks. */
import type { Route } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { JOB_ID, showJob } from "./console-job.ts";
import { goTo, openConsole } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
}, 120_000);
afterAll(() => setting.tearDown());

let nextId = 7_300_000;

/** A job that is delivered, or waits for an hour. */
async function register(isOver = true): Promise<string> {
  const id = String(nextId++);
  const answer = { status: "success", id: Number(id), output: ["https://pub-1.r2.dev/a.mp3"] };
  setting.provider.add({ endpoint: "v3", id, answer, ...(!isOver && { readyAfterMs: 3_600_000 }) });
  const job = await setting.register({
    endpoint: "v3",
    request_id: id,
    eta: isOver ? 0 : 3_600,
    callback_url: setting.receiver.hookUrl(id),
  });
  if (isOver) await expect.poll(async () => (await setting.job(job)).status).toBe("delivered");
  return job;
}

const badge = ({ page }: View, text: string) => page.locator(".badge", { hasText: text });

/** Forgets what the browser itself said of calls that came to nothing. */
const unreachable = (view: View): readonly string[] =>
  view.complaints().filter((text) => !/ERR_FAILED|a status of (404|409|502)/.test(text));

it("shows a job by itself once an outage at its loading is over, and one that befalls it later", async () => {
  const job = await register(false);
  const view = await openConsole(browser, setting);
  const { page } = view;
  const abort = (route: Route) => route.abort();
  await page.route("**/v1/jobs/job_*", abort);
  await goTo(view, `#/jobs/${job}`);
  await page.getByRole("alert").getByText("Pollhook cannot be reached. Trying again by itself.").waitFor();
  await page.getByRole("button", { name: "Try again" }).focus();
  await page.unroute("**/v1/jobs/job_*", abort);
  await badge(view, "waiting").waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  // What an action came to goes once the job can be looked at again.
  await page.route("**/cancel", abort);
  await page.getByRole("button", { name: "Cancel…" }).click();
  await page.getByRole("button", { name: "Cancel the job" }).click();
  await page.getByRole("alert").getByText("Pollhook cannot be reached.").waitFor();
  await page.unroute("**/cancel", abort);
  await setting.call("POST", `/v1/jobs/${job}/cancel`);
  await badge(view, "canceled").waitFor();
  await expect.poll(() => page.getByText("Pollhook cannot be reached.").count()).toBe(0);
  expect(unreachable(view)).toEqual([]);
});

it("notices what becomes elsewhere of a job that is over", async () => {
  const job = await register();
  const view = await openConsole(browser, setting);
  const { page } = view;
  await page.clock.install();
  await goTo(view, `#/jobs/${job}`);
  await badge(view, "delivered").waitFor();
  const attempts = page.getByRole("img", { name: /^Attempt, delivered/ });
  await expect.poll(() => attempts.count()).toBe(1);
  await setting.call("POST", `/v1/jobs/${job}/redeliver`);
  await expect.poll(async () => (await setting.job(job)).attempts).toBe(2);
  await page.clock.fastForward(16_000);
  await expect.poll(() => attempts.count()).toBe(2);
  await setting.call("DELETE", `/v1/jobs/${job}`);
  await page.clock.fastForward(16_000);
  await page.getByRole("alert").getByText("There is no such job.").waitFor();
  const again = await setting.register({ endpoint: "v3", request_id: String(nextId - 1), eta: 0 });
  expect(again).toBe(job);
  await page.clock.fastForward(16_000);
  await badge(view, "finished").waitFor();
  await expect.poll(() => attempts.count()).toBe(0);
  expect(unreachable(view)).toEqual([]);
});

it("says of answers that are not Pollhook's that they are not", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  for (const odd of [
    { json: {} },
    { json: null },
    { json: { status: "waiting", timeline: [{}] } },
    { contentType: "text/html", body: "<h1>Sign in</h1>" },
  ]) {
    await page.route("**/v1/**", (route) => route.fulfill(odd));
    for (const [at, title] of [
      [`#/jobs/${JOB_ID}`, JOB_ID],
      ["#/stats", "Statistics"],
      ["#/destinations", "Destinations"],
      ["#/destinations/app", "app"],
    ] as const) {
      await goTo(view, at);
      await page.getByRole("heading", { name: title, exact: true, level: 1 }).waitFor();
      await page
        .getByRole("alert")
        .getByText(/not Pollhook/)
        .waitFor();
      await expect.poll(() => page.getByText("Loading…").count()).toBe(0);
      // What is drawn to the size that there is hears of another.
      for (const width of [700, 1200]) await page.setViewportSize({ width, height: 750 });
    }
    await page.unroute("**/v1/**");
  }
  await page.waitForTimeout(1_200);
  expect(view.complaints()).toEqual([]);
});

it("tells times by Pollhook's clock, whatever the browser's says", async () => {
  const job = await register(false);
  const view = await openConsole(browser, setting);
  const { page } = view;
  // Workers have their answers dated for them, but not on this machine.
  await page.route(/jobs(\?.*|\/job_\w+)$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), date: new Date().toUTCString() } });
  });
  await page.clock.install({ time: Date.now() + 3 * 3_600_000 });
  await goTo(view, `#/jobs/${job}`);
  await page.getByText(/^[\d.]+ m?s of about 1 h/).waitFor();
  await page.getByText(/, \d+ s ago$/).waitFor();
  await goTo(view, "#/jobs");
  await page
    .getByText(/^\d+ s ago$/)
    .first()
    .waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  expect(view.complaints()).toEqual([]);
});

it("turns nothing round, and lists what is no text", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  await showJob(view, {
    request_id: "a\u202Egnp.exe",
    metadata: { file: "a\u202Egnp.exe\u2069" },
    result: { output: [null, "", 7, ["deep", false]] },
  });
  const metadata = page.getByRole("region", { name: "Metadata" }).locator("pre");
  await expect.poll(() => metadata.innerText()).toContain("a\\u202egnp.exe\\u2069");
  const values = page.locator(".facts dd, .break, .badge");
  await expect
    .poll(() => values.evaluateAll((all) => [...new Set(all.map((e) => getComputedStyle(e).unicodeBidi))]))
    .toEqual(["isolate"]);
  await expect
    .poll(() => page.getByRole("region", { name: "Outputs" }).getByRole("listitem").allInnerTexts())
    .toEqual(["null", '""', "7", "deep", "false"]);
  expect(view.complaints()).toEqual([]);
});

it("shows what is selected, and which colour is which, where colours are forced", async () => {
  const view = await openConsole(browser, setting, { at: "#/stats?window=7d" });
  const { page } = view;
  await page.getByRole("img", { name: /^Outcomes, / }).waitFor();
  await page.emulateMedia({ forcedColors: "active" });
  const groundOf = (name: string) =>
    page.getByRole("link", { name, exact: true }).evaluate((link) => getComputedStyle(link).backgroundColor);
  await expect.poll(async () => (await groundOf("7d")) === (await groundOf("24h"))).toBe(false);
  await expect.poll(async () => (await groundOf("Statistics")) === (await groundOf("Jobs"))).toBe(false);
  const patches = page.locator(".patch");
  await expect
    .poll(() =>
      patches.evaluateAll((all) => new Set(all.map((e) => getComputedStyle(e).backgroundColor)).size),
    )
    .toBe(4);
  expect(view.complaints()).toEqual([]);
});

it("piles up no listeners while it looks again and again", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  await page.clock.install();
  await page.evaluate(() => {
    let kept = 0;
    const { addEventListener, removeEventListener } = AbortSignal.prototype;
    const count = (by: number) => {
      kept += by;
      Object.assign(globalThis, { kept });
    };
    AbortSignal.prototype.addEventListener = function (...args: Parameters<typeof addEventListener>) {
      count(1);
      return addEventListener.apply(this, args);
    };
    AbortSignal.prototype.removeEventListener = function (...args: Parameters<typeof removeEventListener>) {
      count(-1);
      return removeEventListener.apply(this, args);
    };
  });
  let looks = 0;
  page.on("response", (response) => {
    if (response.url().includes("/v1/stats")) looks++;
  });
  await goTo(view, "#/stats");
  await page.getByText("As of").waitFor();
  const before = looks;
  for (let i = 1; i <= 4; i++) {
    await page.clock.fastForward(31_000);
    await expect.poll(() => looks).toBe(before + i);
    await page.waitForTimeout(50);
  }
  expect(await page.evaluate(() => (globalThis as { kept?: number }).kept)).toBeLessThanOrEqual(3);
  expect(view.complaints()).toEqual([]);
});
