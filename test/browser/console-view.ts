/**
 * The console in a page: signed in, at one of its views, in every look it has; what axe-core finds in it; what has
 * become of markup that was planted; and pictures of it for the README.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { ROOT } from "../demo/worker-process.ts";
import type { Setting } from "../e2e/setting.ts";
import type { View, Views } from "./views.ts";

/** Markup for every value from outside: run or made an element, it can be seen. */
export const PLANTED = "<img src=x onerror=window.planted=1><b class=planted>";

const DESKTOP = { width: 1200, height: 750 };
const PHONE = { width: 375, height: 700 };
const LOOKS = [
  { size: DESKTOP, scheme: "light" },
  { size: DESKTOP, scheme: "dark" },
  { size: PHONE, scheme: "dark" },
  { size: PHONE, scheme: "light" },
] as const;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = join(ROOT, "test", "browser", "screenshots");

export interface ConsoleOptions extends BrowserContextOptions {
  /** Of the setting's tenant unless given. */
  readonly token?: string;
  /** The view's address, `#/jobs` unless given. */
  readonly at?: string;
}

/** Opens the console by a link that signs in. */
export async function openConsole(
  browser: Views,
  setting: Setting,
  { token = setting.token, at = "#/jobs", ...options }: ConsoleOptions = {},
): Promise<View> {
  const view = await browser.open(`${setting.worker.origin}/console#token=${token}`, {
    viewport: DESKTOP,
    ...options,
  });
  if (at !== "#/jobs") await goTo(view, at);
  return view;
}

/** Follows a link to another view of the console. */
export const goTo = ({ page }: View, at: string): Promise<void> =>
  page.evaluate((hash) => {
    location.hash = hash;
  }, at);

/** Light and dark, on a desktop and on a phone: axe-core finds nothing, and nothing is wider than the screen. */
export async function looksWell({ page }: View): Promise<void> {
  for (const { size, scheme } of LOOKS) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: scheme });
    await drawn(page);
    const where = `${scheme}, ${size.width} px`;
    expect(await violations(page), where).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, `${where}: the page scrolls sideways`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
}

/** What is drawn to the size that there is has been drawn to a new one. */
const drawn = (page: Page): Promise<void> =>
  page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );

/** What axe-core finds, rule by rule, with the elements. */
async function violations(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which the page's policy does not hold back.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ["violations"] })`)) as AxeResults;
  return found.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`,
  );
}

/** What was planted is to be read as it is, and is nothing else. */
export async function isOnlyText({ page }: View): Promise<void> {
  const seen = await page.evaluate(
    (planted) => ({
      isRead: [
        document.body.innerText,
        ...[...document.querySelectorAll("input, textarea")].map(
          (input) => (input as HTMLInputElement).value,
        ),
      ].some((text) => text.includes(planted)),
      hasRun: "planted" in globalThis,
      elements: document.querySelectorAll(".planted, img[src=x]").length,
    }),
    PLANTED,
  );
  expect(seen).toEqual({ isRead: true, hasRun: false, elements: 0 });
}

/** Takes a picture for the README; only `npm run screenshots` does, so that tests leave the files alone. */
export async function picture({ page }: View, name: string): Promise<void> {
  if (process.env.SCREENSHOTS !== "1") return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled", caret: "hide" });
}
