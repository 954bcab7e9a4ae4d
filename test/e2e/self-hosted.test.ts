/**
 * What `npm run build` makes, run as the README says: plain workerd, no wrangler, an environment of nothing but the
 * documented variables. Killed and ended in the middle of its work, it goes on with what is on its disk.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PollhookNode, PROVIDER_KEY } from "../chaos/node.ts";
import { ProcessGroup } from "../demo/process-group.ts";
import { ROOT } from "../demo/worker-process.ts";
import { type Provider, startProvider } from "../simulator/provider.ts";
import { type Receiver, startReceiver } from "../simulator/receiver.ts";
import { workerdProgram } from "../workerd/plain-workerd.ts";
import { buildSelfHosted, startSelfHosted } from "../workerd/self-hosted.ts";

/** For each of the ways to go. */
const JOBS = 20;
const ARRIVAL_LIMIT_MS = 60_000;

let folder: string;
/** As `npm run build` makes it unless it is told otherwise. */
let config: string;
let provider: Provider;
let receiver: Receiver;
let node: PollhookNode;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pollhook-self-hosted-"));
  provider = await startProvider({ keys: [PROVIDER_KEY] });
  receiver = await startReceiver();
  const built = buildSelfHosted(join(folder, "built"));
  node = await PollhookNode.create({
    vars: { PROVIDER_ORIGINS: provider.origin },
    persistTo: join(folder, "home"),
  });
  // It has to stand for itself, wherever it was built.
  await rename(join(await built, ".."), join(folder, "moved"));
  config = join(folder, "moved", "pollhook.capnp");
  token = await node.token("acme");
  await node.start();
  const answer = await node.call(token, "GET", "/v1/signing-secret");
  receiver.setSecrets([((await answer.json()) as { secret: string }).secret]);
}, 120_000);
afterAll(async () => {
  await node?.tearDown();
  await receiver?.close();
  await provider?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Queues a request at the provider and registers it. */
async function register(path: string, id: number, eta: number): Promise<string> {
  provider.add({ endpoint: "v3", id, readyAfterMs: (id % 4) * 300 });
  const body = { endpoint: "v3", request_id: id, eta, callback_url: receiver.origin + path };
  const answer = await node.call(token, "POST", "/v1/jobs", body);
  const { id: job } = (await answer.json()) as { id: string };
  expect(answer.status).toBe(202);
  return job;
}

/** The objects of the class `Job` that are on disk. */
const objectsOnDisk = async (): Promise<number> =>
  (await readdir(join(node.persistTo, "data", "pollhook-Job"))).filter((name) =>
    /^[\da-f]{64}\.sqlite$/.test(name),
  ).length;

describe("what npm run build makes", () => {
  it("goes on where it was killed, and where it was ended: every event arrives, none in two versions", async () => {
    const jobs = new Map<number, string>();
    const hookOf = (id: number) => `/hook/crash-${id}`;
    const accepted = (ids: readonly number[]) =>
      ids.filter((id) =>
        receiver.deliveries(hookOf(id)).some(({ status, verified }) => status === 204 && verified),
      );
    for (const [round, signal] of (["SIGKILL", "SIGTERM"] as const).entries()) {
      const ids = Array.from({ length: JOBS }, (_, index) => 1_000 * (round + 1) + index);
      for (const id of ids) receiver.program(hookOf(id), [{ kind: "slow", ms: 700 }]);
      await Promise.all(ids.map(async (id) => jobs.set(id, await register(hookOf(id), id, 1 + (id % 5)))));
      await expect
        .poll(() => ids.some((id) => receiver.inFlight(hookOf(id)).now > 0), {
          timeout: 30_000,
          interval: 10,
        })
        .toBe(true);
      await node.stop(signal);
      expect(accepted(ids).length).toBeLessThan(JOBS);
      await node.start();
    }
    const ids = [...jobs.keys()];
    await expect
      .poll(() => accepted(ids).length, { timeout: ARRIVAL_LIMIT_MS, interval: 100 })
      .toBe(jobs.size);
    for (const [id, job] of jobs) {
      const seen = receiver.deliveries(hookOf(id));
      expect(new Set(seen.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
      expect(new Set(seen.map(({ bodySha256 }) => bodySha256)).size).toBe(1);
      expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({ data: { job_id: job } });
    }
    const open = async (): Promise<string[]> => {
      const read = async (id: string) => (await node.call(token, "GET", `/v1/jobs/${id}`)).json();
      const found = (await Promise.all([...jobs.values()].map(read))) as { id: string; status: string }[];
      return found.flatMap(({ id, status }) => (status === "delivered" ? [] : [`${id} ${status}`]));
    };
    await expect.poll(open, { timeout: 30_000, interval: 250 }).toEqual([]);
  });

  it("has a tenant's jobs share eight objects, unless it is told otherwise", async () => {
    const shared = await objectsOnDisk();
    expect(shared).toBeGreaterThan(1);
    expect(shared).toBeLessThanOrEqual(8);
    await node.stop("SIGTERM");
    await node.start({ JOB_SHARDS: "0,8" });
    for (let id = 1; id <= 4; id++) await register("/hook/alone", id, 0);
    await receiver.waitForCount("/hook/alone", 4, ARRIVAL_LIMIT_MS);
    expect(await objectsOnDisk()).toBe(shared + 4);
  });

  it("keeps each class where it has always been: these names may never change", async () => {
    expect((await readdir(join(node.persistTo, "data"))).sort()).toEqual(
      ["Generation", "Job", "Limiter", "Tenant"].map((name) => `pollhook-${name}`),
    );
  });
});

describe("the folder that is built", () => {
  it("names every class, its key and the public network alone, and no place on this machine", async () => {
    const text = await readFile(config, "utf8");
    expect(
      [...text.matchAll(/className = "(\w+)", uniqueKey = "([^"]+)"/g)].map((match) => match[0]),
    ).toEqual(
      ["Job", "Generation", "Tenant", "Limiter"].map(
        (name) => `className = "${name}", uniqueKey = "pollhook-${name}"`,
      ),
    );
    expect(text).toContain('network = (allow = ["public"], ');
    expect(text).toContain('address = "127.0.0.1:8080"');
    expect(text).not.toContain(tmpdir());
    expect(text).not.toMatch(/(path =|embed) "\//);
  });

  it.each(["10.0.0.1", "10.1.0.0/99", "10.0.0/8"])(
    "is not made for what workerd would not know: %s",
    async (item) => {
      await expect(buildSelfHosted(join(folder, "refused"), [`--allow=public,${item}`])).rejects.toThrow(
        `"${item}" is neither a word of workerd's nor a CIDR block`,
      );
      expect(await readdir(folder)).not.toContain("refused");
    },
  );

  it("takes every variable of the README from the environment", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const documented = [...readme.matchAll(/^\| `([A-Z_]+)` \| (secret|var) \|/gm)].map(([, name]) => name);
    expect(documented).toContain("MASTER_KEYS");
    const bound = [...(await readFile(config, "utf8")).matchAll(/fromEnvironment = "(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(bound.sort()).toEqual(documented.sort());
  });

  it("runs from anywhere, with its data where the command line says", async () => {
    const [home, data] = [join(folder, "elsewhere"), join(folder, "volume")];
    await mkdir(home);
    await mkdir(data);
    const MASTER_KEYS = `k1:${Buffer.alloc(32, 7).toString("base64")}`;
    const running = await startSelfHosted({
      config,
      home,
      env: { MASTER_KEYS },
      args: [`--directory-path=data=${data}`],
    });
    try {
      const health = await fetch(`${running.origin}/healthz`);
      expect(await health.json()).toEqual({ status: "ok" });
      // Its classes' folders are made at the start.
      expect(await readdir(data)).toContain("pollhook-Job");
      expect(await readdir(join(home, "data"))).toEqual([]);
    } finally {
      await running.stop();
    }
  });

  it("says what to set where there are no master keys", async () => {
    const home = join(folder, "unconfigured");
    await mkdir(home);
    const started = startSelfHosted({ config, home, env: {} });
    await expect(started).rejects.toThrow(/healthz answers 503(.|\n)*MASTER_KEYS/);
  });

  it("does not start where the folder for the data is missing, and says so", async () => {
    const home = join(folder, "no-disk");
    await mkdir(home);
    const group = new ProcessGroup({
      name: "workerd",
      file: workerdProgram(),
      args: ["serve", config, "--socket-addr=http=127.0.0.1:0"],
      cwd: home,
      env: {},
    });
    await expect.poll(() => group.output, { timeout: 30_000 }).toContain('Directory named "data" not found');
    await expect.poll(() => group.hasEnded, { timeout: 30_000 }).toBe(true);
    expect(await readdir(home)).toEqual([]);
  });
});
