/** Destinations in the console: as they are, and what they are asked to do. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { goTo, isOnlyText, looksWell, openConsole, PLANTED, picture } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
}, 120_000);
afterAll(() => setting.tearDown());

const open = (at = "#/destinations", more = {}): Promise<View> =>
  openConsole(browser, setting, { at, ...more });

/** A destination that the receiver is called by; with a secret that it knows. */
async function put(name: string, more: Record<string, unknown> = {}): Promise<void> {
  const { secret } = (await (await setting.call("GET", "/v1/signing-secret")).json()) as { secret: string };
  await setting.call("PUT", `/v1/destinations/${name}`, {
    url: setting.receiver.hookUrl(name),
    secret,
    ...more,
  });
}

const cardOf = ({ page }: View, name: string) => page.getByRole("article", { name, exact: true });

/** What the API says of it. */
const read = async (name: string): Promise<Record<string, unknown>> =>
  (await (await setting.call("GET", `/v1/destinations/${name}`)).json()) as Record<string, unknown>;

it("pauses, resumes, tests, rotates and deletes", async () => {
  await put("app");
  const view = await open("#/destinations/app");
  const { page } = view;
  const card = cardOf(view, "app");
  const press = (name: string) => card.getByRole("button", { name }).click();
  await press("Pause");
  await card.getByText("Paused: what is due is parked.").waitFor();
  await card.locator(".badge", { hasText: "paused" }).waitFor();
  await expect.poll(() => read("app")).toMatchObject({ status: "paused" });
  await press("Resume");
  await card.locator(".badge", { hasText: "active" }).waitFor();
  await expect.poll(() => read("app")).toMatchObject({ status: "active" });
  setting.receiver.program("/hook/app", [{ kind: "fail", status: 503 }]);
  await press("Test");
  await card.getByText(/^The test failed: http_error, HTTP 503, \d/).waitFor();
  await press("Test");
  await card.getByText(/^The test was delivered, HTTP 204, \d/).waitFor();
  await press("Rotate secret…");
  const dialog = page.getByRole("dialog", { name: "Rotate the secret of app" });
  await dialog.getByLabel("Overlap").fill("a day");
  await dialog.getByRole("button", { name: "Rotate" }).click();
  await dialog.locator("#overlap_seconds-problem").getByText("must be a whole number").waitFor();
  await dialog.getByLabel("Overlap").fill("3600");
  await dialog.getByRole("button", { name: "Rotate" }).click();
  const shown = page.getByRole("dialog", { name: "The new secret of app" });
  await shown.getByText("The one before signs until").waitFor();
  const secret = await shown.locator(".secret").innerText();
  // It goes with the view, however that is left.
  await goTo(view, "#/stats");
  await page.getByRole("heading", { name: "Statistics" }).waitFor();
  await expect.poll(() => page.content()).not.toContain(secret);
  await goTo(view, "#/destinations/app");
  await card.getByText("signs too until").waitFor();
  await press("Delete…");
  await page.getByRole("dialog").getByRole("button", { name: "Delete it" }).click();
  await page.getByText("There is no such destination.").waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  expect((await setting.call("GET", "/v1/destinations/app")).status).toBe(404);
  await view.complained(/a status of 422 /);
  await view.complained(/a status of 404 /);
  expect(view.complaints()).toEqual([]);
});

it("shows how a destination does, and how its deliveries went", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  const at = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
  await page.route("**/v1/destinations?*", (route) =>
    route.fulfill({
      json: { destinations: [destinationOf("app", at), destinationOf("mobile", at)], next_cursor: null },
    }),
  );
  await page.route("**/v1/jobs?*", (route) => {
    const isBad = route.request().url().includes("destination=app");
    const jobs = Array.from({ length: 60 }, (_, i) => ({
      finished_at: i === 0 ? null : at(-i),
      attempts: i === 0 ? 0 : isBad && i < 15 ? 3 : 1,
      delivered_at: isBad && i < 15 ? null : at(-i),
    }));
    return route.fulfill({ json: { jobs, next_cursor: null } });
  });
  await goTo(view, "#/destinations");
  const card = cardOf(view, "app");
  await card.locator(".badge", { hasText: "host's breaker open" }).waitFor();
  await card.getByText("the host's failures in a row: 10").waitFor();
  await card.getByText(/Open since .*; next probe in \d/).waitFor();
  // 14 jobs of 3 attempts each that came to nothing, and 45 deliveries at the first.
  await card.getByRole("img", { name: /^Attempts to app, .* to now: 45 delivered, 42 failed\.$/ }).waitFor();
  await card.getByText("Attempts of its newest jobs (60)").waitFor();
  await card.getByText("As a table").click();
  const cells = await card
    .locator("tbody tr")
    .evaluateAll((rows) =>
      rows.map((row) => [...row.children].slice(1).map(({ textContent }) => Number(textContent))),
    );
  expect(cells.reduce(([good = 0, bad = 0], [a = 0, b = 0]) => [good + a, bad + b], [0, 0])).toEqual([
    45, 42,
  ]);
  await expect
    .poll(() => card.getByRole("link", { name: "Its jobs" }).getAttribute("href"))
    .toBe("#/jobs?destination=app");
  await looksWell(view);
  await card.getByText("As a table").click();
  await picture(view, "destinations");
  expect(view.complaints()).toEqual([]);
});

it("takes no value from outside for markup, and says what a token lacks", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  const at = () => new Date().toISOString();
  await page.route("**/v1/destinations?*", (route) =>
    route.fulfill({
      json: {
        destinations: [
          {
            ...destinationOf(PLANTED, at),
            url: `https://${PLANTED}/`,
            host: PLANTED,
            format: PLANTED,
            header_names: [PLANTED],
          },
        ],
        next_cursor: null,
      },
    }),
  );
  await goTo(view, "#/destinations");
  await cardOf(view, PLANTED).getByRole("button", { name: "Test" }).click();
  await page.getByRole("alert").filter({ hasText: "There is no such destination." }).waitFor();
  await isOnlyText(view);
  await looksWell(view);
  await cardOf(view, PLANTED).getByRole("button", { name: "Edit…" }).click();
  await isOnlyText(view);
  await view.complained(/a status of 404 /);
  expect(view.complaints()).toEqual([]);
  for (const [scope, text] of [
    ["destinations:read", "sign in with a token that has destinations:write"],
    ["jobs:read", "has no destinations:read"],
  ] as const) {
    await put("seen");
    const token = await setting.tokenFor("e2e", { scope });
    const bounded = await openConsole(browser, setting, { token, at: "#/destinations" });
    await bounded.page.getByText(text).first().waitFor();
    await looksWell(bounded);
    expect(bounded.complaints()).toEqual([]);
  }
});

const destinationOf = (name: string, at: (minutes: number) => string) => ({
  name,
  url: `https://your-app.example.com/hooks/${name}`,
  host: "your-app.example.com",
  format: "standard",
  retry_schedule: name === "app" ? [5, 60, 3_600] : null,
  header_names: name === "app" ? ["authorization"] : [],
  max_in_flight: 10,
  max_per_second: null,
  status: name === "app" ? "active" : "paused",
  paused_at: name === "app" ? null : at(-30),
  flow:
    name === "app"
      ? { state: "open", failures: 10, opened_at: at(-4), next_probe_at: at(2), in_flight: 0, parked: 412 }
      : { state: "closed", failures: 0, opened_at: null, next_probe_at: null, in_flight: 1, parked: 3 },
  previous_until: null,
  created_at: at(-9_000),
  updated_at: at(-90),
});
