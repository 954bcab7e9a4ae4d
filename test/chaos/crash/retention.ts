/**
 * After retention nothing may be left. So that this need not take days, the node is started with a retention of seconds,
 * and every event that there is is sent once more, which begins its retention anew; what has none is erased.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { JOBS, walk } from "./disk.ts";
import { eachOf } from "./judge.ts";
import { type Killed, type KillOptions, killAgainAndAgain, walked } from "./kills.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { kindOf, TENANTS } from "./plan.ts";
import type { Random } from "./random.ts";
import { DESTINATIONS, type World } from "./world.ts";

/** Of an hour: a few seconds. */
const RETENTION_HOURS = "0.0015";
const ROUND_MS = 1_000;
const FAR_MS = 30_000;

/** Has everything go its way out, kills on the way; how many jobs and rows of them are left on disk. */
export async function outliveRetention(
  world: World,
  client: Client,
  ledger: Ledger,
  random: Random,
  { limitMs, ...kills }: KillOptions & { readonly limitMs: number },
): Promise<{ killed: Killed; left: number }> {
  await world.node.stop("SIGTERM");
  await world.start({ RETENTION_HOURS });
  for (const name of DESTINATIONS) world.receiver(name).serve({ kind: "normal" });
  for (const { plan } of ledger.entries)
    if (kindOf(plan).steps) world.receiver("steady").program(`/hook/job-${plan.index}`, []);
  const arrivedBefore = new Map(
    ledger.entries.map(({ eventId }) => [eventId, world.book.of(eventId ?? "")?.accepted ?? 0]),
  );
  const killing = killAgainAndAgain(world, ledger, random, { ...kills, vars: { RETENTION_HOURS } });
  // Of a tenant's delivered jobs all at once, of the others each by itself.
  await Promise.all([
    ...TENANTS.map((tenant) => sendAll(client, ledger, tenant)),
    eachOf(ledger.entries, (entry) => sendOrErase(world, client, ledger, entry)),
  ]);
  const killed = await killing;
  await untilGone(client, ledger, limitMs);
  for (const entry of ledger.entries) {
    const { end, eventId } = entry;
    const accepted = world.book.of(eventId ?? "")?.accepted ?? 0;
    if (end?.startsWith("delivered") && accepted <= (arrivedBefore.get(eventId) ?? 0))
      ledger.faultOf(entry, "it was sent once more, and did not arrive");
  }
  await world.node.stop("SIGTERM");
  walked(world, ledger, killed);
  const { jobs, otherRows, shells } = walk(world.node.dataFolder);
  const left = jobs + otherRows + (shells[JOBS] ?? 0);
  if (left > 0)
    ledger.fault(
      `after retention ${jobs} jobs, ${otherRows} rows of jobs and ${shells[JOBS] ?? 0} empty objects are left`,
    );
  return { killed, left };
}

/** One operation for a whole tenant, followed to its end. */
async function sendAll(client: Client, ledger: Ledger, tenant: (typeof TENANTS)[number]): Promise<void> {
  const filter = { status: "delivered" };
  const begun = await client.insist(tenant, "POST", "/v1/jobs/redeliver", { filter });
  const id = begun?.json.operation?.id;
  if (begun?.status !== 202 || id === undefined) {
    ledger.fault(`an operation was answered ${begun?.status} ${begun?.json.code ?? ""}`);
    return;
  }
  for (let round = 0; round < 120; round++) {
    const shown = await client.insist(tenant, "GET", `/v1/operations/${id}`);
    if (shown?.json.operation?.status === "done") return;
    if (shown?.status !== 200) ledger.fault(`operation ${id} was answered ${shown?.status}`);
    await sleep(ROUND_MS);
  }
  ledger.fault(`operation ${id} has not ended`);
}

async function sendOrErase(world: World, client: Client, ledger: Ledger, entry: Entry): Promise<void> {
  const { id, end, plan } = entry;
  if (id === null || end === "gone" || end === null || end.startsWith("delivered")) return;
  const isCanceled = end.startsWith("canceled");
  const answer = isCanceled
    ? await client.insist(plan.tenant, "DELETE", `/v1/jobs/${id}`)
    : await client.insist(plan.tenant, "POST", `/v1/jobs/${id}/redeliver`, {
        callback_url: world.hookUrl(plan.index),
      });
  const isDone = answer?.status === (isCanceled ? 204 : 202) || (answer && answer.lost > 0);
  if (!isDone) ledger.faultOf(entry, `sent or erased in the end, it was answered ${answer?.status}`);
}

/** Until no job is found any more; one whose next attempt a crash has put off for minutes is sent again. */
async function untilGone(client: Client, ledger: Ledger, limitMs: number): Promise<void> {
  const limit = Date.now() + limitMs;
  let open = ledger.entries.filter(({ id, end }) => id !== null && end !== "gone");
  while (open.length > 0 && Date.now() < limit) {
    const still: Entry[] = [];
    await eachOf(open, async (entry) => {
      const path = `/v1/jobs/${entry.id}`;
      const job = await client.insist(entry.plan.tenant, "GET", path);
      if (job?.status === 404) return;
      still.push(entry);
      const next = job?.json.next_attempt_at;
      if (next == null || Date.parse(next) < Date.now() + FAR_MS) return;
      entry.nudges++;
      await client.insist(entry.plan.tenant, "POST", `${path}/redeliver`);
    });
    open = still;
    if (open.length > 0) await sleep(ROUND_MS);
  }
  for (const entry of open) ledger.faultOf(entry, `it is there ${limitMs / 1000} s after its retention`);
}
