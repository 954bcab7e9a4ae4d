/**
 * A selection of jobs in the console: how it is made, and what is done with it.
 */
import { beforeEach, expect, it } from "vitest";
import type { Setting } from "../e2e/setting.ts";
import { looksWell } from "./console-view.ts";
import { jobListOfThisFile, LIMIT, of } from "./job-list.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
const list = jobListOfThisFile(browser);
const { boxOf, hookOf, jobId, many, registered, rowOf, rows, series, showOnly, shows, statusOf } = list;
let setting: Setting;
let view: View;
beforeEach(() => {
  ({ setting, view } = list.now());
});

const bar = () => view.page.getByRole("group", { name: "Selected jobs" });
const dialog = () => view.page.getByRole("dialog");

it("is redelivered, those that can be, after the number was confirmed", async () => {
  const sent = await many(4, { ...of("again"), callback_url: hookOf("again") });
  const waiting = await registered({ ...of("again"), eta: 600 });
  await setting.receiver.waitForCount("/hook/again", 4, 30_000);
  await showOnly("again");
  await expect.poll(() => rows().filter({ hasText: "delivered" }).count(), LIMIT).toBe(4);
  await view.page.getByLabel("Select all that are loaded").check();
  await boxOf(sent[0] ?? "").uncheck();
  await bar().getByText("4 jobs selected").waitFor();
  await bar().getByRole("button", { name: "Redeliver" }).click();
  await dialog().getByRole("heading", { name: "Redeliver 3 jobs?" }).waitFor();
  await expect
    .poll(() => dialog().innerText())
    .toContain("Left as they are: 1 of the 4 jobs, nothing to deliver");
  await looksWell(view);
  await view.page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  expect(setting.receiver.deliveries("/hook/again")).toHaveLength(4);
  await bar().getByRole("button", { name: "Redeliver" }).click();
  await dialog().getByRole("button", { name: "Redeliver 3" }).click();
  await view.page.getByText("Redelivered 3 of 3 jobs").waitFor();
  await setting.receiver.waitForCount("/hook/again", 7, 30_000);
  await expect.poll(() => bar().count()).toBe(0);
  await expect.poll(() => statusOf(waiting)).toBe("waiting");
  await view.page.getByRole("button", { name: "Dismiss" }).click();
  await expect.poll(() => view.page.getByText("Redelivered").count()).toBe(0);
});

it("is made by the keyboard, a range at a time, and holds still while jobs come", async () => {
  const [e = "", d = "", c = "", b = "", a = ""] = await series(5, { ...of("range"), eta: 600 });
  await showOnly("range");
  await shows(5);
  await boxOf(a).focus();
  await view.page.keyboard.press("Space");
  await view.page.keyboard.press("ArrowDown");
  await view.page.keyboard.press("ArrowDown");
  await expect.poll(() => boxOf(c).evaluate((box) => box === document.activeElement)).toBe(true);
  await boxOf(c).click({ modifiers: ["Shift"] });
  await bar().getByText("3 jobs selected").waitFor();
  for (const id of [a, b, c]) await expect.poll(() => rowOf(id).getAttribute("aria-selected")).toBe("true");
  const newest = await registered({ ...of("range"), eta: 600 });
  await rowOf(newest).waitFor();
  await expect.poll(() => boxOf(c).evaluate((box) => box === document.activeElement)).toBe(true);
  await bar().getByText("3 jobs selected").waitFor();
  await view.page.keyboard.press("ArrowRight");
  await view.page.keyboard.press("End");
  await expect.poll(() => view.page.evaluate(() => document.activeElement?.textContent)).toBe(`v3 / ${e}`);
  // One stop for the Tab key.
  await view.page.keyboard.press("Tab");
  await expect.poll(() => bar().evaluate((bar) => bar.contains(document.activeElement))).toBe(true);
  await bar().getByRole("button", { name: "Clear" }).click();
  await expect.poll(() => boxOf(d).isChecked()).toBe(false);
});

it("of all that fit is canceled in the background, as many as were counted", async () => {
  const waiting = await many(7, { ...of("cancel"), eta: 600 });
  await showOnly("cancel", "&status=waiting");
  await shows(7);
  await view.page.getByLabel("Select all that are loaded").check();
  await bar().getByRole("button", { name: "Select all that fit the filter" }).click();
  await bar().getByText("All that fit are selected").waitFor();
  await bar().getByRole("button", { name: "Cancel jobs" }).click();
  await dialog().getByRole("heading", { name: "Cancel 7 jobs?" }).waitFor();
  await expect
    .poll(() => dialog().innerText())
    .toContain("All that fit metadata.test: cancel, status: waiting.");
  const later = await registered({ ...of("cancel"), eta: 600 });
  await dialog().getByRole("button", { name: "Cancel 7" }).click();
  await view.page.getByText("Canceled 7 of 7 jobs").waitFor(LIMIT);
  await shows(1);
  for (const id of waiting) await expect.poll(() => statusOf(id)).toBe("canceled");
  await expect.poll(() => statusOf(later)).toBe("waiting");
});

it("of all that fit is redelivered as far as can be, which is told, also after a reload", async () => {
  const sent = await many(3, { ...of("far"), callback_url: hookOf("far") });
  await many(2, { ...of("far"), eta: 600 });
  await setting.receiver.waitForCount("/hook/far", sent.length, 30_000);
  await showOnly("far");
  await expect.poll(() => rows().filter({ hasText: "delivered" }).count(), LIMIT).toBe(3);
  await view.page.getByLabel("Select all that are loaded").check();
  await bar().getByRole("button", { name: "Select all that fit the filter" }).click();
  await bar().getByRole("button", { name: "Redeliver…" }).click();
  await dialog().getByRole("heading", { name: "Redeliver 3 jobs?" }).waitFor();
  await expect
    .poll(() => dialog().innerText())
    .toContain("Left as they are: 2 of the 5 jobs, nothing to deliver, or no callback.");
  // As if it took long.
  const running = { status: "running", total: 5, done: 1, failed: 0 };
  await view.page.route("**/v1/operations/*", (route) => route.fulfill({ json: { operation: running } }));
  await dialog().getByRole("button", { name: "Redeliver 3" }).click();
  await view.page.getByText("Redelivering 1 of 5").waitFor();
  await view.page.reload();
  await view.page.getByText("Redelivering 1 of 5").waitFor();
  await view.page.unroute("**/v1/operations/*");
  const over = "Redelivered 3 of 5 jobs, 2 refused: nothing to deliver, or no callback";
  await view.page.getByText(over).waitFor(LIMIT);
  await view.page.getByRole("button", { name: "Dismiss" }).click();
  await view.page.reload();
  await shows(5);
  await expect.poll(() => view.page.getByText(over).count()).toBe(0);
});

it("asks before the page goes that goes through it", async () => {
  const [id = ""] = await many(1, { ...of("leaving"), eta: 600 });
  await showOnly("leaving");
  await boxOf(id).check();
  await bar().getByRole("button", { name: "Cancel jobs…" }).click();
  const held = Promise.withResolvers<void>();
  await view.page.route("**/cancel", async (route) => {
    await held.promise;
    await route.continue();
  });
  await dialog().getByRole("button", { name: "Cancel 1" }).click();
  await view.page.getByText("Canceling 0 of 1").waitFor();
  // What the browser asks of the page before it lets it go: a dialog of its own is nothing that headless ones show.
  const isAsked = () =>
    view.page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
  await expect.poll(isAsked).toBe(true);
  held.resolve();
  await view.page.getByText("Canceled 1 of 1 job").waitFor();
  await expect.poll(isAsked).toBe(false);
});

it("tells what was refused", async () => {
  const [id = ""] = await many(1, { ...of("refused"), eta: 600 });
  await showOnly("refused");
  await boxOf(id).check();
  await bar().getByRole("button", { name: "Cancel jobs" }).click();
  await dialog().getByRole("heading", { name: "Cancel 1 job?" }).waitFor();
  expect((await setting.call("POST", `/v1/jobs/${jobId(id)}/cancel`)).status).toBe(200);
  await dialog().getByRole("button", { name: "Cancel 1" }).click();
  await view.page.getByText("Canceled 0 of 1 job, 1 refused: Nothing is left to cancel").waitFor();
  await view.complained(/a status of 409 /);
});
