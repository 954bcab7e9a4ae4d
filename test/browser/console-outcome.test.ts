/** What came of one job, and what can be done about it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Setting } from "../e2e/setting.ts";
import { JOB_ID, showJob } from "./console-job.ts";
import { isOnlyText, looksWell, openConsole, PLANTED, picture } from "./console-view.ts";
import { browserOfThisFile, type View } from "./views.ts";

const browser = browserOfThisFile();
let setting: Setting;
beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
}, 120_000);
afterAll(() => setting.tearDown());

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC";
const BIG = "12345678901234567890";

let nextId = 7_200_000;

/** A job that is over, or whose delivery is: `answer` is the provider's, as text. */
async function over(answer: string, more: Record<string, unknown> = {}): Promise<string> {
  const id = String(nextId++);
  setting.provider.add({ endpoint: "v3", id, answer });
  const job = await setting.register({ endpoint: "v3", request_id: id, eta: 0, ...more });
  await expect.poll(async () => (await setting.job(job)).outcome, { timeout: 20_000 }).not.toBeNull();
  return job;
}

const open = (id: string): Promise<View> =>
  openConsole(browser, setting, {
    at: `#/jobs/${id}`,
    permissions: ["clipboard-read", "clipboard-write"],
  });

const copied = ({ page }: View): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

const success = (output: readonly string[], more = ""): string =>
  `{"status":"success","id":${BIG},"output":${JSON.stringify(output)}${more}}`;

it("shows outputs as what they are, and leads nowhere but to the web", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  await page.route("https://pub-1.r2.dev/**", (route) =>
    route.request().url().endsWith("alive.png")
      ? route.fulfill({ contentType: "image/png", body: Buffer.from(PNG, "base64") })
      : route.fulfill({ status: 404 }),
  );
  const requests: (string | undefined)[] = [];
  page.on("request", (request) => {
    if (request.url().includes("r2.dev")) requests.push(request.headers().referer);
  });
  await showJob(view, {
    result: {
      status: "success",
      output: [
        "https://pub-1.r2.dev/alive.png",
        "https://pub-1.r2.dev/dead.png",
        "https://pub-1.r2.dev/dead.mp4",
        "https://pub-1.r2.dev/voice.mp3",
        `data:image/png;base64,${PNG}`,
        PNG,
        "javascript:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        " java\nscript:alert(1)",
        PLANTED,
      ],
      proxy_links: ["https://cdn2.stablediffusionapi.com/alive.png"],
    },
  });
  const outputs = page.getByRole("region", { name: "Outputs" });
  await outputs.getByText("It could not be loaded.").nth(1).waitFor();
  const pictures = outputs.getByRole("img");
  await expect
    .poll(() => pictures.evaluateAll((all) => all.map((img) => (img as HTMLImageElement).naturalWidth)))
    .toEqual([10, 10, 10]);
  for (const name of ["loading=lazy", "referrerpolicy=no-referrer"])
    await expect.poll(() => outputs.locator(`img[${name}]`).count()).toBe(3);
  expect(requests.every((referer) => referer === undefined)).toBe(true);
  const links = await outputs
    .getByRole("link")
    .evaluateAll((all) => all.map((link) => [link.getAttribute("href"), link.getAttribute("rel")]));
  expect(links).toEqual(
    [
      ...["alive.png", "dead.png", "dead.mp4", "voice.mp3"].map((name) => `https://pub-1.r2.dev/${name}`),
      "https://cdn2.stablediffusionapi.com/alive.png",
    ].map((href) => [href, "noopener noreferrer"]),
  );
  for (const text of ["javascript:alert(1)", "data:text/html;base64,PHNjcmlwdD4="])
    await outputs.getByText(text, { exact: true }).waitFor();
  await isOnlyText(view);
  await looksWell(view);
  for (let dead = 0; dead < 2; dead++) await view.complained(/a status of 404 /);
  expect(view.complaints()).toEqual([]);
});

it("loses no digit of what callers and the provider have said", async () => {
  const job = await over(success(["https://pub-1.r2.dev/a.mp3"], `,"caf\\u00e9":"a\\/b"`), {
    metadata: { at: 1 },
  });
  const view = await open(job);
  const { page } = view;
  const answer = page.getByRole("region", { name: "The provider's answer" });
  await answer.getByText(BIG).waitFor();
  await expect.poll(() => answer.locator("pre").innerText()).toContain(`"café": "a/b"`);
  await answer.getByRole("button", { name: "Copy the answer" }).click();
  await answer.getByRole("button", { name: "Copied" }).waitFor();
  await expect.poll(() => copied(view)).toBe(success(["https://pub-1.r2.dev/a.mp3"], `,"café":"a/b"`));
  // What JavaScript would round, written by hand.
  const id = String(nextId++);
  const body = `{"request_id": "${id}", "metadata": {"order": ${BIG}, "list": [], "z": 1}}`;
  const headers = { authorization: `Bearer ${setting.token}`, "content-type": "application/json" };
  const url = `${setting.worker.origin}/v1/jobs`;
  const registered = (await (await fetch(url, { method: "POST", headers, body })).json()) as { id: string };
  const other = await open(registered.id);
  const metadata = other.page.getByRole("region", { name: "Metadata" }).locator("pre");
  await expect.poll(() => metadata.innerText()).toBe(`{\n  "order": ${BIG},\n  "list": [],\n  "z": 1\n}`);
  expect([...view.complaints(), ...other.complaints()]).toEqual([]);
});

it("hands out the event: its headers, its bytes, and a line for a shell", async () => {
  const callback = setting.receiver.hookUrl("event");
  const job = await over(success(["https://pub-1.r2.dev/it's.mp3"]), { callback_url: callback });
  await setting.receiver.waitFor(({ path }) => path === "/hook/event");
  const [delivery] = setting.receiver.deliveries("/hook/event");
  const view = await open(job);
  const { page } = view;
  await page.getByText("Event", { exact: true }).last().click();
  await page.getByRole("button", { name: "Copy: body" }).click();
  await expect.poll(() => copied(view)).toBe(delivery?.body);
  await page.getByRole("button", { name: "Copy: headers" }).click();
  await expect.poll(() => copied(view)).toContain(`webhook-id: ${delivery?.headers["webhook-id"]}\n`);
  await page.getByRole("button", { name: "Copy: send it from a shell" }).click();
  const line = await copied(view);
  // A shell reads it as it is meant, whatever curl it has.
  const script = `curl() { printf '%s\\0' "$@"; }; ${line}`;
  const { stdout } = await promisify(execFile)("sh", ["-c", script]);
  const args = stdout.split("\0");
  expect(args.slice(0, 3)).toEqual(["-X", "POST", callback]);
  expect(args.at(-2)).toBe(delivery?.body);
  await looksWell(view);
  expect(view.complaints()).toEqual([]);
});

it("redelivers elsewhere, and says at which field a callback is wrong", async () => {
  setting.receiver.program("/hook/broken", [{ kind: "gone" }]);
  const job = await over(success(["https://pub-1.r2.dev/a.mp3"]), {
    callback_url: setting.receiver.hookUrl("broken"),
  });
  await setting.call("PUT", "/v1/destinations/app", { url: setting.receiver.hookUrl("app") });
  const view = await open(job);
  const { page } = view;
  await page.getByText("undelivered", { exact: true }).waitFor();
  const button = page.getByRole("button", { name: "Redeliver…" });
  await button.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Send the event again" });
  const url = dialog.getByLabel("Another callback URL");
  await url.fill("ftp://nowhere");
  await page.keyboard.press("Enter");
  await dialog.locator("#callback_url-problem").getByText("callback_url").waitFor();
  await expect.poll(() => url.getAttribute("aria-invalid")).toBe("true");
  await looksWell(view);
  await view.complained(/a status of 422 /);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await expect.poll(() => button.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  await url.fill(setting.receiver.hookUrl("repaired"));
  await dialog.getByRole("button", { name: "Redeliver" }).click();
  await page.locator(".badge", { hasText: /^delivered$/ }).waitFor();
  expect(setting.receiver.deliveries("/hook/repaired")).toHaveLength(1);
  await page.getByRole("img", { name: /^Redeliver,/ }).waitFor();
  await button.click();
  await dialog.getByLabel("Or a destination").fill("app");
  await dialog.getByRole("button", { name: "Redeliver" }).click();
  await setting.receiver.waitFor(({ path }) => path === "/hook/app");
  await page.getByRole("link", { name: "app", exact: true }).waitFor();
  expect(view.complaints()).toEqual([]);
});

it("cancels and erases, once asked whether it shall", async () => {
  const id = String(nextId++);
  setting.provider.add({ endpoint: "v3", id, readyAfterMs: 60_000 });
  const job = await setting.register({ endpoint: "v3", request_id: id, eta: 60 });
  const view = await open(job);
  const { page } = view;
  const press = async (name: string, answer: string) => {
    await page.getByRole("button", { name, exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: answer, exact: true }).click();
  };
  await press("Cancel…", "No");
  expect((await setting.job(job)).status).toBe("waiting");
  await press("Cancel…", "Cancel the job");
  await page.locator(".badge", { hasText: "canceled" }).waitFor();
  expect((await setting.job(job)).status).toBe("canceled");
  await press("Erase…", "Erase it");
  await page.getByRole("alert").getByText("The job is erased.").waitFor();
  expect((await setting.call("GET", `/v1/jobs/${job}`)).status).toBe(404);
  expect(view.complaints()).toEqual([]);
});

it("takes no value from outside for markup", async () => {
  const view = await openConsole(browser, setting);
  const { page } = view;
  const event = {
    job_id: JOB_ID,
    id: PLANTED,
    headers: { "webhook-id": PLANTED, "webhook-timestamp": "1795225824" },
    body: JSON.stringify(PLANTED),
  };
  await page.route(`**/v1/jobs/${JOB_ID}/event`, (route) => route.fulfill({ json: event }));
  await showJob(view, {
    endpoint: PLANTED,
    request_id: PLANTED,
    callback_url: `https://${PLANTED}/`,
    format: PLANTED,
    metadata: { [PLANTED]: PLANTED },
    error: { reason: PLANTED, message: PLANTED },
    delivery_error: { reason: PLANTED, message: PLANTED },
    event_id: PLANTED,
    result: { output: [PLANTED, `https://x.example/${PLANTED}.txt`], [PLANTED]: PLANTED },
    timeline: [
      { after: 0, type: PLANTED, result: PLANTED, reason: PLANTED, http_status: PLANTED, response: PLANTED },
    ],
  });
  await page.locator(".mark").focus();
  await page.getByText("Event", { exact: true }).last().click();
  await page.getByRole("button", { name: "Copy: body" }).waitFor();
  await isOnlyText(view);
  await looksWell(view);
  await showJob(view, { destination: PLANTED, callback_url: null });
  expect(view.complaints()).toEqual([]);
});

it("is pictured", async () => {
  const view = await openConsole(browser, setting);
  await view.page.route("https://pub-1.r2.dev/**", (route) =>
    route.fulfill({ contentType: "image/svg+xml", body: LIGHTHOUSE }),
  );
  await showJob(view, {
    status: "delivered",
    eta: 20,
    destination: "app",
    callback_url: null,
    polls: 3,
    attempts: 2,
    finished_at: new Date(Date.UTC(2026, 0, 2, 0, 0, 25, 840)).toISOString(),
    metadata: { user: 7, order: "A-1041" },
    result: { status: "success", id: 12202888, output: ["https://pub-1.r2.dev/generations/6f0c-0.png"] },
    timeline: [
      { after: 0, type: "registered" },
      { after: 20_100, type: "poll", result: "pending", http_status: 200, duration_ms: 41 },
      {
        after: 22_300,
        type: "poll",
        result: "transient",
        reason: "http_error",
        http_status: 502,
        duration_ms: 320,
      },
      { after: 25_800, type: "poll", result: "succeeded", http_status: 200, duration_ms: 38 },
      {
        after: 25_900,
        type: "attempt",
        result: "failed",
        reason: "http_error",
        http_status: 503,
        duration_ms: 12,
        response: "deploying",
      },
      { after: 31_200, type: "attempt", result: "delivered", http_status: 204, duration_ms: 9 },
    ],
  });
  await view.page.getByRole("img", { name: "Output 1" }).scrollIntoViewIfNeeded();
  await view.page.evaluate(() => scrollTo(0, 0));
  await view.page.getByRole("img", { name: /^Attempt, failed/ }).hover();
  await picture(view, "job");
  expect(view.complaints()).toEqual([]);
});

const LIGHTHOUSE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200"><rect width="320" height="200" fill="#2b3a67"/><circle cx="250" cy="45" r="18" fill="#f4d58d"/><path d="M140 60h36l10 110h-56z" fill="#eee"/><path d="M137 95h42l2 24h-46z" fill="#b3261e"/><path d="M142 60V42h32v18z" fill="#f4d58d"/><path d="M138 42l20-18 20 18z" fill="#b3261e"/><path d="M0 170h320v30H0z" fill="#16324f"/></svg>`;
