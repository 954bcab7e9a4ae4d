/**
 * What the tests of the console's list of jobs stand on: a Worker of the file's own, a view of the list for each test,
 * requests that are registered, and the rows as they are seen.
 */
import type { Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { goTo, openConsole } from "./console-view.ts";
import type { View, Views } from "./views.ts";

/** The list is looked at every few seconds: a limit, never a measure. */
export const LIMIT = { timeout: 20_000 };

type Fields = Readonly<Record<string, unknown>>;

/** Metadata by which a test finds its own jobs. */
export const of = (test: string) => ({ metadata: { test }, index: ["test"] });

/** To be called once, at the top of a test file. */
export function jobListOfThisFile(browser: Views) {
  let setting: Setting;
  let view: View;
  let lastId = 1000;
  /** Of jobs, by their request ids. */
  const ids = new Map<string, string>();

  beforeAll(async () => {
    setting = await Setting.create();
    await setting.start();
  }, 120_000);
  beforeEach(async () => {
    view = await openConsole(browser, setting, { at: "#/jobs?request_id=none" });
  });
  afterEach(async () => {
    expect(view.complaints()).toEqual([]);
    await view.page.close();
  });
  afterAll(() => setting?.tearDown());

  /** Registers a request, of v3 unless it says another, which the provider answers as told. */
  async function registered(more: Fields, request: Fields = {}): Promise<string> {
    const id = String(++lastId);
    setting.provider.add({ endpoint: String(more.endpoint ?? "v3"), id, ...request });
    ids.set(id, await setting.register({ request_id: id, eta: 0, ...more }));
    return id;
  }

  const rows = (): Locator => view.page.locator(".job-body > [role=row]");
  const jobId = (request: string): string => ids.get(request) ?? "";
  return {
    /** Of the test that runs. */
    now: () => ({ setting, view }),
    hookOf: (name: string): string => `${setting.receiver.origin}/hook/${name}`,
    registered,
    many: (n: number, more: Fields): Promise<string[]> =>
      Promise.all(Array.from({ length: n }, () => registered(more))),
    /** One after another: the first is the oldest. */
    series: async (n: number, more: Fields): Promise<string[]> => {
      const requests: string[] = [];
      while (requests.length < n) requests.push(await registered(more));
      return requests;
    },
    jobId,
    statusOf: async (request: string): Promise<string> => (await setting.job(jobId(request))).status,
    /** Shows the jobs of one test. */
    showOnly: (test: string, more = "") => goTo(view, `#/jobs?metadata.test=${test}${more}`),
    rows,
    rowOf: (request: string) =>
      rows().filter({ has: view.page.getByRole("link", { name: `v3 / ${request}` }) }),
    boxOf: (request: string) => view.page.getByLabel(`Select v3 / ${request}`),
    shows: (n: number) => expect.poll(() => rows().count(), LIMIT).toBe(n),
  };
}
