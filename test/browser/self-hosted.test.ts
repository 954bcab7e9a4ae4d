/**
 * The console where no Cloudflare serves it: from what `npm run build` makes, on plain workerd. What it looks like and
 * does is tested elsewhere; here, that all of it gets there and may run.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { PollhookNode } from "../chaos/node.ts";
import { browserOfThisFile } from "./views.ts";

const browser = browserOfThisFile();
let node: PollhookNode;
beforeAll(async () => {
  node = await PollhookNode.create({ vars: {} });
  await node.start();
}, 120_000);
afterAll(() => node?.tearDown());

it("opens from the bare address, signs in, lists a job and shows it, under its policy and without complaint", async () => {
  const token = await node.token("acme");
  const body = { request_id: "12202888", callback_url: "https://example.com/hook", eta: 3_000 };
  const answer = await node.call(token, "POST", "/v1/jobs", body);
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };

  const view = await browser.open(node.origin);
  const { page } = view;
  expect(page.url()).toBe(`${node.origin}/console`);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  await page.getByText("12202888").first().waitFor();
  await page.goto(`${node.origin}/console#/jobs/${id}`);
  await page.getByRole("region", { name: "Timeline", exact: true }).waitFor();

  // It is styled, and what the policy forbids does not happen.
  const font = () => page.evaluate(() => getComputedStyle(document.body).fontFamily);
  expect(await font()).toContain("system-ui");
  await page.goto(`${node.origin}/docs`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(view.complaints()).toEqual([]);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.planted = 1";
    document.body.append(script);
  });
  expect(await page.evaluate(() => "planted" in globalThis)).toBe(false);
  await view.complained(/Content Security Policy/);
});
