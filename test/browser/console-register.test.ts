/**
 * Registering in the console, by clicking and typing.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { CATALOGUE } from "../../src/provider/endpoints.ts";
import { Setting } from "../e2e/setting.ts";
import { goTo, isOnlyText, looksWell, openConsole, PLANTED, picture } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
let setting: Setting;
let view: View;

beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
  const destination = { url: `${setting.receiver.origin}/hook/app` };
  expect((await setting.call("PUT", "/v1/destinations/app", destination)).status).toBe(201);
  view = await openConsole(browser, setting, { at: "#/register" });
}, 120_000);
afterEach(() => expect(view.complaints()).toEqual([]));
afterAll(() => setting?.tearDown());

const label = (name: string) => view.page.getByLabel(name, { exact: true });
const ANSWER = "What the provider answered, or its fetch_result";
const submit = () => view.page.getByRole("button", { name: "Register" }).click();

async function begin(): Promise<void> {
  await goTo(view, "#/jobs");
  await goTo(view, "#/register");
  await view.page.getByRole("heading", { name: "Register" }).waitFor();
}

/** The job whose address one has been led to. */
async function registered(): Promise<Record<string, unknown>> {
  await view.page.waitForURL(/#\/jobs\/job_/);
  const id = view.page.url().split("/").at(-1) ?? "";
  return (await setting.job(id)) as unknown as Record<string, unknown>;
}

/** Waits until the field shows that problem, and has the focus. */
async function isRefused(field: string, why: RegExp): Promise<void> {
  await view.page.locator(`#${field}-problem`).filter({ hasText: why }).waitFor();
  const input = view.page.locator(`#${field}`);
  await expect.poll(() => input.getAttribute("aria-invalid")).toBe("true");
  await expect.poll(() => input.evaluate((element) => element === document.activeElement)).toBe(true);
  await expect.poll(() => view.page.locator("[aria-invalid]").count()).toBe(1);
}

it("looks well, with all that can be said", async () => {
  await begin();
  await picture(view, "register");
  await view.page.getByText("More", { exact: true }).click();
  await looksWell(view);
  await expect.poll(() => view.page.locator("#endpoints option").count()).toBe(Object.keys(CATALOGUE).length);
});

it("takes the provider's answer as it was pasted, big integers and all", async () => {
  await begin();
  const id = "90071992547409931234";
  await label(ANSWER).fill(`{"status": "processing", "id": ${id}, "eta": 7}`);
  await view.page.getByText(`Read as an answer: status "processing", id ${id}, eta 7`).waitFor();
  await label("Nowhere: it is read from the API").check();
  await submit();
  await isRefused("endpoint", /endpoint is needed/);
  await view.complained(/a status of 422 /);
  await label("Endpoint").fill("v6/video");
  await submit();
  await expect
    .poll(() => registered())
    .toMatchObject({
      endpoint: "v6/video",
      request_id: id,
      eta: 7,
      callback_url: null,
      destination: null,
    });
});

it("takes a fetch_result, and everything else there is to say", async () => {
  await begin();
  await label(ANSWER).fill(`${setting.provider.origin}/api/v6/video/fetch/65919758`);
  await view.page.getByText("Read as a fetch URL.").waitFor();
  await label("Callback URL").fill(`${setting.receiver.origin}/hook/page`);
  await view.page.getByText("More", { exact: true }).click();
  await label("ETA, in seconds").fill("30");
  await label("Deadline, in seconds").fill("600");
  await label("Format").selectOption("provider");
  await label("ModelsLab key").fill("sim-provider-key");
  await label("Metadata, a JSON object").fill('{"user": 12345678901234567890, "plan": "pro"}');
  await label("Index").fill("user, plan");
  await view.page.keyboard.press("Enter");
  const job = await registered();
  expect(job).toMatchObject({
    endpoint: "v6/video",
    request_id: "65919758",
    callback_url: `${setting.receiver.origin}/hook/page`,
    eta: 30,
    format: "provider",
  });
  const lasts = Date.parse(String(job.deadline_at)) - Date.parse(String(job.registered_at));
  expect(lasts).toBe(600_000);
  const text = await (await setting.call("GET", `/v1/jobs/${job.id}`)).text();
  expect(text).toContain('"metadata":{"user": 12345678901234567890, "plan": "pro"}');
  const found = await setting.call("GET", "/v1/jobs?metadata.plan=pro");
  expect(((await found.json()) as { jobs: unknown[] }).jobs).toHaveLength(1);
});

it("takes an endpoint, an id and a destination", async () => {
  await begin();
  await label("Endpoint").fill("v4/dreambooth");
  await label("Request id").fill("13443927");
  await label("A destination").check();
  await expect.poll(() => view.page.locator("#destinations option").count()).toBe(1);
  await label("Name of the destination").fill("app");
  await submit();
  await expect
    .poll(() => registered())
    .toMatchObject({
      endpoint: "v4/dreambooth",
      request_id: "13443927",
      destination: "app",
    });
});

it("shows each problem at the field that it names, also where that was put away", async () => {
  await begin();
  const more = view.page.locator("details");
  await submit();
  await isRefused("callback_url", /Name it/);
  await label("Callback URL").fill("https://10.0.0.1/hook");
  await submit();
  await isRefused("request_id", /request_id is missing/);
  await view.complained(/a status of 422 /);
  await label("Request id").fill("a b");
  await submit();
  await isRefused("request_id", /must be a number or a string/);
  await view.complained(/a status of 422 /);
  await label("Request id").fill("77");
  await label("Callback URL").fill("not a URL");
  await submit();
  await isRefused("callback_url", /callback_url/);
  await view.complained(/a status of 422 /);
  await label("Callback URL").fill(`${setting.receiver.origin}/hook`);

  await more.locator("summary").click();
  await label("ETA, in seconds").fill("soon");
  await label("Metadata, a JSON object").fill("[1]");
  await more.locator("summary").click();
  await submit();
  await isRefused("metadata", /no JSON object/);
  await expect.poll(() => more.getAttribute("open")).not.toBeNull();
  await label("Metadata, a JSON object").fill("");
  await submit();
  await isRefused("eta", /eta must be a number of seconds/);
  await view.complained(/a status of 422 /);
  await label("ETA, in seconds").fill("");

  await label(ANSWER).fill("https://example.com/api/v3/fetch/1");
  await submit();
  await isRefused("response", /fetch_url is on an origin/);
  await view.complained(/a status of 422 /);
  await label(ANSWER).fill('{"status": "error", "message": "no credits"}');
  await submit();
  await isRefused("response", /refused or failed/);
  await view.complained(/a status of 422 /);
  await label(ANSWER).fill("gibberish");
  await submit();
  await isRefused("response", /neither a JSON object nor a URL/);
  await looksWell(view);
});

it("says that a request was registered already, a URL in quotes and all", async () => {
  const fetch_url = `${setting.provider.origin}/api/v6/video/fetch/5150`;
  const id = await setting.register({ fetch_url, eta: 60 });
  await begin();
  await label(ANSWER).fill(`"${fetch_url}",`);
  await view.page.getByText("Read as a fetch URL.").waitFor();
  await label("Nowhere: it is read from the API").check();
  await submit();
  await view.page.waitForURL(`**/console#/jobs/${id}`);
  await view.page.getByText("It was registered already").waitFor();
});

it("says at the field that it is too long", async () => {
  await begin();
  await label(ANSWER).fill(JSON.stringify({ status: "processing", id: 1, more: "x".repeat(70_000) }));
  await label("Nowhere: it is read from the API").check();
  await submit();
  await isRefused("response", /65536 bytes at most/);
  await view.complained(/a status of 413 /);
});

it("leads to the job that has another callback", async () => {
  const job = { request_id: "88", callback_url: `${setting.receiver.origin}/hook/first`, eta: 60 };
  const id = await setting.register(job);
  await begin();
  await label("Request id").fill("88");
  await label("Callback URL").fill(`${setting.receiver.origin}/hook/second`);
  await submit();
  await isRefused("callback_url", /redeliver can name another/);
  await view.complained(/a status of 409 /);
  await view.page.getByRole("link", { name: "Show its job" }).click();
  await view.page.locator(`a[href="#/jobs/${id}"]`).waitFor();
});

it("shows what was pasted as text, wherever it comes back", async () => {
  await begin();
  await label(ANSWER).fill(JSON.stringify({ status: PLANTED, id: 1 }));
  await view.page.getByText("Read as an answer").waitFor();
  await isOnlyText(view);
  await label(ANSWER).fill("");
  for (const name of ["Endpoint", "Request id", "Callback URL"]) await label(name).fill(PLANTED);
  await submit();
  await isRefused("endpoint", /must be the path/);
  await view.complained(/a status of 422 /);
  await isOnlyText(view);
});

it("is as narrow as its token, and says so", async () => {
  const token = await setting.tokenFor("e2e", {
    scope: "jobs:read jobs:write",
    own: "user-7",
    bnd: { dst: "app", ep: ["v6/video"], req: "4711" },
  });
  const phone = await openConsole(browser, setting, {
    token,
    at: "#/register",
    viewport: { width: 375, height: 700 },
  });
  await phone.page.getByText("For user-7, within the token's bounds.").waitFor();
  await phone.page.getByText("The token's destination, app").waitFor();
  await phone.page.getByRole("button", { name: "Register" }).click();
  await phone.page.waitForURL(/#\/jobs\/job_/);
  const id = phone.page.url().split("/").at(-1) ?? "";
  await expect
    .poll(() => setting.job(id))
    .toMatchObject({
      request_id: "4711",
      endpoint: "v6/video",
      destination: "app",
    });
  const reader = await openConsole(browser, setting, {
    token: await setting.tokenFor("e2e", { scope: "jobs:read" }),
    at: "#/register",
  });
  await reader.page.getByText("it has not the scope jobs:write").waitFor();
  expect([...phone.complaints(), ...reader.complaints()]).toEqual([]);
});
