/**
 * The commands a newcomer types, run as processes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseMasterKeys } from "../../src/crypto/keys.ts";
import { verifyToken } from "../../src/crypto/token.ts";
import { freePort, ROOT, startWorker } from "./worker-process.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}

function run(
  script: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  cwd = ROOT,
): Run {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd,
    env: { ...process.env, ...env },
  });
  children.push(child);
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { child, output: () => output, errors: () => errors, ended };
}

const workerIn = (text: string): string | undefined => /Worker (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];

async function isListening(origin: string): Promise<boolean> {
  return fetch(`${origin}/healthz`).then(
    (response) => response.ok,
    () => false,
  );
}

describe("npm run demo", () => {
  it("ends with success when every event has arrived and verified, and leaves nothing running", async () => {
    const demo = run("test/demo/demo.ts");
    expect(await demo.ended).toBe(0);
    const text = demo.output();
    expect(text).toContain("10 of 10 events arrived, each verified");
    expect(text).toMatch(/the callback answers 503 at first\s+delivered\s+1 poll\s+2 attempts/);
    expect(text).toMatch(/the provider rate-limits\s+delivered\s+2 polls\s+1 attempt/);
    expect(text).toMatch(/webhook-signature: v1,\S{44}/);
    expect(await isListening(workerIn(text) ?? "")).toBe(false);
  }, 60_000);

  it("leaves nothing running after Ctrl-C", async () => {
    const demo = run("test/demo/demo.ts");
    await expect.poll(() => workerIn(demo.output()), { timeout: 30_000 }).toBeDefined();
    const worker = workerIn(demo.output()) ?? "";
    expect(await isListening(worker)).toBe(true);
    demo.child.kill("SIGINT");
    expect(await demo.ended).toBe(130);
    expect(demo.errors()).toBe("");
    await expect.poll(() => isListening(worker), { timeout: 5_000 }).toBe(false);
  }, 60_000);
});

describe("the Worker's process", () => {
  it("says why it does not start, and is gone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pollhook-start-"));
    const port = await freePort();
    const vars = { MASTER_KEYS: "not a key" };
    await expect(startWorker({ persistTo: folder, port, vars })).rejects.toThrow(
      /MASTER_KEYS, entry 1 is malformed/,
    );
    expect(await isListening(`http://127.0.0.1:${port}`)).toBe(false);
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
});

describe("npm run token", () => {
  const masterKeys = `cli:${randomBytes(32).toString("base64")}`;
  const keys = parseMasterKeys(masterKeys, []);

  it("prints a token and nothing else, with all scopes but provider:admin, and 30 days, by default", async () => {
    const token = run("src/cli/token.ts", ["--tenant", "acme"], { MASTER_KEYS: masterKeys });
    expect(await token.ended).toBe(0);
    expect(token.errors()).toBe("");
    expect(token.output()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = await verifyToken(token.output().trim(), keys);
    expect(claims).toMatchObject({
      sub: "acme",
      scope:
        "jobs:read jobs:write generations:write stats:read tokens:write secrets:read destinations:read destinations:write",
    });
    expect(typeof claims === "string" ? 0 : claims.exp - claims.iat).toBe(30 * 86_400);
  });

  it("takes scope and life from its arguments, and the keys from .dev.vars", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pollhook-token-"));
    await writeFile(join(folder, ".dev.vars"), `# a comment\nMASTER_KEYS="${masterKeys}"\n`);
    const args = ["--tenant", "acme", "--scope", "jobs:read", "--expires-in", "60"];
    const token = run("src/cli/token.ts", args, { MASTER_KEYS: "" }, folder);
    expect(await token.ended).toBe(0);
    const claims = await verifyToken(token.output().trim(), keys);
    expect(claims).toMatchObject({ scope: "jobs:read" });
    expect(typeof claims === "string" ? 0 : claims.exp - claims.iat).toBe(60);
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    [["--scope", "jobs:read"], "--tenant"],
    [["--tenant", "a b"], "--tenant"],
    [["--tenant", "acme", "--scope", "everything"], "--scope"],
    [["--tenant", "acme", "--expires-in", "0"], "--expires-in"],
    [["--tenant", "acme", "--expires-in", "1.5"], "--expires-in"],
    [["--tenant", "acme", "--nonsense"], "nonsense"],
  ])("refuses %j and names %s", async (args, name) => {
    const token = run("src/cli/token.ts", args, { MASTER_KEYS: masterKeys });
    expect(await token.ended).toBe(1);
    expect(token.output()).toBe("");
    expect(token.errors()).toContain(name);
  });

  it("says what to set when there is no master key, without repeating a malformed one", async () => {
    const token = run("src/cli/token.ts", ["--tenant", "acme"], { MASTER_KEYS: "k1:c2VjcmV0" });
    expect(await token.ended).toBe(1);
    expect(token.errors()).toContain("MASTER_KEYS, entry 1 holds 6 bytes, not 32");
    expect(token.errors()).not.toContain("c2VjcmV0");
  });
});

/** The variables of the line that is there to be pasted. */
function exportedBy(output: string): Record<string, string> {
  const [, pairs = ""] = /^export (.*)$/m.exec(output) ?? [];
  return Object.fromEntries(pairs.split(" ").map((pair) => pair.split(/=(.*)/, 2)));
}

const inShell = (line: string, env: Readonly<Record<string, string>>): string =>
  line.replace(/\$(\w+)/g, (_, name) => env[name] ?? "").replace(/^"(\S+)"/, "$1");

/** The provider takes the key, the Worker the token; the secret is the token's tenant's. */
async function worksWith(env: Readonly<Record<string, string>>): Promise<void> {
  const { MODELSLAB_URL, MODELSLAB_KEY: key, POLLHOOK_URL, POLLHOOK_TOKEN, POLLHOOK_SECRET } = env;
  const asJson = { "content-type": "application/json" };
  const call = { method: "POST", headers: asJson, body: JSON.stringify({ key, prompt: "a lighthouse" }) };
  const generated = await fetch(`${MODELSLAB_URL}/api/v6/images/text2img`, call);
  expect(await generated.json()).toMatchObject({ status: "processing" });
  const headers = { authorization: `Bearer ${POLLHOOK_TOKEN}` };
  const signing = await fetch(`${POLLHOOK_URL}/v1/signing-secret`, { headers });
  expect(await signing.json()).toMatchObject({ secret: POLLHOOK_SECRET });
  const { port } = new URL(env.PUBLIC_URL ?? "");
  expect(port).toBe(env.PORT);
}

describe("npm start", () => {
  it("keeps its jobs and its ports across a restart, and refuses to run twice", async () => {
    const state = await mkdtemp(join(tmpdir(), "pollhook-state-"));
    const env = { POLLHOOK_START_STATE: state };
    const first = run("test/demo/start.ts", [], env);
    await expect.poll(() => first.output(), { timeout: 30_000 }).toContain("Try it");
    const exported = exportedBy(first.output());
    const typed = /^curl -s (.*)$/m.exec(first.output())?.[1] ?? "";
    const curl = /^(\S+) -H "([^"]+)" -H '([^']+)' -d '([^']+)'$/.exec(inShell(typed, exported));
    const [, url = "", authorization = "", contentType = "", body = ""] = curl ?? [];
    const link = /^(http:\S+)\/console#token=(\S+)$/m.exec(first.output());
    expect([`${link?.[1]}/v1/jobs`, `authorization: Bearer ${link?.[2]}`]).toEqual([url, authorization]);
    expect(first.output()).toContain(`${link?.[1]}/docs`);
    await worksWith(exported);
    expect((await fetch(link?.[0] ?? "")).headers.get("content-type")).toMatch(/^text\/html/);
    const headers = Object.fromEntries([authorization, contentType].map((line) => line.split(": ", 2)));
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify({ ...JSON.parse(body), eta: 6 }),
    });
    expect(answer.status).toBe(202);

    const second = run("test/demo/start.ts", [], env);
    expect(await second.ended).toBe(1);
    expect(second.errors()).toContain("It runs already");

    first.child.kill("SIGINT");
    expect(await first.ended).toBe(130);
    const third = run("test/demo/start.ts", [], env);
    await expect
      .poll(() => third.output(), { timeout: 30_000 })
      .toMatch(/job\.succeeded on \/hook, attempt 1, verified, answered 204/);
    expect(third.output()).toContain(new URL(url).origin);
    third.child.kill("SIGINT");
    expect(await third.ended).toBe(130);
    await rm(state, { recursive: true, force: true });
  }, 90_000);

  it("ends the Worker that a killed start left behind, and gives way to others on its ports", async () => {
    const state = await mkdtemp(join(tmpdir(), "pollhook-state-"));
    const env = { POLLHOOK_START_STATE: state };
    const started = async () => {
      const start = run("test/demo/start.ts", [], env);
      await expect.poll(() => start.output(), { timeout: 30_000 }).toContain("Try it");
      return { start, origin: /^Pollhook +(\S+)$/m.exec(start.output())?.[1] ?? "" };
    };
    const first = await started();
    first.start.child.kill("SIGKILL");
    await first.start.ended;
    expect(await isListening(first.origin)).toBe(true);

    const second = await started();
    expect(second.start.output()).toContain("left behind");
    expect(second.origin).toBe(first.origin);
    second.start.child.kill("SIGINT");
    expect(await second.start.ended).toBe(130);

    const other = createServer((_, response) => response.end("ok"));
    await new Promise<void>((resolve) =>
      other.listen(Number(new URL(first.origin).port), "127.0.0.1", resolve),
    );
    const third = await started();
    expect(third.origin).not.toBe(first.origin);
    third.start.child.kill("SIGINT");
    expect(await third.start.ended).toBe(130);
    other.close();
    await rm(state, { recursive: true, force: true });
  }, 120_000);
});
