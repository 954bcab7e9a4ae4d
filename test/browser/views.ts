/**
 * One browser for all tests of a file, and views into it: a page with storage of its own, whose complaints are kept.
 * Whatever becomes of the tests, the browser is gone when the file is over.
 */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, vi } from "vitest";
import { launchChromium } from "./chromium.ts";

/** Includes unpacking it, on a machine that is busy: limits, never measures. */
const OPEN_LIMIT_MS = 120_000;
/** More than the 30 s after which a browser that does not end is killed. */
const CLOSE_LIMIT_MS = 60_000;
/** The console may tell of a call later than the call itself. */
const COMPLAINT_LIMIT_MS = 10_000;

export interface View {
  readonly page: Page;
  /** The console's errors (a CSP violation is one, an answer of 4xx too) and what no one has caught. */
  complaints(): readonly string[];
  /** Waits for a complaint that is meant to come, and takes it out. */
  complained(pattern: RegExp): Promise<void>;
}

export interface Views {
  /** Opens a view, such as `{ viewport: { width: 375, height: 700 }, colorScheme: "dark" }`, and waits until it is loaded. */
  open(url: string, options?: BrowserContextOptions): Promise<View>;
}

/** To be called once, at the top of a test file. */
export function browserOfThisFile(): Views {
  let browser: Browser | null = null;
  beforeAll(async () => {
    browser = await launchChromium();
  }, OPEN_LIMIT_MS);
  afterAll(() => browser?.close(), CLOSE_LIMIT_MS);
  return {
    open: async (url, options) => {
      if (!browser) throw new Error("The browser opens before the first test of the file.");
      const page = await browser.newPage(options);
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("crash", () => complaints.push("The page has crashed."));
      await page.goto(url);
      return {
        page,
        complaints: () => complaints,
        complained: (pattern) =>
          vi.waitFor(() => {
            const index = complaints.findIndex((text) => pattern.test(text));
            if (index < 0) throw new Error(`No complaint fits ${pattern}: ${JSON.stringify(complaints)}`);
            complaints.splice(index, 1);
          }, COMPLAINT_LIMIT_MS),
      };
    },
  };
}
