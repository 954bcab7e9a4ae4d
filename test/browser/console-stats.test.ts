/** Statistics in the console. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { goTo, isOnlyText, looksWell, openConsole, PLANTED, picture } from "./console-view.ts";
import { browserOfThisFile } from "./views.ts";

const browser = browserOfThisFile();
let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
}, 120_000);
afterAll(() => setting.tearDown());

/** Registers a request with its finished answer. */
const register = (id: string, status: "success" | "failed"): Promise<string> =>
  setting.register({
    endpoint: "v6/video",
    request_id: id,
    response: { status, id, message: "no", output: status === "success" ? ["https://x.example/a.mp3"] : "" },
    callback_url: setting.receiver.hookUrl("stats"),
  });

it("counts what has ended, in the window that its address names", async () => {
  for (const id of ["1", "2", "3"]) await register(id, "success");
  setting.provider.add({ endpoint: "v3", id: "4", misbehaviours: [{ kind: "failure", message: "no" }] });
  await setting.register({ endpoint: "v3", request_id: "4", eta: 0 });
  const ended = async () => {
    const { total } = (await (await setting.call("GET", "/v1/stats")).json()) as {
      total: { outcomes: { failed: number }; delivered: number };
    };
    return [total.outcomes.failed, total.delivered];
  };
  await expect.poll(ended, { timeout: 20_000 }).toEqual([1, 3]);
  const view = await openConsole(browser, setting, { at: "#/stats?window=7d" });
  const { page } = view;
  const chart = page.getByRole("img", { name: /^Outcomes, / });
  await chart.waitFor();
  await expect
    .poll(() => chart.getAttribute("aria-label"))
    .toMatch(/: 3 succeeded, 1 failed, 0 expired, 0 canceled\.$/);
  await expect.poll(() => chart.locator("g").count()).toBe(48);
  await page.getByText("As a table").click();
  const rows = page.getByRole("region", { name: "Outcomes, as a table" }).locator("tbody tr");
  await expect.poll(() => rows.last().locator("td").allInnerTexts()).toEqual(["3", "1", "0", "0"]);
  const work = page.getByRole("region", { name: "Work, by endpoint" });
  const figures = (name: string) => work.getByRole("row", { name }).locator("td").allInnerTexts();
  await expect
    .poll(() => figures("All"))
    .toEqual(["4", "3", "1", "0", "0", "3", "0", expect.any(String), "1.00"]);
  expect((await figures("v6/video")).slice(0, 3)).toEqual(["3", "3", "0"]);
  await expect
    .poll(() => work.getByRole("link", { name: "v3" }).getAttribute("href"))
    .toBe("#/jobs?endpoint=v3");
  const times = page.getByRole("region", { name: "Lag and delivery, by endpoint" });
  for (const text of (await times.getByRole("row", { name: "v6/video" }).locator("td").allInnerTexts()).slice(
    3,
  ))
    expect(text).toMatch(/^[\d.]+ m?s$/);
  await expect
    .poll(() => page.getByRole("link", { name: "3 delivered" }).getAttribute("href"))
    .toBe("#/jobs?status=delivered");
  await expect.poll(() => page.getByRole("link", { name: "7d" }).getAttribute("aria-current")).toBe("true");
  await page.getByRole("link", { name: "1h" }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.getByRole("link", { name: "1h" }).getAttribute("aria-current")).toBe("true");
  expect(new URL(page.url()).hash).toBe("#/stats?window=1h");
  expect(
    await page.getByRole("link", { name: "1h" }).evaluate((link) => link === document.activeElement),
  ).toBe(true);
  await looksWell(view);
  expect(view.complaints()).toEqual([]);
});

it("looks again each half minute while it is seen, and leaves open what is open", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  await page.clock.install();
  let looks = 0;
  page.on("response", (response) => {
    if (response.url().includes("/v1/stats")) looks++;
  });
  await goTo(view, "#/stats");
  await page.getByText("As a table").click();
  // The list, which was shown before, asks for the counts as well.
  await page.waitForLoadState("networkidle");
  const first = looks;
  await register("5", "success");
  await setting.receiver.waitFor(({ body }) => body.includes(`"request_id":"5"`));
  await page.clock.fastForward(31_000);
  await expect.poll(() => looks).toBe(first + 1);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.clock.fastForward(120_000);
  await page.clock.runFor(100);
  expect(looks).toBe(first + 1);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: false, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.getByRole("img", { name: /: 4 succeeded, 1 failed/ }).waitFor();
  await expect.poll(() => page.getByRole("region", { name: "Outcomes, as a table" }).isVisible()).toBe(true);
  expect(view.complaints()).toEqual([]);
});

it("says what is missing: a scope, or the server", async () => {
  for (const claims of [{ scope: "jobs:read" }, { scope: "stats:read", own: "user-7" }]) {
    const token = await setting.tokenFor("e2e", claims);
    const view = await openConsole(browser, setting, { token, at: "#/stats" });
    await view.page.getByText("has no stats:read, or is bound to less").waitFor();
    await looksWell(view);
    // The list, which the console begins with, is not for a token without jobs:read.
    expect(view.complaints().filter((text) => !/a status of 403/.test(text))).toEqual([]);
  }
  const other = await openConsole(browser, setting);
  await other.page.route("**/v1/stats?*", (route) => route.abort());
  await goTo(other, "#/stats");
  await other.page.getByText("Pollhook cannot be reached.").waitFor();
  await other.complained(/ERR_FAILED/);
  await other.page.unroute("**/v1/stats?*");
  await other.page.getByRole("button", { name: "Try again" }).click();
  await other.page.getByRole("heading", { name: "Outcomes over time" }).waitFor();
  expect(other.complaints()).toEqual([]);
});

it("draws a busy day, and takes no endpoint for markup", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  let endpoints = ["v3", "v4/dreambooth", "v6/video", "v1/enterprise/flux"];
  await page.route("**/v1/stats?*", (route) => route.fulfill({ json: dayOf(endpoints) }));
  await goTo(view, "#/stats");
  await page.getByRole("img", { name: /^Outcomes, / }).waitFor();
  await picture(view, "stats");
  endpoints = [PLANTED];
  await goTo(view, "#/stats?window=1h");
  await page.getByRole("link", { name: PLANTED }).first().waitFor();
  await isOnlyText(view);
  await looksWell(view);
  expect(view.complaints()).toEqual([]);
});

/** A day as it may be: quiet at night, and with an outage in the afternoon. */
function dayOf(endpoints: readonly string[]) {
  const to = Date.UTC(2026, 10, 21, 12);
  const iso = (ms: number): string => new Date(ms).toISOString();
  const series = Array.from({ length: 48 }, (_, i) => ({
    at: iso(to - (48 - i) * 1_800_000),
    succeeded: Math.round(60 + 45 * Math.sin((i - 14) / 7.6) + (i % 5) * 3),
    failed: i > 28 && i < 34 ? 30 + i : i % 4,
    expired: i > 30 && i < 36 ? 12 : 0,
    canceled: i % 9 === 0 ? 2 : 0,
  }));
  const figuresOf = (n: number) => ({
    registered: 1_000 * n,
    outcomes: { succeeded: 930 * n, failed: 50 * n, expired: 15 * n, canceled: 2 * n },
    delivered: 940 * n,
    undelivered: 12 * n,
    attempts_per_delivery: 1.02 + n / 20,
    polls_per_job: 1.4 + n / 2,
    detection_lag_ms: { p50: 400 * n, p95: 1_900 * n, p99: 2_400 * n },
    delivery_ms: { p50: 8 * n, p95: 90 * n, p99: 5_100 * n },
  });
  return {
    window: "24h",
    from: iso(to - 86_400_000),
    to: iso(to),
    statuses: { waiting: 31, delivering: 412, delivered: 9_203, undelivered: 118, finished: 0, canceled: 20 },
    series,
    total: figuresOf(endpoints.length),
    endpoints: Object.fromEntries(endpoints.map((endpoint, i) => [endpoint, figuresOf(i + 1)])),
  };
}
