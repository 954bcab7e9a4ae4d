/**
 * The recipes of the README, as they are printed, with the running Worker and the simulated provider. Python runs as wasm
 * in any case; where there is a `python3`, over sockets of its own, too.
 */
import { execFileSync } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Installed, installPackage } from "../cli/install.ts";
import { freePort } from "../demo/worker-process.ts";
import { PythonRecipe } from "./python.ts";
import { blocksOf, Recipe } from "./recipes.ts";
import { Setting } from "./setting.ts";

let setting: Setting;
let installed: Installed;
let env: Record<string, string>;
const running: Recipe[] = [];

beforeAll(async () => {
  setting = await Setting.create();
  await setting.start();
  setting.provider.serveGenerations({ queuedMs: 1_500 });
  installed = await installPackage();
  const { secret } = (await (await setting.call("GET", "/v1/signing-secret")).json()) as { secret: string };
  env = {
    MODELSLAB_URL: setting.provider.origin,
    MODELSLAB_KEY: "sim-provider-key",
    POLLHOOK_URL: setting.worker.origin,
    POLLHOOK_TOKEN: setting.token,
    POLLHOOK_SECRET: secret,
  };
}, 120_000);
afterEach(() => Promise.all(running.splice(0).map((recipe) => recipe.stop())));
afterAll(async () => {
  await setting.tearDown();
  await installed.remove();
});

interface Started {
  readonly program?: readonly [string, ...string[]];
  readonly file?: string;
  readonly more?: Record<string, string>;
  readonly folder?: string;
}

async function started(text: string, { program, file, more = {}, folder }: Started = {}): Promise<Recipe> {
  const recipe = await Recipe.start(program ?? [process.execPath], {
    text,
    folder: folder ?? installed.folder,
    file: file ?? "recipe.mjs",
    env: { ...env, ...more },
  });
  running.push(recipe);
  return recipe;
}

/** Where a recipe listens. */
async function place(): Promise<{ PORT: string; PUBLIC_URL: string }> {
  const port = await freePort();
  return { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` };
}

const SUCCEEDED = /^msg_\w+ job\.succeeded /;

/** What its receiver answers to a callback that was changed on the way. */
async function answerToForgery(url: string): Promise<number> {
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(Date.now() / 1000)) };
  const signature = `v1,${Buffer.alloc(32).toString("base64")}`;
  const forged = { ...headers, "webhook-signature": signature, "content-type": "application/json" };
  const body = '{"type":"job.succeeded","data":{"metadata":{},"output":["https://x"]}}';
  return (await fetch(`${url}/hooks/pollhook`, { method: "POST", headers: forged, body })).status;
}

it("a backend in Node", async () => {
  const [text = ""] = blocksOf("A backend in Node", "js");
  const at = await place();
  const recipe = await started(text, { more: at });
  expect(await recipe.line(SUCCEEDED)).toContain("{ user: 7 }");
  expect(recipe.out).toContain("https://");
  expect(await answerToForgery(at.PUBLIC_URL)).toBe(401);
  await deliveredTo(`${at.PUBLIC_URL}/hooks/pollhook`);
});

/** The provider takes no generation of it, and says so with a status of 200. */
const REFUSED = { MODELSLAB_KEY: "wrong" };

it("a backend in Node outlives a generation that fails, and says why", async () => {
  const [text = ""] = blocksOf("A backend in Node", "js");
  const at = await place();
  const recipe = await started(text, { more: { ...at, ...REFUSED } });
  await recipe.line(/^generation_failed: /, "err");
  expect(await answerToForgery(at.PUBLIC_URL)).toBe(401);
});

const hasPython = (() => {
  try {
    execFileSync("python3", ["-c", "import wsgiref"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

if (hasPython)
  it("a backend in Python, over sockets", async () => {
    const [text = ""] = blocksOf("A backend in Python", "python");
    const at = await place();
    const recipe = await started(text, { program: ["python3"], file: "recipe.py", more: at });
    expect(await recipe.line(SUCCEEDED)).toContain("{'user': 7}");
    expect(await answerToForgery(at.PUBLIC_URL)).toBe(401);
    await deliveredTo(`${at.PUBLIC_URL}/hooks/pollhook`);
  });

if (hasPython)
  it("a backend in Python outlives a generation that fails, and says why", async () => {
    const [text = ""] = blocksOf("A backend in Python", "python");
    const at = await place();
    const more = { ...at, ...REFUSED };
    const recipe = await started(text, { program: ["python3"], file: "recipe.py", more });
    await recipe.line(/"code":"generation_failed"/);
    expect(await answerToForgery(at.PUBLIC_URL)).toBe(401);
  });

it("a backend in Python raises what a refusal says", async () => {
  const [text = ""] = blocksOf("A backend in Python", "python");
  const recipe = await PythonRecipe.load(text, { ...env, ...REFUSED, PUBLIC_URL: setting.receiver.origin });
  const generated = recipe.run('generate("a lighthouse at dusk", 7)');
  await expect(generated).rejects.toThrow(/OSError: .*"code":"generation_failed"/);
});

it("a backend in Python, without a Python and its sockets", async () => {
  const [text = ""] = blocksOf("A backend in Python", "python");
  const recipe = await PythonRecipe.load(text, { ...env, PUBLIC_URL: setting.receiver.hookUrl() });
  await recipe.run('generate("a lighthouse at dusk", 7)');
  const [delivery] = await setting.receiver.waitForCount("/hook/hooks/pollhook", 1, 30_000);
  if (!delivery) throw new Error("no delivery");
  expect(recipe.answer(delivery)).toBe("204 No Content");
  expect(recipe.printed).toEqual([expect.stringMatching(/^msg_\w+ job\.succeeded \{'user': 7\} \['https:/)]);
  const { "webhook-signature": signature, ...others } = delivery.headers;
  const sentAt = Number(delivery.headers["webhook-timestamp"]);
  const refused = [
    { ...delivery, body: delivery.body.replace("succeeded", "expired") },
    { ...delivery, headers: others },
    { ...delivery, headers: { ...delivery.headers, "webhook-timestamp": String(sentAt + 1) } },
    { ...delivery, headers: { ...delivery.headers, "webhook-timestamp": "noon" } },
  ];
  for (const request of refused) expect(recipe.answer(request)).toBe("401 Unauthorized");
  const rotated = { ...delivery.headers, "webhook-signature": `v1,AAAA ${signature}` };
  expect(recipe.answer({ ...delivery, headers: rotated })).toBe("204 No Content");
  expect(recipe.printed).toHaveLength(2);
});

it("a backend in Python takes what was signed by its own clock up to five minutes ago, and nothing older", async () => {
  const [text = ""] = blocksOf("A backend in Python", "python");
  const recipe = await PythonRecipe.load(text, env);
  const body = '{"type":"job.succeeded","data":{"metadata":{},"output":[]}}';
  const answerAfter = (seconds: number): string => {
    const at = new Date(Date.now() - seconds * 1000);
    const signature = new Webhook(env.POLLHOOK_SECRET ?? "").sign("msg_1", at, body);
    const timestamp = String(Math.floor(at.getTime() / 1000));
    const headers = { "webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature };
    return recipe.answer({ headers, body });
  };
  expect([answerAfter(290), answerAfter(310), answerAfter(-310)]).toEqual([
    "204 No Content",
    "401 Unauthorized",
    "401 Unauthorized",
  ]);
});

it("a mobile app with a minted token", async () => {
  const [server = "", app = ""] = blocksOf("A mobile app with a minted token", "js", 2);
  const path = "/hook/app";
  const url = setting.receiver.origin + path;
  const put = await setting.call("PUT", "/v1/destinations/app", { url, secret: env.POLLHOOK_SECRET });
  expect(put.status).toBe(201);
  const at = await place();
  await started(server, { file: "server.mjs", more: at });
  await listens(at.PUBLIC_URL);
  // Nothing that it could do without: no token, no secret, no key.
  const bare = { POLLHOOK_TOKEN: "", POLLHOOK_SECRET: "", MODELSLAB_KEY: "", SERVER_URL: at.PUBLIC_URL };
  const phone = await started(app, { file: "app.mjs", more: bare });
  await phone.line(/^outcome succeeded$/);
  await phone.line(/^succeeded \[/);
  expect([await phone.ended(), phone.err]).toEqual([0, ""]);
  const [delivery] = await setting.receiver.waitForCount(path, 1, 30_000);
  expect(delivery).toMatchObject({ verified: true });
  expect(JSON.parse(delivery?.body ?? "").data.metadata).toEqual({ screen: "home" });
});

it("a mobile app hears that its generation has failed, and is given no token", async () => {
  const [server = "", app = ""] = blocksOf("A mobile app with a minted token", "js", 2);
  const at = await place();
  const backend = await started(server, { file: "server.mjs", more: { ...at, ...REFUSED } });
  await listens(at.PUBLIC_URL);
  for (const _ of [1, 2]) {
    const phone = await started(app, { file: "app.mjs", more: { SERVER_URL: at.PUBLIC_URL } });
    expect(await phone.ended()).toBe(1);
    expect(phone.err).toContain("Invalid Api Key");
  }
  expect(backend.err.match(/Invalid Api Key/g)).toHaveLength(2);
});

it("in place of a cron: what comes while it is down comes when it is back", async () => {
  const [text = ""] = blocksOf("In place of your cron", "js");
  const folder = join(installed.folder, "cron");
  await mkdir(folder);
  await foreignEvents();
  const first = await started(text, { program: [process.execPath, "a lighthouse"], folder });
  // Those of the tests before are in the feed, too.
  await first.line(/^msg_\w+ job\.succeeded 7 /);
  const kept = () => readFile(join(folder, "pollhook.cursor"), "utf8");
  const { next_cursor } = (await (await setting.call("GET", "/v1/events?after=latest")).json()) as {
    next_cursor: string;
  };
  await expect.poll(kept, { timeout: 30_000 }).toBe(next_cursor);
  await first.stop();
  setting.provider.add({ endpoint: "v3", id: 4_002, readyAfterMs: 0 });
  const id = await setting.register({ endpoint: "v3", request_id: 4_002, eta: 1, metadata: { row: 8 } });
  await expect.poll(async () => (await setting.job(id)).status, { timeout: 30_000 }).toBe("finished");
  const second = await started(text, { folder });
  await second.line(/^msg_\w+ job\.succeeded 8 /);
  expect(second.out.match(/^msg_/gm)).toHaveLength(1);
  await second.stop();
  const third = await started(text, { program: [process.execPath, "a lighthouse"], folder, more: REFUSED });
  await third.line(/^generation_failed: /, "err");
  setting.provider.add({ endpoint: "v3", id: 4_005, readyAfterMs: 0 });
  await setting.register({ endpoint: "v3", request_id: 4_005, eta: 1, metadata: { row: 9 } });
  await third.line(/^msg_\w+ job\.succeeded 9 /);
});

/** What others of the tenant put into the feed: another format, another secret, other metadata. */
async function foreignEvents(): Promise<void> {
  const url = `${setting.receiver.origin}/hook/foreign`;
  const secret = `whsec_${Buffer.alloc(32, "f").toString("base64")}`;
  expect((await setting.call("PUT", "/v1/destinations/foreign", { url, secret })).status).toBe(201);
  const jobs = [
    { request_id: 4_003, format: "provider", metadata: { track_id: "theirs" } },
    { request_id: 4_004, destination: "foreign" },
  ];
  for (const job of jobs) {
    setting.provider.add({ endpoint: "v3", id: job.request_id, readyAfterMs: 0 });
    const id = await setting.register({ endpoint: "v3", eta: 1, ...job });
    const fed = async (): Promise<string> => (await setting.call("GET", "/v1/events?limit=100")).text();
    await expect.poll(fed, { timeout: 30_000 }).toContain(id);
  }
}

/** The Worker has seen it accepted. */
async function deliveredTo(callback_url: string): Promise<void> {
  const statuses = async (): Promise<unknown[]> => {
    const { host } = new URL(callback_url);
    const page = (await (await setting.call("GET", `/v1/jobs?host=${host}`)).json()) as {
      jobs: { status: string }[];
    };
    return page.jobs.map(({ status }) => status);
  };
  await expect.poll(statuses, { timeout: 30_000 }).toEqual(["delivered"]);
}

async function listens(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const isOpen = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(Number(port), hostname, () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
  await expect.poll(isOpen, { timeout: 30_000 }).toBe(true);
}
