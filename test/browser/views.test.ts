import { afterAll, beforeAll, expect, it } from "vitest";
import { type Listening, listen } from "../simulator/wire.ts";
import { browserOfThisFile } from "./views.ts";

const browser = browserOfThisFile();
let server: Listening;

/** With a policy that lets scripts of its own origin run, and one that throws. */
const PAGE = `<!doctype html><title>Faulty</title><h1 style="color: red">Faulty</h1>
<script>console.error("never runs")</script><script src="/throws.js"></script>`;

beforeAll(async () => {
  server = await listen(async (request, response) => {
    if (request.url === "/throws.js") response.setHeader("content-type", "text/javascript");
    else
      response
        .setHeader("content-type", "text/html")
        .setHeader("content-security-policy", "default-src 'self'");
    if (request.url === "/faulty") response.end(PAGE);
    else if (request.url === "/throws.js")
      response.end(`Promise.reject(new Error("uncaught")); fetch("/gone");`);
    else response.writeHead(request.url === "/gone" ? 410 : 200).end();
  }, 0);
});
afterAll(() => server?.close());

it("keeps what a page complains about, until it is taken out", async () => {
  const view = await browser.open(`${server.origin}/faulty`);
  await view.complained(/inline style violates/);
  await view.complained(/inline script violates/);
  await view.complained(/Error: uncaught/);
  await view.complained(/a status of 410 /);
  expect(view.complaints()).toEqual([]);
});

it("opens views as they are asked for, each with storage of its own", async () => {
  const phone = await browser.open(server.origin, {
    viewport: { width: 375, height: 700 },
    colorScheme: "dark",
  });
  const look = () => [innerWidth, matchMedia("(prefers-color-scheme: dark)").matches, localStorage.length];
  await phone.page.evaluate(() => localStorage.setItem("kept", "yes"));
  expect(await phone.page.evaluate(look)).toEqual([375, true, 1]);
  const other = await browser.open(server.origin, { colorScheme: "light" });
  expect((await other.page.evaluate(look)).slice(1)).toEqual([false, 0]);
  expect([...phone.complaints(), ...other.complaints()]).toEqual([]);
});

it("reaches no other machine", async () => {
  const { page } = await browser.open(server.origin);
  // The second would be asked, and refuse, also on a machine that knows no other.
  for (const url of ["http://example.com/", "http://127.0.0.2:8000/"])
    await expect(page.goto(url)).rejects.toThrow("ERR_NAME_NOT_RESOLVED");
});
