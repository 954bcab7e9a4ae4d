/**
 * `npm start`: the Worker with a simulated provider and a callback receiver, until Ctrl-C. Jobs are kept across
 * restarts; so are the ports, where they are still free, so that stored callbacks still lead somewhere.
 */
import { randomInt } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery } from "../simulator/receiver.ts";
import { startTrio, type Trio } from "./trio.ts";
import { freePort, isPollhook, ROOT, runCommand } from "./worker-process.ts";

/** Elsewhere for tests, which must not meet what a person keeps here. */
const STATE = process.env.POLLHOOK_START_STATE ?? join(ROOT, ".wrangler", "start");
const LAST_FILE = join(STATE, "last.json");
const ROLES = ["worker", "provider", "receiver"] as const;
type Ports = Record<(typeof ROLES)[number], number>;
/** Within which a Worker that was left behind has ended, and let go of its port. */
const ORPHAN_LIMIT_MS = 10_000;
/** Of a delivered event, what is shown: an output may be megabytes of base64. */
const SHOWN_CHARS = 2_000;

/** What a start leaves for the next one. */
interface Last extends Ports {
  /** The pids of `npm start` and of the process group that runs the Worker. */
  readonly starter: number;
  readonly group: number;
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** The ports of the last start where they are free, else other free ones. */
async function choosePorts(before: Partial<Ports>): Promise<Ports> {
  const ports: Ports = { worker: 0, provider: 0, receiver: 0 };
  for (const role of ROLES) {
    const wanted = before[role];
    ports[role] = wanted !== undefined && (await isFree(wanted)) ? wanted : await freePort();
  }
  return ports;
}

/** What is there of the last start; anything that is no positive number is not. */
function readLast(): Partial<Last> {
  try {
    const last = JSON.parse(readFileSync(LAST_FILE, "utf8")) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(last).filter(([, n]) => Number.isInteger(n) && Number(n) > 0));
  } catch {
    return {};
  }
}

function writeLast(last: Last): void {
  mkdirSync(STATE, { recursive: true });
  writeFileSync(LAST_FILE, `${JSON.stringify(last)}\n`);
}

/**
 * Two Workers on one storage would do everything twice. One that still runs though its `npm start` was killed is ended;
 * one whose `npm start` runs is left alone.
 */
async function endOrphan({ worker, starter, group }: Partial<Last>): Promise<void> {
  if (worker === undefined || !(await isPollhook(`http://127.0.0.1:${worker}`))) return;
  if (starter === undefined || group === undefined || isAlive(starter))
    throw new Error(`It runs already, at http://127.0.0.1:${worker}: two would share one storage.`);
  say("Ending the Worker that a killed start has left behind …");
  process.kill(-group, "SIGKILL");
  // Not all of a group dies at the same instant; what is kept longer than this is somebody else's.
  for (const limit = Date.now() + ORPHAN_LIMIT_MS; Date.now() < limit && !(await isFree(worker)); )
    await sleep(100);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function showDelivery({ path, verified, body, status, headers }: Delivery): void {
  const type = /^\{"type":"([^"]+)"/.exec(body)?.[1] ?? "an event";
  const how = verified ? "verified" : "NOT verified";
  const shown =
    body.length > SHOWN_CHARS ? `${body.slice(0, SHOWN_CHARS)}… (${body.length} characters)` : body;
  say(
    `\n<- ${type} on ${path}, attempt ${headers["pollhook-attempt"]}, ${how}, answered ${status}\n${shown}`,
  );
}

/** Only what is worth reading: the Worker's own events, and anything that is not routine. */
function showLog(line: string): void {
  if (line.startsWith('{"event"')) say(`   ${line}`);
  else if (/error|warn/i.test(line)) say(line);
}

/** What the command line and the recipes of the README need, the place where a recipe listens included. */
async function exportLine({ worker, provider, token, providerKey, secret }: Trio): Promise<string> {
  const port = await freePort();
  const variables = {
    POLLHOOK_URL: worker.origin,
    POLLHOOK_TOKEN: token,
    POLLHOOK_SECRET: secret,
    MODELSLAB_URL: provider.origin,
    MODELSLAB_KEY: providerKey,
    PORT: port,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  };
  const pairs = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return `export ${pairs.join(" ")}`;
}

async function greet(trio: Trio): Promise<void> {
  const { worker, provider, receiver, token, freshSecrets } = trio;
  if (freshSecrets) say("Wrote .dev.vars with a fresh master key.");
  say(`
Open this to sign in to the console (tenant "local", every scope but provider:admin, 30 days):

${worker.origin}/console#token=${token}

Pollhook    ${worker.origin}
its API     ${worker.origin}/docs
provider    ${provider.origin}   simulated; an id it has not seen is ready 4 s after its first fetch
receiver    ${receiver.origin}/hook   verifies what arrives and shows it here

Paste this for the command line, the recipes of the README, and the next line:

${await exportLine(trio)}

Try it there, or here, with any id you like:

curl -s "$POLLHOOK_URL/v1/jobs" -H "authorization: Bearer $POLLHOOK_TOKEN" -H 'content-type: application/json' -d '{"request_id": "${randomInt(10_000_000, 99_999_999)}", "callback_url": "${receiver.origin}/hook", "eta": 2}'

Ctrl-C ends all three; jobs are kept in ${relative(process.cwd(), STATE) || "."}.
`);
}

async function main(): Promise<undefined> {
  say("Starting …");
  const last = readLast();
  await endOrphan(last);
  const ports = await choosePorts(last);
  const trio = await startTrio({
    persistTo: STATE,
    workerPort: ports.worker,
    // Ids of its own at every start: those of the last one have jobs.
    provider: { port: ports.provider, invent: true, firstId: randomInt(10_000_000, 99_000_000) },
    receiver: { port: ports.receiver, onDelivery: showDelivery },
    onWorkerLog: showLog,
  });
  writeLast({ ...ports, starter: process.pid, group: trio.worker.group });
  await greet(trio);
}

await runCommand(main);
