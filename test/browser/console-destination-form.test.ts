/** Destinations in the console: how they are made and changed. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { goTo, looksWell, openConsole } from "./console-view.ts";
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

it("makes a destination, says what is wrong where it is wrong, and shows the secret this once", async () => {
  const view = await open(undefined, { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = view;
  await page.getByText("There is none yet.").waitFor();
  await page.getByRole("button", { name: "New destination…" }).click();
  const dialog = page.getByRole("dialog", { name: "New destination" });
  const create = dialog.getByRole("button", { name: "Create" });
  const wrong = (field: string) => dialog.locator(`#${field}-problem`);
  await create.click();
  await wrong("name").getByText("name must be given.").waitFor();
  await dialog.getByLabel("Name", { exact: true }).fill("my orders");
  await create.click();
  await wrong("name").getByText("name must be 1 to 64 of A-Z a-z 0-9 _ -.").waitFor();
  await dialog.getByLabel("Name", { exact: true }).fill("orders");
  await create.click();
  await wrong("url").getByText("url must be given.").waitFor();
  await dialog.getByLabel("URL").fill("ftp://nowhere");
  await page.keyboard.press("Enter");
  await wrong("url")
    .getByText(/^url must (?!be given)/)
    .waitFor();
  await expect.poll(() => dialog.getByLabel("URL").getAttribute("aria-invalid")).toBe("true");
  await dialog.getByLabel("URL").fill(setting.receiver.hookUrl("orders"));
  await dialog.getByRole("button", { name: "Add a header" }).click();
  await page.keyboard.type("x-team");
  await dialog.getByLabel("Its value").fill("blue");
  await dialog.getByRole("button", { name: "Add a header" }).click();
  await page.keyboard.type("content-type");
  await create.click();
  await wrong("headers").getByText("headers.content-type is not yours to set").waitFor();
  await expect
    .poll(() => dialog.getByLabel("Name of the header").nth(1).getAttribute("aria-invalid"))
    .toBe("true");
  await looksWell(view);
  await dialog.getByRole("button", { name: "Remove this header" }).nth(1).click();
  await dialog.getByLabel("Retry schedule").fill("5, soon");
  await create.click();
  await wrong("retry_schedule").getByText("must be a number of seconds").waitFor();
  await dialog.getByLabel("Retry schedule").fill("5, 60");
  await dialog.getByLabel("Most in flight").fill("2");
  await dialog.getByLabel("Most in a second").fill("0.5");
  await dialog.getByLabel("Format").selectOption("provider");
  await create.click();
  const shown = page.getByRole("dialog", { name: "The secret of orders" });
  const secret = await shown.locator(".secret").innerText();
  expect(secret).toMatch(/^whsec_/);
  await shown.getByRole("button", { name: "Copy" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await looksWell(view);
  // Twice: of two in a row a browser lets no page hold the second back.
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press("Escape");
  await page.waitForTimeout(200);
  await expect.poll(() => shown.locator(".secret").innerText()).toBe(secret);
  await shown.getByRole("button", { name: "Done" }).click();
  await shown.waitFor({ state: "detached" });
  await cardOf(view, "orders").getByText("after 5 s, 1 min").waitFor();
  await expect.poll(() => page.content()).not.toContain(secret);
  await expect
    .poll(() => read("orders"))
    .toMatchObject({
      format: "provider",
      retry_schedule: [5, 60],
      header_names: ["x-team"],
      max_in_flight: 2,
      max_per_second: 0.5,
    });
  for (let refused = 0; refused < 3; refused++) await view.complained(/a status of 422 /);
  // Each time it was looked whether there is one of that name.
  for (let refused = 0; refused < 4; refused++) await view.complained(/a status of 404 /);
  expect(view.complaints()).toEqual([]);
});

it("makes none in place of another, and leaves headers alone that it does not know of", async () => {
  const name = "a".repeat(64);
  await put(name, { headers: { authorization: "Bearer mine" }, max_in_flight: 3 });
  const before = await read(name);
  const view = await open();
  const { page } = view;
  await page.getByRole("button", { name: "New destination…" }).click();
  const dialog = page.getByRole("dialog", { name: "New destination" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("URL").fill(setting.receiver.hookUrl("other"));
  await dialog.getByRole("button", { name: "Create" }).click();
  const problem = dialog.locator("#name-problem");
  await problem.getByText("There is one of this name already; edit it instead.").waitFor();
  expect(await read(name)).toEqual(before);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  // Headers that come while the form stands open are not taken away by it.
  await put("plain");
  await goTo(view, "#/destinations/plain");
  await cardOf(view, "plain").getByRole("button", { name: "Edit…" }).click();
  await put("plain", { headers: { authorization: "Bearer new" } });
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(await read("plain")).toMatchObject({ header_names: ["authorization"] });
  // Taken away by hand, they go.
  await cardOf(view, "plain").getByRole("button", { name: "Edit…" }).click();
  await page.getByRole("button", { name: "Replace the headers…" }).click();
  await page.getByRole("button", { name: "Remove this header" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect.poll(() => read("plain")).toMatchObject({ header_names: [] });
  // The longest name wraps.
  await goTo(view, `#/destinations/${name}`);
  await page.getByRole("button", { name: "Rotate secret…" }).click();
  await page.getByRole("dialog").waitFor();
  await looksWell(view);
  await page.setViewportSize({ width: 375, height: 700 });
  await expect
    .poll(() => page.getByRole("dialog").evaluate((shown) => shown.scrollWidth - shown.clientWidth))
    .toBe(0);
  expect(view.complaints()).toEqual([]);
});

it("keeps headers as they are, until another host or a hand asks for new ones", async () => {
  await put("kept", { headers: { authorization: "Bearer mine" } });
  const view = await open("#/destinations/kept");
  const { page } = view;
  const edit = async () => {
    await cardOf(view, "kept").getByRole("button", { name: "Edit…" }).click();
    return page.getByRole("dialog", { name: "Change kept" });
  };
  let dialog = await edit();
  await dialog.getByText("authorization: kept as they are.").waitFor();
  await dialog.getByLabel("Retry schedule").fill("none");
  await dialog.getByRole("button", { name: "Save" }).click();
  await cardOf(view, "kept").getByText("none: a single attempt").waitFor();
  await expect
    .poll(() => read("kept"))
    .toMatchObject({ retry_schedule: [], header_names: ["authorization"] });
  dialog = await edit();
  await dialog.getByLabel("URL").fill(setting.receiver.hookUrl("kept").replace("127.0.0.1", "localhost"));
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("headers is needed").waitFor();
  await expect.poll(() => dialog.getByLabel("Name of the header").inputValue()).toBe("authorization");
  await expect.poll(() => dialog.getByLabel("Its value").inputValue()).toBe("");
  await dialog.getByLabel("Its value").fill("Bearer other");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await cardOf(view, "kept")
    .getByRole("link", { name: /localhost/ })
    .waitFor();
  await view.complained(/a status of 422 /);
  expect(view.complaints()).toEqual([]);
});
