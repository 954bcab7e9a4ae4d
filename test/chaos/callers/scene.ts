/**
 * The place of the attack: Pollhook on plain workerd, a provider with some requests that it fails at, another that repeats
 * all it hears, a receiver. What reaches them, and every line of the log, is judged as it comes.
 */

import { type Misbehaviour, type Provider, startProvider } from "../../simulator/provider.ts";
import { type Delivery, type Receiver, startReceiver } from "../../simulator/receiver.ts";
import { PollhookNode, PROVIDER_KEY } from "../node.ts";
import { ENDPOINTS, FAULTY, HOOKS, LIMITED_KEY, PLANTED_KEYS } from "./fields.ts";
import { ALLOWED_ORIGIN } from "./head-mutations.ts";
import { OWNERS, REVOKED, TENANTS } from "./identities.ts";
import type { Ledger } from "./ledger.ts";
import { startMirror } from "./mirror.ts";
import { Planted, RECEIVER_WORDS, SIGNING_SECRET } from "./planted.ts";
import type { Random } from "./random.ts";
import { World } from "./world.ts";

const SHARDS = "8";
/** As often as anybody asks. */
const OFTEN = 5_000;
const TOKEN = /eyJ[\w-]{8,}\.[\w-]{8,}\./;

export interface Scene {
  readonly node: PollhookNode;
  readonly provider: Provider;
  readonly receiver: Receiver;
  readonly world: World;
  /** Lines of the log, all of them searched. */
  readonly lines: () => number;
  tearDown(): Promise<void>;
}

export async function openScene(ledger: Ledger, random: Random): Promise<Scene> {
  const started: { close(): Promise<void> }[] = [];
  let lines = 0;
  let world: World | null = null;
  const mirror = await kept(startMirror(), started);
  const receiver = await kept(
    startReceiver({ onDelivery: (delivery) => world && judgeDelivery(world, ledger, delivery) }),
    started,
  );
  const node = await PollhookNode.create({
    vars: { JOB_SHARDS: SHARDS, ALLOWED_ORIGINS: ALLOWED_ORIGIN, REVOKED_TOKENS: REVOKED },
    onLog: (line) => {
      lines++;
      const leaks = world?.planted.leaksToLog(line) ?? [];
      if (leaks.length > 0)
        ledger.fail(
          "the log",
          Buffer.from(line),
          leaks.map((leak) => `it shows ${leak}`),
          "",
        );
    },
  });
  const tearDown = async () => {
    await node.tearDown();
    for (const server of started) await server.close();
  };
  try {
    const planted = new Planted(random, node.masterKeys);
    const provider = await kept(
      startProvider({
        invent: true,
        keys: [PROVIDER_KEY, ...PLANTED_KEYS.map((name) => planted.secret(name))],
        onCall: ({ path, headers, body }) => {
          const text = `${path}\n${JSON.stringify(headers)}\n${body}`;
          if (TOKEN.test(text)) ledger.fail("the provider", Buffer.from(text), ["it shows a token"], "");
        },
      }),
      started,
    );
    const peers = { node, provider: provider.origin, mirror: mirror.origin, receiver: receiver.origin };
    world = await World.create(peers, planted, random);
    setTheScene(provider, receiver, world);
    await node.start({ PROVIDER_ORIGINS: `${provider.origin},${mirror.origin}` });
    return { node, provider, receiver, world, lines: () => lines, tearDown };
  } catch (error) {
    await tearDown();
    throw error;
  }
}

async function kept<T extends { close(): Promise<void> }>(
  starting: Promise<T>,
  started: { close(): Promise<void> }[],
): Promise<T> {
  const server = await starting;
  started.push(server);
  return server;
}

function setTheScene(provider: Provider, receiver: Receiver, { planted }: World): void {
  const misbehaviours: Readonly<Record<(typeof FAULTY)[number], Misbehaviour>> = {
    "faulty-html": { kind: "html", status: 200 },
    "faulty-reset": { kind: "close-halfway" },
    "faulty-hang": { kind: "hang" },
  };
  for (const endpoint of ENDPOINTS)
    for (const id of FAULTY)
      provider.add({ endpoint, id, misbehaviours: Array.from({ length: OFTEN }, () => misbehaviours[id]) });
  provider.limit({ key: planted.secret(LIMITED_KEY), perSecond: 0, retryAfterSeconds: 5 });
  const [, refuse, gone] = HOOKS;
  const steps = <T>(step: T): T[] => Array.from({ length: OFTEN }, () => step);
  for (const tenant of TENANTS)
    for (const owner of [undefined, ...OWNERS]) {
      const path = `/hook/${planted.canary({ tenant, owner })}`;
      receiver.program(path + refuse, steps({ kind: "fail", status: 500, body: RECEIVER_WORDS }));
      receiver.program(path + gone, steps({ kind: "gone" }));
    }
}

/** What is sent to a callback is of one tenant, and says no more of our secrets than an answer may. */
function judgeDelivery(world: World, ledger: Ledger, { path, headers, body }: Delivery): void {
  const text = `${path}\n${JSON.stringify(headers)}\n${body}`;
  const faults: string[] = [];
  const tenants = world.planted.tenantsIn(text);
  if (tenants.length > 1) faults.push(`it shows canaries of ${tenants.join(" and ")}`);
  if (TOKEN.test(text)) faults.push("it shows a token");
  if (world.planted.leaksTo(null, body).includes("a secret")) faults.push("it shows a secret");
  if (SIGNING_SECRET.test(text)) faults.push("it shows a signing secret");
  if (headers["x-injected"] !== undefined) faults.push("it has a header that a caller made");
  if (faults.length > 0) ledger.fail("a delivery", Buffer.from(text), faults, "");
}
