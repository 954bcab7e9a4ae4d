/**
 * Tokens that must open nothing, on plain workerd: forged ones on every route that a token opens, each way to shorten or to
 * change a good one, genuine ones without the right or of another tenant, and good ones after their end.
 */
import { readdir } from "node:fs/promises";
import { markdownTable } from "../../report/markdown.ts";
import type { Section } from "../../report/section.ts";
import { startProvider } from "../../simulator/provider.ts";
import { counts } from "../../webhook/targets/verdicts.ts";
import { PollhookNode } from "../node.ts";
import { attacks, sweep } from "./attacks.ts";
import { bearerDoors, type Doors, keyDoors, tryDoors } from "./doors.ts";
import { knockerOf } from "./knocker.ts";
import { type Replays, tryReplays } from "./replays.ts";
import { tryRights } from "./rights.ts";
import type { Attack } from "./victim.ts";

const TENANT = "acme";
const REVOKED = "gone";

export async function tokensSection(): Promise<Section> {
  const provider = await startProvider();
  const node = await PollhookNode.create({ vars: {}, allow: ["private"] });
  try {
    node.rotate();
    const start = (vars = {}) =>
      node.start({ PROVIDER_ORIGINS: provider.origin, REVOKED_TOKENS: REVOKED, ...vars });
    await start();
    const knocker = knockerOf(node);
    const [newer, master] = node.masterKeys;
    if (!newer || !master) throw new Error("Two master keys are needed.");
    const good = await node.token(TENANT);
    const job = await aJob(node, good);
    const before = await traces(node, good, job);
    const forged = await attacks({ master, older: newer, tenant: TENANT, revoked: REVOKED });
    const doors = bearerDoors(job);
    const changed = sweep(good).map(
      (token): Attack => ({ group: "changed", what: token, token, faults: ANY }),
    );
    const onDoors = await tryDoors(knocker, forged, doors, keyDoors);
    const sweeping = await tryDoors(knocker, changed, doors.slice(0, 1), keyDoors.slice(0, 1));
    const after = await traces(node, good, job);
    const rights = await tryRights(knocker, (tenant, claims) => node.token(tenant, claims), TENANT, job);
    // Whoever asks for a job that is not theirs makes an empty object; the job itself stays as it is.
    const isIntact = withoutObjects(await traces(node, good, job)) === withoutObjects(before);
    const results = { forged: onDoors, changed: sweeping, rights };
    const called = provider.calls().length;
    const replays = await tryReplays(node, start, knocker);
    const failures = [
      ...Object.values(results).flatMap(({ complaints }) => complaints),
      ...replays.complaints,
      ...(after === before ? [] : [`Something was done: it was ${before}, and is ${after}`]),
      ...(isIntact ? [] : ["The job or the destinations are not as they were."]),
      ...(called === 0 ? [] : [`The provider was called ${called} times`]),
    ];
    return {
      title: "Tokens",
      body: bodyOf(forged, changed.length, results, replays),
      plots: [],
      failures,
    };
  } finally {
    await node.tearDown();
    await provider.close();
  }
}

const ANY = ["malformed", "unknown_key", "bad_signature"] as const;

async function aJob(node: PollhookNode, token: string): Promise<string> {
  const body = { endpoint: "v3", request_id: "theirs", eta: 6_000, deadline_seconds: 86_400 };
  const answer = await node.call(token, "POST", "/v1/jobs", body);
  return ((await answer.json()) as { id: string }).id;
}

/** The job, the destinations, and how many objects of jobs and generations are on the disk. */
async function traces(node: PollhookNode, token: string, job: string): Promise<string> {
  const texts = [`/v1/jobs/${job}`, "/v1/destinations"].map(async (path) =>
    (await node.call(token, "GET", path)).text(),
  );
  const names = await readdir(node.dataFolder, { recursive: true });
  const objects = names.filter((name) => /(Job|Generation)\/[0-9a-f]{64}\.sqlite$/.test(name)).length;
  return JSON.stringify([...(await Promise.all(texts)), objects]);
}

const withoutObjects = (text: string): string => JSON.stringify((JSON.parse(text) as unknown[]).slice(0, 2));

function bodyOf(
  forged: readonly Attack[],
  changed: number,
  results: { readonly forged: Doors; readonly changed: Doors; readonly rights: Doors },
  replays: Replays,
): string {
  const n = (count: number) => count.toLocaleString("en");
  const { forged: doors, changed: swept, rights } = results;
  return `${forged.length} forged or misused tokens on ${bearerDoors("").length} routes as a bearer and on ${keyDoors.length} as \`key\`. Where
only one thing is wrong, the rest is right and signed with the right key. Each refusal is a 401 in the words that the API documents.

${markdownTable([["what is attacked", "tokens"], ...counts(forged), ["**all**", forged.length]])}

${markdownTable([
  ["tried", "tokens", "calls", "accepted"],
  ["forged or misused", n(forged.length), n(doors.tried), doors.opened],
  ["a good one, shortened or changed at every character", n(changed), n(swept.tried), swept.opened],
  ["genuine, without the right, the bounds or the tenant", "", n(rights.tried), rights.opened],
])}

Nothing was stored, the provider was not called, the job that was there is as it was. Tokens that had been used were then revoked,
outlived or lost their master key, with restarts between: ${replays.checks} checks, on them, their children and other tokens.`;
}
