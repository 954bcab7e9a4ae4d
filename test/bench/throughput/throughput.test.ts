/** The throughput bench in small, on plain workerd: what is counted and what must hold, never how fast. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../demo/worker-process.ts";
import { type Provider, startProvider } from "../../simulator/provider.ts";
import { type Receiver, startReceiver } from "../../simulator/receiver.ts";
import { type Bundle, bundlePollhook } from "../../workerd/bundle.ts";
import { startPlainWorkerd } from "../../workerd/plain-workerd.ts";
import { runThroughput } from "./run.ts";
import { throughputBody } from "./section.ts";
import { makeKeys } from "./subjects.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollhook-throughput-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("Pollhook on plain workerd", () => {
  let provider: Provider;
  let receiver: Receiver;
  beforeAll(async () => {
    provider = await startProvider();
    receiver = await startReceiver();
  });
  afterAll(async () => {
    await provider.close();
    await receiver.close();
  });

  it("calls back for every job, also for those that were waiting when it was killed", async () => {
    const bundle = await bundlePollhook(ROOT, folder);
    const { masterKeys, token } = await makeKeys();
    const start = () =>
      startPlainWorkerd({
        bundle,
        persistTo: join(folder, "pollhook"),
        vars: {
          MASTER_KEYS: { fromEnvironment: "MASTER_KEYS" },
          PROVIDER_ORIGINS: provider.origin,
          PROVIDER_KEY: "sim-provider-key",
          ALLOW_PRIVATE_TARGETS: "true",
        },
        env: { MASTER_KEYS: masterKeys },
      });
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      connection: "close",
    };
    const register = async (origin: string, id: number, eta: number) => {
      provider.add({ endpoint: "v3", id });
      const body = JSON.stringify({
        endpoint: "v3",
        request_id: id,
        eta,
        callback_url: receiver.hookUrl("plain"),
      });
      const response = await fetch(`${origin}/v1/jobs`, { method: "POST", headers, body });
      expect(response.status).toBe(202);
    };

    const first = await start();
    const answer = await fetch(`${first.origin}/v1/signing-secret`, { headers });
    receiver.setSecrets([((await answer.json()) as { secret: string }).secret]);
    for (let id = 1; id <= 10; id++) await register(first.origin, id, 0);
    await receiver.waitForCount("/hook/plain", 10, 30_000);
    // A crash is to take none of these, and to repeat none of those.
    for (let id = 11; id <= 20; id++) await register(first.origin, id, 3);
    await first.stop("SIGKILL");
    expect(isAlive(first.pid)).toBe(false);

    const second = await start();
    expect(second.pid).not.toBe(first.pid);
    const deliveries = await receiver.waitForCount("/hook/plain", 20, 60_000);
    await sleep(500);
    expect(receiver.deliveries("/hook/plain")).toHaveLength(20);
    expect(deliveries.every(({ verified }) => verified)).toBe(true);
    const ids = deliveries.map(
      ({ body }) => (JSON.parse(body) as { data: { request_id: string } }).data.request_id,
    );
    expect(new Set(ids).size).toBe(20);
    await second.stop();
    expect(isAlive(second.pid)).toBe(false);
  });

  it("says why it does not start, and is gone", async () => {
    const bundle = await bundlePollhook(ROOT, folder);
    const persistTo = join(folder, "unconfigured");
    await expect(startPlainWorkerd({ bundle, persistTo, vars: {} })).rejects.toThrow("/healthz answers 503");
  });
});

describe("a text in workerd's configuration", () => {
  it("arrives as it was, whatever is in it", async () => {
    const script = join(folder, "echo.js");
    await writeFile(script, "export default { fetch: (_, env) => Response.json(env) };");
    const bundle: Bundle = {
      script,
      compatibilityDate: "2026-10-20",
      compatibilityFlags: [],
      objects: [],
    };
    const vars = {
      QUOTES: '"\\")];\\x41',
      CONTROLS: "a\nb\r\tc\x01\x1f\x7f",
      UNICODE: "é … 🪝",
      SAID: { fromEnvironment: "POLLHOOK_TEST_SAID" },
      UNSAID: { fromEnvironment: "POLLHOOK_TEST_UNSAID" },
    };
    const echo = await startPlainWorkerd({
      bundle,
      persistTo: join(folder, "echo"),
      vars,
      env: { POLLHOOK_TEST_SAID: 'as "said"' },
    });
    const bound: unknown = await (await fetch(echo.origin)).json();
    await echo.stop();
    expect(bound).toEqual({ ...vars, SAID: 'as "said"', UNSAID: null });
  });
});

describe("the bench", () => {
  it("measures the floor and Pollhook side by side, and relates them", async () => {
    const said: string[] = [];
    const result = await runThroughput({
      subjects: ["floor", "sharded"],
      jobs: 20,
      waiting: 1,
      rounds: 1,
      registeringMs: 200,
      settleMs: 500,
      root: ROOT,
      say: (text) => said.push(text),
    });
    expect(said).toHaveLength(2);
    for (const { registering, life, waiting } of result.subjects) {
      expect(registering.map(({ connections }) => connections)).toEqual([1, 32, 128]);
      expect(Math.min(...registering.map(({ perSecond }) => perSecond))).toBeGreaterThan(0);
      expect(life).toMatchObject({ jobs: 20, polls: 1, lagMs: { count: 20 } });
      expect(waiting.jobs).toBeGreaterThanOrEqual(1);
      expect(waiting.diskBytes).toBeGreaterThan(0);
    }
    const body = throughputBody(result);
    expect(body).toMatch(/Pollhook, JOB_SHARDS=8 to floor.*: registration.* \| [\d.]+ \| at least 8 \|/);
    expect(body).not.toMatch(/workflow|bullmq/i);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
