/**
 * What is known of fields beyond their schemas: values with which a call does something, by name. All that is planted goes
 * in here.
 */
import type { Operation } from "./document.ts";
import type { Fields } from "./from-schema.ts";
import type { Identity } from "./identities.ts";
import { OWNERS } from "./identities.ts";
import { Members, type Tree } from "./json-tree.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export const DESTINATIONS = ["app", "spare", "third", "fourth"] as const;
/** Provider keys that the provider knows, each with a limiter's object behind it; in JSON, some are spelled otherwise. */
export const PLANTED_KEYS: readonly string[] = [
  "a",
  "b",
  "c",
  "d",
  'q"uote',
  "back\\slash",
  "</script>",
  "limited",
];
/** The key of which the provider takes no call. */
export const LIMITED_KEY = "limited";
/** Behind a hook: what the receiver does there. */
export const HOOKS = ["", "refuse", "gone"] as const;
/** Requests with which the provider fails; a refusal that blames the provider is allowed for these alone. */
export const FAULTY = ["faulty-html", "faulty-reset", "faulty-hang"] as const;
/** The one of them that takes as long as a poll may. */
export const HANGING = FAULTY[2];

const FAR_SECONDS = 3_000;
export const ENDPOINTS = [
  "v3",
  "v6/video",
  "v4/dreambooth",
  "v1/enterprise",
  "v1/enterprise/flux",
  "v1/enterprise/faceswap",
];

export function fieldsFor(
  { asProvider, id: operation, path }: Operation,
  world: World,
  identity: Identity,
  random: Random,
): Fields {
  const { planted, peers } = world;
  const mine = planted.canary(identity);
  const often = <T>(probability: number, make: () => T): T | undefined =>
    random.chance(probability) ? make() : undefined;
  // Where a full token sends an owner's job is for that owner to see.
  const whose = operation === "redeliverJob" ? "" : mine;
  const hook = (): string => `${peers.receiver}/hook/${whose}${random.pick(HOOKS)}`;
  const key = (): string => planted.secret(random.pick(PLANTED_KEYS));
  const requestId = () => requestIdFor(world, identity, random);
  const isNamed = (): number => {
    if (asProvider) return inPath || isOther ? 0.03 : 1;
    if (operation === "mintToken") return 0.3;
    return isRegistration && naming !== "request_id" ? 0.02 : 1;
  };
  const inPath = path.includes("{request_id}");
  const isOther = path.includes("faceswap");
  const isRegistration = operation === "registerJob" || operation === "registerJobs";
  // A request named in several ways, or two callbacks, would be refused: that is what spoiling is for.
  const naming = random.weighted([
    [7, "request_id"],
    [1, "fetch_url"],
    [3, "response"],
  ]);
  const toDestination = random.chance(0.2);
  return {
    callback_url: () => often(toDestination ? 0.02 : isRegistration ? 0.6 : 0.2, hook),
    webhook: () => often(0.3, hook),
    url: hook,
    fetch_url: () =>
      often(naming === "fetch_url" ? 1 : 0.01, () => {
        const origin = random.pick([peers.provider, peers.mirror]);
        return `${origin}/api/${random.pick(ENDPOINTS)}/fetch/${requestId()}`;
      }),
    response: () => often(naming === "response" ? 1 : 0.01, () => responseFor(world, identity, random)),
    request_id: () => often(isNamed(), requestId),
    id: () => often(isOther ? 0.95 : 0.03, requestId),
    endpoint: () => often(naming === "response" ? 1 : naming === "fetch_url" ? 0.02 : 0.4, () => "v3"),
    endpoints: () => often(0.2, () => [random.pick(ENDPOINTS)]),
    key: () => (asProvider ? identity.token : often(0.4, key)),
    provider_key: () => often(0.3, key),
    eta: () => often(0.7, () => (random.chance(0.6) ? FAR_SECONDS + random.below(1_000) : random.below(3))),
    metadata: () =>
      often(
        0.95,
        () =>
          new Members([
            ["user", `${mine}u`],
            ["n", random.below(50)],
          ]),
      ),
    index: () => often(0.4, () => ["user"]),
    track_id: () => often(0.5, () => `${mine}t`),
    prompt: () => `${mine}p`,
    destination: () => often(toDestination ? 0.9 : 0.01, () => random.pick(DESTINATIONS)),
    headers: () => often(0.6, () => new Members([["x-secret", planted.secret(`h-${random.word(4)}`)]])),
    secret: () => often(0.3, () => signingSecretOf(`signs-for-${identity.tenant}-`)),
    retry_schedule: () => often(0.4, () => [1, 600]),
    max_per_second: () => often(0.1, () => 1_000),
    scope: () => scopesFor(identity, random),
    owner: () => often(0.6, () => identity.owner ?? random.pick(OWNERS)),
    any_request: () => true,
    callback_origins: () => often(0.2, () => [peers.receiver]),
    // Narrow: an operation on all jobs would be the load, and not the attack.
    filter: () =>
      new Members([
        random.chance(0.5) ? ["request_id", requestId()] : ["metadata.user", `${mine}u`],
        ["created_after", new Date(Date.now() - random.below(3_000)).toISOString()],
      ]),
  };
}

/** Mostly one of this caller's own kind, again or new. */
export function requestIdFor(world: World, identity: Identity, random: Random): string {
  const known = random.chance(0.3) ? world.handle("request", identity, random) : undefined;
  if (known !== undefined) return known;
  if (random.chance(0.02)) return random.pick(FAULTY.filter((id) => id !== HANGING));
  const id = `${world.planted.canary(identity)}${world.count()}`;
  // Ids that carry no canary may be tried by anybody.
  if (random.chance(0.8)) return id;
  // Far from each other: a digit that is changed must not name another caller's.
  const plain = String(10 ** 14 + Math.floor(random.next() * 8 * 10 ** 15));
  world.noteRequest(plain, identity);
  return plain;
}

/** The provider's generation answer, of a request that is queued, done, or refused. */
function responseFor(world: World, identity: Identity, random: Random): Tree {
  const id = requestIdFor(world, identity, random);
  return random.pick([
    () =>
      new Members([
        ["status", "processing"],
        ["id", id],
        ["eta", FAR_SECONDS],
        ["fetch_result", `${world.peers.provider}/api/v3/fetch/${id}`],
      ]),
    () =>
      new Members([
        ["status", "success"],
        ["id", id],
        ["output", [`https://example.com/${world.planted.canary(identity)}.png`]],
      ]),
    () =>
      new Members([
        ["status", "error"],
        ["message", world.planted.canary(identity)],
      ]),
  ])();
}

function scopesFor(identity: Identity, random: Random): string {
  const own = identity.scopes?.filter((scope) => scope !== "") ?? [];
  const some = own.filter(() => random.chance(0.5));
  return (some.length > 0 ? some : [...own, "jobs:read"].slice(0, 1)).join(" ");
}

/** `whsec_…` of 24 to 64 bytes, the same for the same name. */
const signingSecretOf = (name: string): string =>
  `whsec_${Buffer.from(name.padEnd(32, ".").slice(0, 64)).toString("base64")}`;
