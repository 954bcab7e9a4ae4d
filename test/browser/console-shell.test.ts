/**
 * The console around its views: who is signed in and for how long, where one is, and what all of it weighs.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../demo/worker-process.ts";
import { Setting } from "../e2e/setting.ts";
import { goTo, isOnlyText, looksWell, openConsole, PLANTED, picture } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const MAX_CONSOLE_BYTES = 60 * 1024;

const browser = browserOfThisFile();
let setting: Setting;
let address: string;

beforeAll(async () => {
  setting = await Setting.create({ vars: () => ({ REVOKED_TOKENS: "stolen" }) });
  await setting.start();
  address = `${setting.worker.origin}/console`;
}, 120_000);
afterAll(() => setting?.tearDown());

const now = (): number => Math.floor(Date.now() / 1000);
const heading = ({ page }: View, name: string) => page.getByRole("heading", { level: 1, name });
const focused = ({ page }: View) => page.evaluate(() => document.activeElement?.tagName);

async function paste({ page }: View, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

describe("signing in", () => {
  it("takes a token that is pasted, and keeps it in the tab alone until one signs out", async () => {
    const view = await browser.open(address);
    const { page } = view;
    await heading(view, "Sign in").waitFor();
    await expect.poll(() => focused(view)).toBe("TEXTAREA");
    await looksWell(view);
    await picture(view, "sign-in");
    await paste(view, `Bearer ${setting.token.slice(0, 40)}\n  ${setting.token.slice(40)} `);
    await heading(view, "Jobs").waitFor();
    await expect.poll(() => page.title()).toBe("Jobs · Pollhook");
    await expect
      .poll(() => page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie]))
      .toEqual([1, 0, ""]);
    await page.reload();
    await heading(view, "Jobs").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(view, "Sign in").waitFor();
    await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(0);
    await expect.poll(() => page.getByRole("navigation").count()).toBe(0);
    await page.reload();
    await heading(view, "Sign in").waitFor();
    expect(view.complaints()).toEqual([]);
  });

  it.each([
    ["what is no token", async () => "sesame", /three parts/, false],
    ["a token of another Pollhook", async () => `${setting.token.slice(0, -8)}AAAAAAAA`, /signature/, true],
    ["one that has expired", () => setting.tokenFor("e2e", { exp: now() - 1 }), /expired/, true],
    ["one that is revoked", () => setting.tokenFor("e2e", { jti: "stolen" }), /revoked/, true],
  ])("refuses %s, and says why at the field", async (_, mint, why, isAsked) => {
    const view = await browser.open(address);
    const { page } = view;
    await paste(view, await mint());
    await page.locator("#token-problem").filter({ hasText: why }).waitFor();
    await expect.poll(() => page.getByLabel("Token").getAttribute("aria-invalid")).toBe("true");
    await expect.poll(() => focused(view)).toBe("TEXTAREA");
    await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(0);
    if (isAsked) await view.complained(/a status of 401 /);
    else await looksWell(view);
    await paste(view, setting.token);
    await heading(view, "Jobs").waitFor();
    expect(view.complaints()).toEqual([]);
  });

  it("signs in by Enter, and says that another tab signs in for itself", async () => {
    const view = await browser.open(address);
    await view.page.getByText("signs in for itself").waitFor();
    await view.page.getByLabel("Token").fill(setting.token);
    await view.page.keyboard.press("Enter");
    await heading(view, "Jobs").waitFor();
    expect(view.complaints()).toEqual([]);
  });

  it.each([
    ["a page", "<!doctype html><title>Welcome</title>"],
    ["null", "null"],
    ["another API's object", "{}"],
  ])("is not taken in by %s of another server", async (_, body) => {
    const view = await browser.open(address);
    await view.page.route("**/v1/jobs?*", (route) => route.fulfill({ status: 200, body }));
    await paste(view, setting.token);
    await view.page.getByRole("alert").filter({ hasText: "is not Pollhook" }).waitFor();
    await expect.poll(() => view.page.evaluate(() => sessionStorage.length)).toBe(0);
    expect(view.complaints()).toEqual([]);
  });

  it("takes a link's token out of the address and the history at once", async () => {
    const view = await browser.open("about:blank");
    const { page } = view;
    await page.goto(`${address}#token=${setting.token}`);
    await heading(view, "Jobs").waitFor();
    expect(page.url()).toBe(address);
    await goTo(view, "#/register");
    await heading(view, "Register").waitFor();
    await page.goBack();
    await heading(view, "Jobs").waitFor();
    expect(page.url()).toBe(address);
    // In a tab that is signed in already.
    await goTo(view, `#token=${await setting.tokenFor("other")}`);
    await page.getByText("other", { exact: true }).waitFor();
    expect(page.url()).toBe(address);
    await goTo(view, "#token=garbage");
    await page.getByText("The link has brought no token: you are signed in as you were.").waitFor();
    await heading(view, "Jobs").waitFor();
    expect(page.url()).toBe(address);
    expect(view.complaints()).toEqual([]);
  });

  it("says that a link has brought none", async () => {
    const view = await browser.open(`${address}#token=broken`);
    await view.page.getByText("The link has brought no token").waitFor();
    expect(view.page.url()).toBe(address);
  });

  it("ends when the token does, keeps one's place and what was typed, and shows nothing any more", async () => {
    const exp = now() + 4;
    const token = await setting.tokenFor("e2e", { exp });
    const view = await openConsole(browser, setting, { token, at: "#/register" });
    const { page } = view;
    await page.getByLabel("Request id").fill("4711");
    await page.getByLabel("Nowhere").check();
    await expect.poll(now, { timeout: 10_000 }).toBeGreaterThan(exp);
    await page.getByRole("button", { name: "Register" }).click();
    await heading(view, "Sign in").waitFor();
    await expect
      .poll(() => page.getByRole("status").innerText())
      .toBe("You have been signed out. The token has expired; mint a new one.");
    await expect.poll(() => page.getByText("4711").count()).toBe(0);
    await view.complained(/a status of 401 /);
    await paste(view, setting.token);
    await heading(view, "Register").waitFor();
    await expect.poll(() => page.getByLabel("Request id").inputValue()).toBe("4711");
    await expect.poll(() => page.getByLabel("Nowhere").isChecked()).toBe(true);
    expect(view.complaints()).toEqual([]);
  });

  it("shows whose token it is as text", async () => {
    const view = await openConsole(browser, setting, {
      token: await setting.tokenFor("e2e", { own: PLANTED }),
    });
    await heading(view, "Jobs").waitFor();
    await isOnlyText(view);
    expect(view.complaints()).toEqual([]);
  });
});

describe("finding one's way", () => {
  it("leads by the keyboard past the navigation, and to the heading of each view", async () => {
    const view = await openConsole(browser, setting);
    const { page } = view;
    await page.keyboard.press("Tab");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    await expect.poll(() => focused(view)).toBe("MAIN");
    expect(page.url()).toBe(address);
    for (const [link, title] of [
      ["Register", "Register · Pollhook"],
      ["Jobs", "Jobs · Pollhook"],
    ] as const) {
      await page.getByRole("link", { name: link, exact: true }).focus();
      await page.keyboard.press("Enter");
      await heading(view, link).waitFor();
      await expect.poll(() => page.title()).toBe(title);
      await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe(link);
      await expect.poll(() => page.locator("[aria-current=page]").innerText()).toBe(link);
    }
    expect(view.complaints()).toEqual([]);
  });

  it.each([
    [{ scope: "jobs:read stats:read" }, ["Jobs", "Statistics"]],
    [{ scope: "jobs:read jobs:write stats:read destinations:read", own: "user-7" }, ["Jobs", "Register"]],
  ])("offers what the token %j may see", async (more, views) => {
    const view = await openConsole(browser, setting, { token: await setting.tokenFor("e2e", more) });
    const links = view.page.getByRole("navigation", { name: "Views" }).getByRole("link");
    await expect.poll(() => links.allInnerTexts()).toEqual(views);
    expect(view.complaints()).toEqual([]);
  });

  it("says that an address leads nowhere", async () => {
    const view = await openConsole(browser, setting, { at: `#/${encodeURIComponent(PLANTED)}/x?y=z` });
    await heading(view, "Nothing here").waitFor();
    await looksWell(view);
    await view.page.getByRole("link", { name: "To the jobs" }).click();
    await heading(view, "Jobs").waitFor();
    expect(view.complaints()).toEqual([]);
  });
});

it("weighs less than 60 KiB, compressed", () => {
  // As wrangler had it put together for the Worker that is looked at here.
  const site = join(ROOT, "dist", "site");
  const names = readdirSync(join(site, "console")).filter((name) => !/\d$/.test(name));
  expect(names.sort()).toEqual(["icon.svg", "main.css", "main.js"]);
  const files = [join(site, "console.html"), ...names.map((name) => join(site, "console", name))];
  const sizes = files.map((file) => gzipSync(readFileSync(file)).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_CONSOLE_BYTES);
});
