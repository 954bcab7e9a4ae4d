/**
 * The list of jobs in the console, by clicking and typing, with the real Worker behind it.
 */
import { beforeEach, describe, expect, it } from "vitest";
import type { Setting } from "../e2e/setting.ts";
import { goTo, isOnlyText, looksWell, openConsole, PLANTED, picture } from "./console-view.ts";
import { jobListOfThisFile, LIMIT, of } from "./job-list.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
const list = jobListOfThisFile(browser);
const { hookOf, jobId, many, registered, rowOf, rows, series, showOnly, shows } = list;
let setting: Setting;
let view: View;
beforeEach(() => {
  ({ setting, view } = list.now());
});

it("looks well, and draws how long deliveries took", async () => {
  const { page } = view;
  const plain = { callback_url: hookOf("well"), ...of("well") };
  for (const endpoint of ["v6/video", "v4/dreambooth", "v6/images", "v6/video", "v6/3d"])
    await many(2, { ...plain, endpoint, metadata: { test: "well", user: endpoint.length } });
  await registered({ ...of("well"), endpoint: "v6/images" });
  const failure = { answer: { status: "failed", message: "no GPU is free" } };
  await registered({ ...plain, endpoint: "v6/voice" }, failure);
  await many(3, { ...plain, endpoint: "v6/video", eta: 600 });
  await goTo(view, "#/jobs");
  await expect.poll(() => rows().filter({ hasText: "delivered" }).count(), LIMIT).toBe(11);
  await page.getByRole("link", { name: "delivered 11", exact: true }).waitFor(LIMIT);
  await picture(view, "jobs");
  expect(
    await page.getByRole("img", { name: /of the last 11 deliveries .* median .*, slowest / }).count(),
  ).toBe(1);

  const metadata = { test: "well", note: PLANTED };
  await registered({ ...plain, metadata }, { answer: { status: "failed", message: `no GPU ${PLANTED}` } });
  await registered({ ...plain, metadata, eta: 600 });
  await rows()
    .filter({ hasText: `no GPU ${PLANTED}` })
    .waitFor();
  await isOnlyText(view);
  await page.getByText("More filters").click();
  await page.getByLabel("Select all that are loaded").check();
  await looksWell(view);
});

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
  await showOnly("live");
  await view.page.getByText("No job fits.").waitFor();
  const slow = await registered({ ...of("live"), callback_url: hookOf("live") }, { readyAfterMs: 2_500 });
  await rowOf(slow).getByText("waiting").waitFor();
  const [other] = await many(1, of("live"));
  await rowOf(slow).getByText("delivered").waitFor();
  await rowOf(other ?? "")
    .getByText("finished")
    .waitFor();
  await expect
    .poll(() => rowOf(slow).getByRole("gridcell").nth(3).innerText())
    .toBe(new URL(setting.receiver.origin).host);
  await expect
    .poll(() => rows().evaluateAll((all) => all.map((row) => row.getAttribute("aria-rowindex"))))
    .toEqual(["2", "3"]);
  await expect
    .poll(() => view.page.getByRole("grid", { name: "Jobs" }).getAttribute("aria-rowcount"))
    .toBe("3");
});

it("shows the whole of an id on a small phone, and leaves rows beside the bar of one on its side", async () => {
  const long = { ...of("phone"), endpoint: "v1/enterprise/image_to_video_ultra", eta: 600 };
  const [id = ""] = await many(1, { ...long, request_id: "12202888-1" });
  await showOnly("phone");
  await shows(1);
  const link = rows().getByRole("link", { name: `/ 12202888-1` });
  for (const width of [320, 375]) {
    await view.page.setViewportSize({ width, height: 600 });
    await expect
      .poll(() =>
        link.evaluate(({ parentElement: cell }) => (cell?.scrollWidth ?? 0) - (cell?.clientWidth ?? 0)),
      )
      .toBeLessThanOrEqual(0);
  }
  expect(id).not.toBe("");
  await view.page.setViewportSize({ width: 667, height: 340 });
  await view.page.getByLabel("Select all that are loaded").check();
  await view.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const bar = view.page.getByRole("group", { name: "Selected jobs" });
  await expect
    .poll(async () => ((await bar.boundingBox())?.y ?? 0) - ((await link.boundingBox())?.y ?? 0))
    .toBeGreaterThan(20);
});

it("says that what answers is not Pollhook, and goes on once it is", async () => {
  const [id = ""] = await many(1, { ...of("strange"), eta: 600 });
  for (const body of ["<!doctype html>", "{}", "null", '{"jobs": [null], "next_cursor": null}']) {
    await view.page.route("**/v1/jobs?*", (route) => route.fulfill({ status: 200, body }));
    await showOnly("strange", `&host=${encodeURIComponent(body.slice(0, 3))}`);
    await view.page.getByText(/^Not up to date: .* is not Pollhook/).waitFor();
    await view.page.unroute("**/v1/jobs?*");
  }
  await showOnly("strange");
  await rowOf(id).waitFor();
  await view.page.getByText("Not up to date").waitFor({ state: "detached" });
});

describe("filters", () => {
  it("stand in the URL, and can be set, taken away, and gone back to", async () => {
    const [a = "", b = ""] = await many(2, { ...of("filters"), eta: 600 });
    expect((await setting.call("POST", `/v1/jobs/${jobId(b)}/cancel`)).status).toBe(200);
    await showOnly("filters");
    await shows(2);
    await view.page.getByText("More filters").click();
    await view.page.getByLabel("Status", { exact: true }).selectOption("canceled");
    await view.page.getByRole("button", { name: "Filter" }).click();
    await shows(1);
    await expect.poll(() => rowOf(b).count()).toBe(1);
    expect(view.page.url()).toMatch(/#\/jobs\?status=canceled&metadata\.test=filters$/);
    await view.page.getByRole("link", { name: "Without status: canceled" }).click();
    await shows(2);
    await view.page.goBack();
    await shows(1);
    await expect.poll(() => view.page.getByLabel("Status", { exact: true }).inputValue()).toBe("canceled");
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
    await box.fill(`v3 / ${a}`);
    await view.page.keyboard.press("Enter");
    await view.page.getByRole("link", { name: "Without endpoint: v3" }).waitFor();
    await view.page.getByRole("link", { name: `Without request_id: ${a}` }).waitFor();
    await box.fill(jobId(a));
    await view.page.keyboard.press("Enter");
    await view.page.waitForURL(`**/console#/jobs/${jobId(a)}`);
  });

  it("take the host out of a callback's URL", async () => {
    await many(1, { ...of("host"), callback_url: hookOf("host") });
    await showOnly("host");
    await view.page.getByText("More filters").click();
    await view.page.getByLabel("Host of the callback").fill(hookOf("host"));
    await view.page.keyboard.press("Enter");
    const { host } = new URL(setting.receiver.origin);
    await view.page.getByRole("link", { name: `Without host: ${host}` }).waitFor();
    await shows(1);
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
    await expect.poll(() => link("waiting 3").getAttribute("aria-current")).toBe("true");
    await link("canceled 0").click();
    await counting.page.getByText("No job fits.").waitFor();
    await goTo(counting, "#/jobs?endpoint=v3&request_id=2");
    await counting.page.getByRole("link", { name: "v3 / 2" }).waitFor();
    await link("waiting 3").click();
    await counting.page.waitForURL(/#\/jobs\?status=waiting&endpoint=v3&request_id=2$/);
    await expect.poll(() => link("waiting 3").getAttribute("aria-current")).toBe("true");
    expect(counting.complaints()).toEqual([]);
  });
});

it("comes back to where one was, and tells of jobs that came above", async () => {
  const all = await series(24, { ...of("place"), eta: 600 });
  await showOnly("place");
  await view.page.getByText("24 jobs in all").waitFor();
  const low = all[3] ?? "";
  await view.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await rowOf(low).waitFor();
  const place = () => rowOf(low).evaluate((row) => Math.round(row.getBoundingClientRect().top));
  const before = await place();
  await registered({ ...of("place"), eta: 600 });
  await view.page.getByRole("button", { name: "1 new ↑" }).waitFor();
  await expect.poll(() => place()).toBe(before);
  await rowOf(low).getByRole("checkbox").check();
  await rowOf(low).getByRole("link").click();
  await view.page.getByRole("button", { name: "Erase…" }).waitFor();
  await view.page.goBack();
  await expect.poll(place, LIMIT).toBe(before);
  await expect.poll(() => view.page.evaluate(() => document.activeElement?.textContent)).toBe(`v3 / ${low}`);
  await expect.poll(() => rowOf(low).getByRole("checkbox").isChecked()).toBe(true);
  await view.page.getByRole("button", { name: "Clear" }).click();
  await view.page.evaluate(() => scrollTo(0, 0));
  await view.page.getByRole("button", { name: "1 new ↑" }).waitFor({ state: "detached" });
});

it("goes on when Pollhook can be reached again, and meanwhile says that it is not up to date", async () => {
  const [id = ""] = await many(1, { ...of("outage"), eta: 600 });
  await showOnly("outage");
  await rowOf(id).waitFor();
  await view.page.context().setOffline(true);
  await view.page.getByText("Not up to date: Pollhook cannot be reached.").waitFor(LIMIT);
  await expect.poll(() => rowOf(id).count()).toBe(1);
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
  await expect.poll(() => reader.page.getByRole("checkbox").count()).toBe(0);
  await looksWell(reader);
  const writing = await setting.tokenFor("e2e", { scope: "jobs:write" });
  const writer = await openConsole(browser, setting, { token: writing });
  await writer.page.getByText("it has not the scope jobs:read").waitFor();
  for (const { complaints } of [bounded, reader, writer]) expect(complaints()).toEqual([]);
});
