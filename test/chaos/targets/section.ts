/**
 * Where Pollhook may be told to call, attacked: the corpus of callback URLs by itself and through every route of a node,
 * random addresses against two oracles, answers that lead elsewhere, and rules that change under a job.
 */
import { readdir } from "node:fs/promises";
import { markdownTable } from "../../report/markdown.ts";
import type { Section } from "../../report/section.ts";
import { ACCEPTED } from "../../webhook/targets/accepted.ts";
import { type Agreement, agreement } from "../../webhook/targets/oracle.ts";
import { PUBLIC_URL, REFUSED } from "../../webhook/targets/refused.ts";
import { counts, misjudged } from "../../webhook/targets/verdicts.ts";
import { PollhookNode } from "../node.ts";
import { type Changes, tryChanges } from "./changes.ts";
import { type Followed, tryRedirects } from "./redirects.ts";
import { type Caller, type Tried, tryAccepted, tryRefused } from "./routes.ts";

const ORACLE_CASES = 500_000;
/** Nobody listens there, and nothing asks. */
const NO_PROVIDER = "https://127.0.0.1:9";
const PRIVATE_ONLY = ["private"];

export async function targetsSection(): Promise<Section> {
  const wrong = misjudged();
  const oracle = agreement(ORACLE_CASES);
  // Were a callback called after all, it would be in vain: nothing public is in reach.
  const node = await PollhookNode.create({ vars: {}, allow: PRIVATE_ONLY });
  try {
    const wire = await onTheWire(node);
    await node.stop();
    const led = await tryRedirects(node, (origin) => node.start({ PROVIDER_ORIGINS: origin }));
    const changes = await tryChanges(node, { restarts: true });
    const failures = [
      ...wrong,
      ...[wire.refused, wire.accepted, led, changes].flatMap(({ complaints }) => complaints),
      ...(wire.objects === 0 ? [] : [`${wire.objects} objects of jobs were made for refused callbacks`]),
      ...(led.followed === 0 ? [] : [`${led.followed} answers were followed`]),
    ];
    return { title: "Callback targets", body: bodyOf(oracle, wire, led, changes), plots: [], failures };
  } finally {
    await node.tearDown();
  }
}

interface OnTheWire {
  readonly refused: Tried;
  readonly accepted: Tried;
  /** Of jobs, made while refused callbacks were tried; the two that were there before are not counted. */
  readonly objects: number;
}

async function onTheWire(node: PollhookNode): Promise<OnTheWire> {
  await node.start({ ALLOW_PRIVATE_TARGETS: "false", PROVIDER_ORIGINS: NO_PROVIDER, PUBLIC_URL });
  const before = await jobObjects(node);
  const refused = await tryRefused(await callerOf(node, "refused"), REFUSED);
  const objects = (await jobObjects(node)) - before - 2;
  return { refused, accepted: await tryAccepted(await callerOf(node, "accepted"), ACCEPTED), objects };
}

/** How many jobs' objects are on the disk. */
async function jobObjects(node: PollhookNode): Promise<number> {
  const names = await readdir(node.dataFolder, { recursive: true });
  return names.filter((name) => /Job\/[0-9a-f]{64}\.sqlite$/.test(name)).length;
}

async function callerOf(node: PollhookNode, tenant: string): Promise<Caller> {
  const token = await node.token(tenant);
  return {
    token,
    ask: async (method, path, body) => {
      const response = await node.call(token, method, path, body);
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : (JSON.parse(text) as unknown) };
    },
  };
}

function bodyOf(
  oracle: Agreement,
  { refused, accepted }: OnTheWire,
  led: Followed,
  changes: Changes,
): string {
  const rows = (cases: readonly { readonly group: string }[], verdict: string) => [
    ...[...counts(cases)].map(([group, count]) => [group, verdict, count] as const),
    ["**all**", verdict, cases.length] as const,
  ];
  const n = (count: number) => count.toLocaleString("en");
  const routes = [...refused.routes].map(([route, count]) => [`\`${route}\``, n(count)] as const);
  const kinds = Object.entries(oracle.kinds).map(([kind, count]) => `${n(count)} ${kind}`);
  const tried = [...refused.routes.values()].reduce((sum, count) => sum + count, 0);
  const registered = [...accepted.routes.values()].reduce((sum, count) => sum + count, 0);
  return `URLs that are judged as they must be, each refused one with its own reason:

${markdownTable([["group", "judged", "URLs"], ...rows(REFUSED, "refused"), ...rows(ACCEPTED, "accepted")])}

${n(oracle.cases)} random addresses in random spellings (${kinds.join(", ")}), most of them close to the ends of the ranges that are
not public: \`target.ts\`, \`ipaddr.js\` over the bytes, and the registries agree on all of them; ${n(oracle.refused)} are refused,
${n(oracle.accepted)} accepted.

Over HTTP, on plain workerd, the refused ones were sent ${n(tried)} times; every answer is a 422 that names the field, and jobs,
destinations and the disk stay as they were. The accepted ones were registered ${n(registered)} times.

${markdownTable([["route", "refused"], ...routes])}

${led.answers} answers that lead elsewhere (every redirect, \`Refresh\`, \`Link\`, \`Alt-Svc\`, \`Location\` with CRLF) on each of six ways
out, ${led.exchanges} exchanges; followed: ${led.followed}. A name that resolves to a private address is accepted: a Worker
cannot see that, the network is the wall.

Of a destination that moved or went while an attempt was under way, of a job that was registered again with a refused callback,
and of rules that were changed by a restart with attempts under way, ${changes.checks} things were checked.`;
}
