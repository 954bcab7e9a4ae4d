/**
 * Every example of the page at /docs, run by a shell as it is printed, from top to bottom, against what `npm start` runs.
 * Each is answered with a success that the document describes. In between stands what looks at the answers.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import document from "../../src/site/openapi.json" with { type: "json" };
import { startTrio, type Trio } from "../demo/trio.ts";
import { ROOT } from "../demo/worker-process.ts";
import { BODY_CAP_BYTES, type Listening, listen, plainHeaders, readBody, send } from "../simulator/wire.ts";
import { described } from "../support/described.ts";

/** Of all examples, one of which waits for a job: a limit, never a measure. */
const LIMIT_MS = 150_000;

interface Seen {
  readonly call: string;
  readonly status: number;
  readonly text: string;
}

let trio: Trio;
let state: string;
let between: Listening;
const seen: Seen[] = [];
const faults: string[] = [];
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "pollhook-examples-"));
  trio = await startTrio({ persistTo: state, provider: { invent: true } });
  between = await lookBetween();
});
afterAll(async () => {
  await between?.close();
  await trio?.stop();
  await rm(state, { recursive: true, force: true });
});

/** Hands calls on to the Worker, and holds what it answers against the document. */
const lookBetween = () =>
  listen(async (request, response) => {
    const { method = "GET", url = "/" } = request;
    const read = await readBody(request, BODY_CAP_BYTES);
    const body = read.kind === "whole" && read.bytes.length > 0 ? read.bytes.toString() : undefined;
    const { authorization, "content-type": type } = plainHeaders(request);
    const to = trio.worker.origin + url;
    const answer = await fetch(to, {
      method,
      headers: { ...(authorization && { authorization }), ...(type && { "content-type": type }) },
      ...(body !== undefined && { body }),
    });
    const { status, headers } = answer;
    const text = await described({ method, url: to, body }, answer)
      .then((judged) => judged.text())
      .catch((error: unknown) => {
        faults.push(String(error));
        return "";
      });
    seen.push({ call: `${method} ${url}`, status, text });
    send(response, status, { "content-type": headers.get("content-type") ?? "text/plain" }, text);
  }, 0);

/** The commands of the page, with the operations that they stand with. */
async function commands(): Promise<{ operationId: string; command: string }[]> {
  const page = await readFile(join(ROOT, "src", "site", "docs.html"), "utf8");
  const plain = (html: string) =>
    html.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  return [...page.matchAll(/<article id="(\w+)"[\s\S]*?<\/article>/g)].flatMap(
    ([article, operationId = ""]) =>
      [...article.matchAll(/ class="copy"><code>([\s\S]*?)<\/code>/g)].map(([, html = ""]) => ({
        operationId,
        command: plain(html),
      })),
  );
}

/** Runs the script as a person's shell would; what it says on standard error. */
async function run(script: string): Promise<string> {
  const shell = spawn("sh", ["-s"], {
    stdio: ["pipe", "ignore", "pipe"],
    env: {
      PATH: process.env.PATH,
      // No .curlrc of the person who runs this.
      HOME: state,
      POLLHOOK_URL: between.origin,
      POLLHOOK_TOKEN: trio.token,
      MODELSLAB_URL: trio.provider.origin,
      PUBLIC_URL: trio.receiver.origin,
    },
  });
  let said = "";
  shell.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const end = new Promise((resolve) => shell.once("close", resolve));
  const limit = setTimeout(() => shell.kill("SIGKILL"), LIMIT_MS - 10_000);
  shell.stdin.end(script);
  await end;
  clearTimeout(limit);
  return said;
}

it("answers every example of the page, run from top to bottom", { timeout: LIMIT_MS }, async () => {
  const all = await commands();
  const said = await run(all.map(({ command }) => `${command}\n`).join(""));
  expect(faults).toEqual([]);
  const refused = seen.filter(({ status }) => status >= 300);
  expect(refused, said).toEqual([]);
  expect(seen, said).toHaveLength(all.length);

  const answersOf = (id: string) => seen.filter((_, i) => all[i]?.operationId === id).map(({ text }) => text);
  expect(answersOf("registerJob").every((text) => /"id":"job_/.test(text))).toBe(true);
  expect(answersOf("watchJob")[0]).toContain('event: done\ndata: {"status":"delivered"');
  // As the page says: the receiver does not know the destination's secret.
  expect(answersOf("testDestination")[0]).toContain('"delivered":false,"http_status":401');
  expect(answersOf("registerJobs")[0]).not.toContain('"problem"');
  expect(answersOf("listJobs")[0]).toContain('"jobs":[');
  for (const { operationId } of all.filter(({ operationId }) => /^(fetch|call)/.test(operationId)))
    expect(answersOf(operationId).at(-1), operationId).toMatch(/"job_id":"job_/);
});

it("has an example for every operation", async () => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const shown = new Set((await commands()).map(({ operationId }) => operationId));
  expect(operations.map(({ operationId }) => operationId).filter((id) => !shown.has(id))).toEqual([]);
});
