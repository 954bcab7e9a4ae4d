/**
 * `npm run demo`: the whole of Pollhook in half a minute. Registers a request for every documented fetch endpoint, one
 * by a generation call, and three that do not go smoothly, shows what happens to each, prints one event whole, and ends with exit code 0
 * only if every event arrived, verified, and says what was expected.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery } from "../simulator/receiver.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { LiveTable, type Row } from "./table.ts";
import { startTrio, type Trio } from "./trio.ts";
import { runCommand } from "./worker-process.ts";

const LIMIT_MS = 50_000;
const REFRESH_MS = 250;

interface Watched {
  readonly scenario: Scenario;
  readonly jobId: string;
  readonly hook: string;
  job: Record<string, unknown>;
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function main(): Promise<number> {
  say("Starting the Worker on workerd, a simulated provider and a callback receiver …");
  // A folder of its own, so that two demos do not meet; gone with this process, however it ends.
  const persistTo = mkdtempSync(join(tmpdir(), "pollhook-demo-"));
  process.once("exit", () => rmSync(persistTo, { recursive: true, force: true }));
  const trio = await startTrio({ persistTo });
  try {
    say(
      `Worker ${trio.worker.origin}   provider ${trio.provider.origin}   receiver ${trio.receiver.origin}\n`,
    );
    const watched = await registerAll(trio);
    await watchAll(trio, watched);
    return report(trio, watched);
  } finally {
    await trio.stop();
  }
}

async function registerAll(trio: Trio): Promise<Watched[]> {
  return Promise.all(
    SCENARIOS.map(async (scenario, index) => {
      const hook = `/hook/demo-${index + 1}`;
      if (scenario.callbackSteps) trio.receiver.program(hook, scenario.callbackSteps);
      const job = await begin(trio, scenario, trio.receiver.origin + hook);
      return { scenario, jobId: String(job.id), hook, job };
    }),
  );
}

/** The job of the scenario's request, registered or generated. */
async function begin(
  { provider, api, token }: Trio,
  { from, title }: Scenario,
  callbackUrl: string,
): Promise<Record<string, unknown>> {
  if ("path" in from) {
    const answer = await api("POST", from.path, { key: token, ...from.body, webhook: callbackUrl });
    return api("GET", `/v1/jobs/${answer.job_id}`);
  }
  provider.add(from.request);
  const names = from.names(provider);
  return api("POST", "/v1/jobs", { ...names, callback_url: callbackUrl, metadata: { demo: title } });
}

async function watchAll(trio: Trio, watched: Watched[]): Promise<void> {
  const table = new LiveTable(process.stdout, ["request", "status", "polls", "attempts", "latest"]);
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    await Promise.all(
      watched.map(async (one) => {
        if (!isOver(one)) one.job = await trio.api("GET", `/v1/jobs/${one.jobId}`);
      }),
    );
    table.show(watched.map(toRow));
    if (watched.every(isOver) || Date.now() > limit) return;
    await sleep(REFRESH_MS);
  }
}

const isOver = ({ job }: Watched): boolean => job.status !== "waiting" && job.status !== "delivering";

function toRow({ scenario, job }: Watched): Row {
  const last = (job.timeline as Record<string, unknown>[]).at(-1) ?? {};
  const what = [last.type, last.result, last.reason, last.http_status]
    .filter((part) => part != null)
    .join(" ");
  return {
    title: scenario.title,
    cells: [String(job.status), count(job.polls, "poll"), count(job.attempts, "attempt"), what],
  };
}

const count = (n: unknown, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

function report({ receiver }: Trio, watched: readonly Watched[]): number {
  const faults: string[] = [];
  for (const { scenario, hook, job } of watched) {
    const arrived = receiver.deliveries(hook);
    const accepted = arrived.filter(({ verified, status }) => verified && status === 204);
    const event = accepted[0] && (JSON.parse(accepted[0].body) as { type?: string; status?: string });
    const type = event?.type ?? event?.status;
    if (arrived.some(({ verified }) => !verified))
      faults.push(`${scenario.title}: a signature did not verify`);
    if (job.status !== "delivered") faults.push(`${scenario.title}: the job is ${job.status}`);
    if (accepted.length !== 1)
      faults.push(`${scenario.title}: ${accepted.length} events were accepted, not 1`);
    else if (type !== scenario.expected)
      faults.push(`${scenario.title}: ${type} instead of ${scenario.expected}`);
  }
  const shown = watched[0] && receiver.deliveries(watched[0].hook)[0];
  if (shown) printDelivery(shown);
  if (faults.length === 0) {
    say(`\n${watched.length} of ${watched.length} events arrived, each verified with standardwebhooks.`);
    return 0;
  }
  say(`\n${faults.length} things went wrong:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  return 1;
}

function printDelivery({ method, path, headers, body }: Delivery): void {
  say(`\nOne event, as the receiver got it:\n\n${method} ${path}`);
  for (const [name, value] of Object.entries(headers)) say(`${name}: ${value}`);
  say(`\n${JSON.stringify(JSON.parse(body), null, 2)}`);
}

await runCommand(main);
