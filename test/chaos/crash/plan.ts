/**
 * All that a run's callers will do, made before it begins: which jobs there are, when each is registered, and when its
 * caller comes back to it. The same seed makes the same plans.
 */
import type { SimRequest } from "../../simulator/provider.ts";
import { type Act, KINDS, type Kind, type KindName } from "./kinds.ts";
import type { Random } from "./random.ts";

export const TENANTS = ["alpha", "beta", "gamma"] as const;
export type Tenant = (typeof TENANTS)[number];

export const ENDPOINT = "v6/video";

export interface Plan {
  readonly index: number;
  readonly kind: KindName;
  readonly tenant: Tenant;
  /** Of a caller with a bounded token. */
  readonly owner: string | null;
  readonly requestId: string;
  readonly simulated: SimRequest | null;
  /** The registration without its callback. */
  readonly says: Readonly<Record<string, unknown>>;
  /** Counted from the start of the run. */
  readonly atMs: number;
  /** Registered together with others. */
  readonly isBatched: boolean;
  /** Registered once more so much later, which must change nothing; `null` for those that it would start anew. */
  readonly againMs: number | null;
  readonly act: { readonly kind: Act; readonly afterMs: number } | null;
}

export interface PlanOptions {
  readonly jobs: number;
  /** Over which time they are registered. */
  readonly spreadMs: number;
  /** Without the kinds that take half a minute and more. */
  readonly isQuick: boolean;
  /** Only of these kinds, unless absent. */
  readonly only?: readonly KindName[];
}

const BATCHED: readonly KindName[] = ["brief", "far", "sealed"];
const OWNERS = ["anna", "ben", "cleo"] as const;

export function makePlans(random: Random, options: PlanOptions): Plan[] {
  const names = kindsOf(random, options);
  return names
    .map((kind, index) => planOne(random, kind, index, options))
    .sort((one, other) => one.atMs - other.atMs);
}

/** One kind for each job: first those of which there are a fixed number, then the others by their shares. */
function kindsOf(random: Random, { jobs, isQuick, only }: PlanOptions): KindName[] {
  const all = (Object.entries(KINDS) as [KindName, Kind][]).filter(
    ([name, { slow }]) => !(isQuick && slow) && (only?.includes(name) ?? true),
  );
  const fixed = all.flatMap(([name, { most = 0 }]) =>
    Array.from({ length: Math.min(most * TENANTS.length, Math.ceil(jobs / 30)) }, () => name),
  );
  const shares = all.flatMap(([name, { share = 0 }]) => Array.from({ length: share }, () => name));
  return Array.from({ length: jobs }, (_, index) => fixed[index] ?? random.pick(shares));
}

function planOne(random: Random, name: KindName, index: number, { spreadMs, isQuick }: PlanOptions): Plan {
  const kind: Kind = KINDS[name];
  const requestId = name === "told" ? `told-${index}` : String(1_000_000 + index);
  const tenant = TENANTS[index % TENANTS.length] ?? "alpha";
  const says = { ...kind.says?.(random, index) };
  const served = kind.provider(random);
  const key = typeof says.key === "string" ? { key: says.key } : {};
  const isBatched = BATCHED.includes(name) && random.chance(0.2);
  const mayComeAgain = kind.act === undefined && kind.ends.endsWith("succeeded");
  return {
    index,
    kind: name,
    tenant,
    // What a bounded token says of the provider's answer is not believed: the provider is asked.
    owner:
      !isBatched && name !== "told" && kind.to === "own" && random.chance(0.3) ? random.pick(OWNERS) : null,
    requestId,
    simulated: served && { endpoint: ENDPOINT, id: requestId, ...key, ...served },
    says,
    atMs: random.between(0, spreadMs),
    isBatched,
    againMs: mayComeAgain && random.chance(0.2) ? random.between(0, isQuick ? 5_000 : 20_000) : null,
    act: kind.act ? { kind: kind.act, afterMs: random.between(0, isQuick ? 4_000 : 15_000) } : null,
  };
}

/** The kind of a plan, with all its members. */
export const kindOf = ({ kind }: Plan): Kind => KINDS[kind];
