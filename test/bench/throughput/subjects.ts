/**
 * What is measured side by side. Every subject takes the same registration over HTTP, polls the same provider and calls
 * the same receiver; started anew for each measurement, on an empty folder.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mintToken, SCOPES } from "../../../src/crypto/token.ts";
import { startWorker } from "../../demo/worker-process.ts";
import { type Bundle, bundleBare, bundlePollhook } from "../../workerd/bundle.ts";
import { startPlainWorkerd } from "../../workerd/plain-workerd.ts";
import { canRunQueue, startQueue } from "./queue.ts";

export const SUBJECTS = ["floor", "shared-floor", "single", "sharded", "dev", "workflow", "bullmq"] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export const ON_PLAIN_WORKERD: readonly SubjectName[] = ["floor", "shared-floor", "single", "sharded"];

export interface Surroundings {
  /** The checkout whose Pollhook is measured. */
  readonly root: string;
  /** For all that is written; removed by whoever made it. */
  readonly folder: string;
  readonly providerOrigin: string;
  /** As it is deployed, unless it is `false`. */
  readonly minify?: boolean;
}

export interface Running {
  /** Where registrations go. */
  readonly url: string;
  readonly token: string;
  /** What signs its callbacks; `null` where nothing does. */
  readonly secret: string | null;
  /** What its durable state is below. */
  readonly disk: string;
  /** Of the processes that do the job. */
  pids(): number[];
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: SubjectName;
  readonly label: string;
  /** Started by a tool for development: a round of it takes so long that it is measured once, with fewer jobs. */
  readonly isSlow: boolean;
  /** On plain workerd it can be inspected, at a `host:port`. */
  start(inspectAt?: string): Promise<Running>;
}

const WORKERS = new URL("../workers/", import.meta.url);
const PATH = "/v1/jobs";
const SHARDS = { single: "0", sharded: "8" } as const;

/** All that this machine can run. */
export const availableSubjects = (): SubjectName[] =>
  SUBJECTS.filter((name) => name !== "bullmq" || canRunQueue());

/** Bundles what has to be, once. */
export async function subjectsOf(
  names: readonly SubjectName[],
  surroundings: Surroundings,
): Promise<Subject[]> {
  const { root, folder, minify } = surroundings;
  const made = (name: string) => mkdtemp(join(folder, `${name}-`));
  const wants = (...some: SubjectName[]) => some.some((name) => names.includes(name));
  const pollhook = wants("single", "sharded")
    ? await bundlePollhook(root, await made("bundle"), minify)
    : null;
  const bare = async (name: SubjectName, file: string, className: string) =>
    wants(name)
      ? await bundleBare(fileURLToPath(new URL(file, WORKERS)), className, await made("bundle"))
      : null;
  const floor = await bare("floor", "floor.ts", "Floor");
  const sharedFloor = await bare("shared-floor", "shared-floor.ts", "SharedFloor");
  return names.map((name): Subject => {
    switch (name) {
      case "floor":
        return {
          name,
          label: "floor: bare Worker, one object per job",
          isSlow: false,
          start: async (inspectAt) => startFloor(need(floor), await made(name), surroundings, inspectAt),
        };
      case "shared-floor":
        return {
          name,
          label: "bare Worker, 8 shared objects, commits together",
          isSlow: false,
          start: async (inspectAt) =>
            startFloor(need(sharedFloor), await made(name), surroundings, inspectAt),
        };
      case "single":
      case "sharded":
        return {
          name,
          label: `Pollhook, JOB_SHARDS=${SHARDS[name]}`,
          isSlow: false,
          start: async (inspectAt) =>
            startPollhook(need(pollhook), await made(name), surroundings, SHARDS[name], inspectAt),
        };
      case "dev":
        return {
          name,
          label: "Pollhook, wrangler dev",
          isSlow: true,
          start: async () => startDev(await made(name), surroundings),
        };
      case "workflow":
        return {
          name,
          label: "Cloudflare Workflow, wrangler dev",
          isSlow: true,
          start: async () => startWorkflow(await made(name), surroundings),
        };
      case "bullmq":
        return {
          name,
          label: "BullMQ, Redis with appendfsync always",
          isSlow: false,
          start: async () => startQueue(await made(name), surroundings.providerOrigin),
        };
      default:
        throw new Error(`There is no ${name satisfies never}.`);
    }
  });
}

async function startFloor(
  bundle: Bundle,
  disk: string,
  { providerOrigin }: Surroundings,
  inspectAt?: string,
): Promise<Running> {
  const { origin, pid, stop } = await startPlainWorkerd({
    bundle,
    persistTo: disk,
    vars: { PROVIDER_ORIGINS: providerOrigin },
    ...(inspectAt !== undefined && { inspectAt }),
  });
  return { url: origin + PATH, token: "", secret: null, disk, pids: () => [pid], stop };
}

async function startPollhook(
  bundle: Bundle,
  disk: string,
  { providerOrigin }: Surroundings,
  shards: string,
  inspectAt?: string,
): Promise<Running> {
  const { masterKeys, token } = await makeKeys();
  const { origin, pid, stop } = await startPlainWorkerd({
    bundle,
    persistTo: disk,
    vars: { ...pollhookVars(providerOrigin, shards), MASTER_KEYS: { fromEnvironment: "MASTER_KEYS" } },
    env: { MASTER_KEYS: masterKeys },
    ...(inspectAt !== undefined && { inspectAt }),
  });
  const secret = await signingSecret(origin, token);
  return { url: origin + PATH, token, secret, disk, pids: () => [pid], stop };
}

async function startDev(disk: string, { root, providerOrigin }: Surroundings): Promise<Running> {
  const { masterKeys, token } = await makeKeys();
  const { origin, workerdPids, stop } = await startWorker({
    persistTo: disk,
    config: join(root, "wrangler.toml"),
    vars: { ...pollhookVars(providerOrigin, SHARDS.single), MASTER_KEYS: masterKeys },
  });
  const secret = await signingSecret(origin, token);
  return { url: origin + PATH, token, secret, disk, pids: workerdPids, stop };
}

async function startWorkflow(disk: string, { providerOrigin }: Surroundings): Promise<Running> {
  const { origin, workerdPids, stop } = await startWorker({
    persistTo: disk,
    config: fileURLToPath(new URL("workflow.toml", WORKERS)),
    vars: { PROVIDER_ORIGINS: providerOrigin },
  });
  return { url: origin + PATH, token: "", secret: null, disk, pids: workerdPids, stop };
}

const pollhookVars = (providerOrigin: string, shards: string) => ({
  PROVIDER_ORIGINS: providerOrigin,
  PROVIDER_KEY: "bench-provider-key",
  ALLOW_PRIVATE_TARGETS: "true",
  JOB_SHARDS: shards,
});

/** A master key as `MASTER_KEYS` has it, and a token that it signed. */
export async function makeKeys(): Promise<{ readonly masterKeys: string; readonly token: string }> {
  const master = { kid: "bench", bytes: new Uint8Array(randomBytes(32)) };
  const iat = Math.floor(Date.now() / 1000);
  const claims = { sub: "bench", scope: SCOPES.join(" "), exp: iat + 86_400, iat, jti: "bench" };
  const masterKeys = `${master.kid}:${Buffer.from(master.bytes).toString("base64")}`;
  return { masterKeys, token: await mintToken(claims, master) };
}

async function signingSecret(origin: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${origin}/v1/signing-secret`, { headers });
  return ((await response.json()) as { secret: string }).secret;
}

function need<Value>(value: Value | null): Value {
  if (value === null) throw new Error("A Worker that is needed has not been bundled.");
  return value;
}
