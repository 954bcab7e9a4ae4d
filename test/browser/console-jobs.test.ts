/**
 * The list of jobs in the console, by clicking and typing, with the real Worker behind it.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { goTo, isOnlyText, looksWell, openConsole, PLANTED, picture } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const LIMIT = { timeout: 20_000 };

const browser = browserOfThisFile();
let setting: Setting;
let view: View;
let lastId = 1000;
/** By their request ids. */
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

const hookOf = (name: string): string => `${setting.receiver.origin}/hook/${name}`;

/** Registers a request that the provider answers so. */
async function registered(
  more: Record<string, unknown>,
  request: Record<string, unknown> = {},
): Promise<string> {
  const id = String(++lastId);
  setting.provider.add({ endpoint: "v3", id, ...request });
  ids.set(id, await setting.register({ request_id: id, eta: 0, ...more }));
  return id;
}

const many = (
  n: number,
  more: Record<string, unknown>,
  request?: Record<string, unknown>,
): Promise<string[]> => Promise.all(Array.from({ length: n }, () => registered(more, request)));

const grid = () => view.page.getByRole("grid", { name: "Jobs" });
const rows = () => grid().locator(".job-body > [role=row]");
const rowOf = (id: string) => rows().filter({ has: view.page.getByRole("link", { name: `v3 / ${id}` }) });
const boxOf = (id: string) => view.page.getByLabel(`Select v3 / ${id}`);
const bar = () => view.page.getByRole("group", { name: "Selected jobs" });
const dialog = () => view.page.getByRole("dialog");
const shows = (n: number) => expect.poll(() => rows().count(), LIMIT).toBe(n);
const statusOf = async (id: string) => (await setting.job(ids.get(id) ?? "")).status;

/** Only jobs of this test. */
const of = (test: string) => ({ metadata: { test }, index: ["test"] });
const at = (test: string, more = "") => goTo(view, `#/jobs?metadata.test=${test}${more}`);

it("shows a newcomer where to begin", async () => {
  const token = await setting.tokenFor("newcomer");
  const { page, complaints } = await openConsole(browser, setting, { token });
  await page.getByText("There is no job yet.").waitFor();
  await looksWell({ page, complaints, complained: async () => {} });
  await page.getByRole("link", { name: "Register one" }).click();
  await page.getByRole("heading", { name: "Register" }).waitFor();
  expect(complaints()).toEqual([]);
});

it("shows new jobs and how they go on, without a click", async () => {
  await at("live");
  await view.page.getByText("No job fits.").waitFor();
  const slow = await registered({ ...of("live"), callback_url: hookOf("live") }, { readyAfterMs: 2_500 });
  await rowOf(slow).getByText("waiting").waitFor();
  const [other] = await many(1, of("live"));
  await rowOf(slow).getByText("delivered").waitFor();
  await rowOf(other ?? "")
    .getByText("finished")
    .waitFor();
  expect(await rowOf(slow).getByRole("gridcell").nth(3).innerText()).toBe(
    new URL(setting.receiver.origin).host,
  );
  expect(await rows().evaluateAll((all) => all.map((row) => row.getAttribute("aria-rowindex")))).toEqual([
    "2",
    "3",
  ]);
  expect(await grid().getAttribute("aria-rowcount")).toBe("3");
});

it("looks well, and draws how long deliveries took", async () => {
  const callback_url = hookOf("well");
  const failed = { answer: { status: "failed", message: `no GPU is free ${PLANTED}` } };
  await many(6, { ...of("well"), callback_url });
  await many(2, { ...of("well"), callback_url }, failed);
  await many(3, { ...of("well"), callback_url, eta: 600 });
  await registered({ metadata: { test: "well", note: PLANTED }, index: ["test"], eta: 600 });
  await at("well");
  await expect.poll(() => rows().filter({ hasText: "delivered" }).count(), LIMIT).toBe(8);
  await isOnlyText(view);
  expect(
    await view.page.getByRole("img", { name: /of the last 8 deliveries .* median .*, slowest / }).count(),
  ).toBe(1);
  await view.page.getByText("More filters").click();
  await view.page.getByLabel("Select all that are loaded").check();
  await looksWell(view);
});

describe("filters", () => {
  it("stand in the URL, and can be set, taken away, and gone back to", async () => {
    const [a = "", b = ""] = await many(2, { ...of("filters"), eta: 600 });
    expect((await setting.call("POST", `/v1/jobs/${ids.get(b)}/cancel`)).status).toBe(200);
    await at("filters");
    await shows(2);
    await view.page.getByText("More filters").click();
    await view.page.getByLabel("Status", { exact: true }).selectOption("canceled");
    await view.page.getByRole("button", { name: "Filter" }).click();
    await shows(1);
    expect(await rowOf(b).count()).toBe(1);
    expect(view.page.url()).toMatch(/#\/jobs\?status=canceled&metadata\.test=filters$/);
    await view.page.getByRole("link", { name: "Without status: canceled" }).click();
    await shows(2);
    await view.page.goBack();
    await shows(1);
    expect(await view.page.getByLabel("Status", { exact: true }).inputValue()).toBe("canceled");
    await view.page.reload();
    await shows(1);
    await view.page.getByText("More filters").click();
    await view.page.getByLabel("Registered before").fill("2020-01-02T03:04:05");
    await view.page.keyboard.press("Enter");
    await view.page.getByText("No job fits.").waitFor();
    expect(new URLSearchParams(view.page.url().split("?")[1]).get("created_before")).toBe(
      new Date("2020-01-02T03:04:05").toISOString(),
    );
    await view.page.getByRole("link", { name: "Show all jobs" }).click();
    await rowOf(a).waitFor();
  });

  it("find a request by its id, and a job by its", async () => {
    const [a = ""] = await many(2, { ...of("find"), eta: 600 });
    const box = view.page.getByLabel("Request or job id");
    await box.fill(a);
    await view.page.keyboard.press("Enter");
    await shows(1);
    await rowOf(a).waitFor();
    await box.fill(ids.get(a) ?? "");
    await view.page.keyboard.press("Enter");
    await view.page.waitForURL(`**/console#/jobs/${ids.get(a)}`);
  });

  it("are refused at the field at fault", async () => {
    await goTo(view, `#/jobs?endpoint=${encodeURIComponent(PLANTED)}`);
    await view.page.locator("#endpoint-problem").filter({ hasText: "must be the path" }).waitFor();
    await view.complained(/a status of 422 /);
    await isOnlyText(view);
    await goTo(view, `#/jobs?${encodeURIComponent(PLANTED)}=1`);
    await view.page.getByText("is not a field of this request").waitFor();
    await view.complained(/a status of 422 /);
    await isOnlyText(view);
    await looksWell(view);
    await view.page.getByLabel("Indexed metadata").fill("user");
    await view.page.getByRole("button", { name: "Filter" }).click();
    await view.page.locator("#metadata-problem").filter({ hasText: "a name, = and a value" }).waitFor();
  });

  it("are a click away for each status, with its count", async () => {
    const token = await setting.tokenFor("counting");
    const call = (body: object) =>
      fetch(`${setting.worker.origin}/v1/jobs`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    for (const request_id of ["1", "2", "3"]) await call({ request_id, eta: 600 });
    const counting = await openConsole(browser, setting, { token });
    const link = (name: string) => counting.page.getByRole("link", { name, exact: true });
    await link("waiting 3").click();
    await link("All 3").waitFor();
    expect(counting.page.url()).toMatch(/#\/jobs\?status=waiting$/);
    expect(await link("waiting 3").getAttribute("aria-current")).toBe("true");
    await link("canceled 0").click();
    await counting.page.getByText("No job fits.").waitFor();
    expect(counting.complaints()).toEqual([]);
  });
});

describe("a selection", () => {
  it("is redelivered, those that can be, after the number was confirmed", async () => {
    const sent = await many(4, { ...of("again"), callback_url: hookOf("again") });
    const waiting = await registered({ ...of("again"), eta: 600 });
    await setting.receiver.waitForCount("/hook/again", 4, 30_000);
    await at("again");
    await expect.poll(() => rows().filter({ hasText: "delivered" }).count(), LIMIT).toBe(4);
    await view.page.getByLabel("Select all that are loaded").check();
    await boxOf(sent[0] ?? "").uncheck();
    await bar().getByText("4 jobs selected").waitFor();
    await bar().getByRole("button", { name: "Redeliver" }).click();
    await dialog().getByRole("heading", { name: "Redeliver 3 jobs?" }).waitFor();
    expect(await dialog().innerText()).toContain("Left as they are: 1 of the 4 jobs, nothing to deliver");
    await looksWell(view);
    await view.page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    expect(setting.receiver.deliveries("/hook/again")).toHaveLength(4);
    await bar().getByRole("button", { name: "Redeliver" }).click();
    await dialog().getByRole("button", { name: "Redeliver 3" }).click();
    await view.page.getByText("Redelivered 3 of 3 jobs").waitFor();
    await setting.receiver.waitForCount("/hook/again", 7, 30_000);
    expect(await bar().count()).toBe(0);
    expect(await statusOf(waiting)).toBe("waiting");
    await view.page.getByRole("button", { name: "Dismiss" }).click();
    expect(await view.page.getByText("Redelivered").count()).toBe(0);
  });

  it("is made by the keyboard, a range at a time, and holds still while jobs come", async () => {
    const [e = "", d = "", c = "", b = "", a = ""] = await seriesOf(5, { ...of("range"), eta: 600 });
    await at("range");
    await shows(5);
    await boxOf(a).focus();
    await view.page.keyboard.press("Space");
    await view.page.keyboard.press("ArrowDown");
    await view.page.keyboard.press("ArrowDown");
    expect(await boxOf(c).evaluate((box) => box === document.activeElement)).toBe(true);
    await boxOf(c).click({ modifiers: ["Shift"] });
    await bar().getByText("3 jobs selected").waitFor();
    for (const id of [a, b, c]) expect(await rowOf(id).getAttribute("aria-selected")).toBe("true");
    const newest = await registered({ ...of("range"), eta: 600 });
    await rowOf(newest).waitFor();
    expect(await boxOf(c).evaluate((box) => box === document.activeElement)).toBe(true);
    await bar().getByText("3 jobs selected").waitFor();
    await view.page.keyboard.press("ArrowRight");
    await view.page.keyboard.press("End");
    expect(await view.page.evaluate(() => document.activeElement?.textContent)).toBe(`v3 / ${e}`);
    // One stop for the Tab key.
    await view.page.keyboard.press("Tab");
    expect(await bar().evaluate((bar) => bar.contains(document.activeElement))).toBe(true);
    await bar().getByRole("button", { name: "Clear" }).click();
    expect(await boxOf(d).isChecked()).toBe(false);
  });

  it("of all that fit is canceled in the background, as many as were counted", async () => {
    const waiting = await many(7, { ...of("cancel"), eta: 600 });
    await at("cancel", "&status=waiting");
    await shows(7);
    await picture(view, "jobs");
    await view.page.getByLabel("Select all that are loaded").check();
    await bar().getByRole("button", { name: "Select all that fit the filter" }).click();
    await bar().getByText("All that fit are selected").waitFor();
    await bar().getByRole("button", { name: "Cancel jobs" }).click();
    await dialog().getByRole("heading", { name: "Cancel 7 jobs?" }).waitFor();
    expect(await dialog().innerText()).toContain("All that fit metadata.test: cancel, status: waiting.");
    const later = await registered({ ...of("cancel"), eta: 600 });
    await dialog().getByRole("button", { name: "Cancel 7" }).click();
    await view.page.getByText("Canceled 7 of 7 jobs").waitFor(LIMIT);
    await shows(1);
    for (const id of waiting) expect(await statusOf(id)).toBe("canceled");
    expect(await statusOf(later)).toBe("waiting");
  });

  it("tells what was refused", async () => {
    const [id = ""] = await many(1, { ...of("refused"), eta: 600 });
    await at("refused");
    await boxOf(id).check();
    await bar().getByRole("button", { name: "Cancel jobs" }).click();
    await dialog().getByRole("heading", { name: "Cancel 1 job?" }).waitFor();
    expect((await setting.call("POST", `/v1/jobs/${ids.get(id)}/cancel`)).status).toBe(200);
    await dialog().getByRole("button", { name: "Cancel 1" }).click();
    await view.page.getByText("Canceled 0 of 1 job, 1 refused: Nothing is left to cancel").waitFor();
    await view.complained(/a status of 409 /);
  });
});

it("comes back to where one was, and tells of jobs that came above", async () => {
  const all = await seriesOf(40, { ...of("place"), eta: 600 });
  await at("place");
  await view.page.getByText("40 jobs in all").waitFor();
  expect(await rows().count()).toBeLessThan(30);
  const low = all[5] ?? "";
  await view.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await rowOf(low).waitFor();
  const place = () => rowOf(low).evaluate((row) => Math.round(row.getBoundingClientRect().top));
  const before = await place();
  await registered({ ...of("place"), eta: 600 });
  await view.page.getByRole("button", { name: "1 new ↑" }).waitFor();
  expect(await place()).toBe(before);
  await rowOf(low).getByRole("link").click();
  await view.page.waitForURL(/#\/jobs\/job_/);
  await view.page.goBack();
  await expect.poll(place, LIMIT).toBe(before);
  await view.page.evaluate(() => scrollTo(0, 0));
  await view.page.getByRole("button", { name: "1 new ↑" }).waitFor({ state: "detached" });
});

it("goes on when Pollhook can be reached again, and meanwhile says that it is not up to date", async () => {
  const [id = ""] = await many(1, { ...of("outage"), eta: 600 });
  await at("outage");
  await rowOf(id).waitFor();
  await view.page.context().setOffline(true);
  await view.page.getByText("Not up to date: Pollhook cannot be reached.").waitFor(LIMIT);
  expect(await rowOf(id).count()).toBe(1);
  await looksWell(view);
  await view.page.context().setOffline(false);
  await view.page.getByRole("button", { name: "Try again" }).click();
  await view.page.getByText("Not up to date").waitFor({ state: "detached" });
  while (view.complaints().length > 0) await view.complained(/ERR_INTERNET_DISCONNECTED/);
});

it("is as narrow as its token", async () => {
  const own = { scope: "jobs:read jobs:write", own: "user-7" };
  const bounded = await openConsole(browser, setting, { token: await setting.tokenFor("e2e", own) });
  await bounded.page.getByText("There is no job yet.").waitFor();
  const reading = await setting.tokenFor("e2e", { scope: "jobs:read" });
  const reader = await openConsole(browser, setting, { token: reading, at: "#/jobs?metadata.test=outage" });
  await reader.page.getByRole("link", { name: /^v3 / }).waitFor();
  expect(await reader.page.getByRole("checkbox").count()).toBe(0);
  await looksWell(reader);
  const writing = await setting.tokenFor("e2e", { scope: "jobs:write" });
  const writer = await openConsole(browser, setting, { token: writing });
  await writer.page.getByText("it has not the scope jobs:read").waitFor();
  for (const { complaints } of [bounded, reader, writer]) expect(complaints()).toEqual([]);
});

/** One after another: the first is the oldest. */
async function seriesOf(n: number, more: Record<string, unknown>): Promise<string[]> {
  const series: string[] = [];
  for (let i = 0; i < n; i++) series.push(await registered(more));
  return series;
}
