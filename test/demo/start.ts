/**
 * `npm start`: the Worker with a simulated provider and a callback receiver, until Ctrl-C. Jobs are kept across
 * restarts; so are the ports, where they are still free, so that stored callbacks still lead somewhere.
 */
import { randomInt } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Delivery } from "../simulator/receiver.ts";
import { startTrio, type Trio } from "./trio.ts";
import { freePort, healthOf, ROOT, runCommand } from "./worker-process.ts";

/** Elsewhere for tests, which must not meet what a person keeps here. */
const STATE = process.env.POLLHOOK_START_STATE ?? join(ROOT, ".wrangler", "start");
const PORTS_FILE = join(STATE, "ports.json");
const ROLES = ["worker", "provider", "receiver"] as const;
type Ports = Record<(typeof ROLES)[number], number>;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** The ports of the last start where they are free, else other free ones. */
async function choosePorts(): Promise<Ports> {
  const before = readPorts();
  const ports: Ports = { worker: 0, provider: 0, receiver: 0 };
  for (const role of ROLES) {
    const wanted = before[role];
    ports[role] = wanted !== undefined && (await isFree(wanted)) ? wanted : await freePort();
  }
  mkdirSync(STATE, { recursive: true });
  writeFileSync(PORTS_FILE, `${JSON.stringify(ports)}\n`);
  return ports;
}

function readPorts(): Partial<Ports> {
  try {
    return JSON.parse(readFileSync(PORTS_FILE, "utf8")) as Partial<Ports>;
  } catch {
    return {};
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
  say(`\n<- ${type} on ${path}, attempt ${headers["pollhook-attempt"]}, ${how}, answered ${status}\n${body}`);
}

/** Only what is worth reading: the Worker's own events, and anything that is not routine. */
function showLog(line: string): void {
  if (line.startsWith('{"event"')) say(`   ${line}`);
  else if (/error|warn/i.test(line)) say(line);
}

function greet({ worker, provider, receiver, token, freshSecrets }: Trio): void {
  if (freshSecrets) say("Wrote .dev.vars with a fresh master key.");
  say(`
Pollhook    ${worker.origin}
provider    ${provider.origin}   simulated; an id it has not seen is ready 4 s after its first fetch
receiver    ${receiver.origin}/hook   verifies what arrives and shows it here

Your token (tenant "local", all scopes, 30 days):

${token}

Try it, with any id you like:

curl -s ${worker.origin}/v1/jobs -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '{"request_id": "${randomInt(10_000_000, 99_999_999)}", "callback_url": "${receiver.origin}/hook", "eta": 2}'

Ctrl-C ends all three; jobs are kept in .wrangler/start.
`);
}

async function main(): Promise<undefined> {
  say("Starting …");
  const before = readPorts().worker;
  if (before !== undefined && (await healthOf(`http://127.0.0.1:${before}`)) !== null)
    throw new Error(`It runs already, at http://127.0.0.1:${before}: two would share one storage.`);
  const ports = await choosePorts();
  const trio = await startTrio({
    persistTo: STATE,
    workerPort: ports.worker,
    provider: { port: ports.provider, invent: true },
    receiver: { port: ports.receiver, onDelivery: showDelivery },
    onWorkerLog: showLog,
  });
  greet(trio);
}

await runCommand(main);
