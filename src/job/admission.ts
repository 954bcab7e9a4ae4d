/**
 * Asks the tenant's object whether a delivery may go out now, and where its destination is. Bounded, and never thrown:
 * while the object cannot be reached, deliveries go out as if nobody else were there.
 */
import type { DestinationRead } from "../webhook/destination.ts";
import { askTenant, type IndexBindings } from "./index-client.ts";
import type { In, Parked, ParkReason } from "./record.ts";
import { hostOf } from "./row.ts";
import { isTroubled, noteHost } from "./troubled-hosts.ts";

/** How long the tenant's object may hold an answer back, for a place that is soon free. */
export const MAX_HOLD_MS = 1_000;

export interface AdmissionAsk {
  readonly jobId: string;
  /** `null`: a plain callback URL, on `host`. */
  readonly destination: string | null;
  readonly host: string;
  /** The first attempt since somebody had the event sent again. */
  readonly isRedelivery: boolean;
  /** What the delivery was parked for, if it was. */
  readonly parked: Parked | null;
}

export type Admission =
  /** Send it now, and report what came of it. `read`: the destination as it is. */
  | { readonly kind: "go"; readonly host: string; readonly read: DestinationRead | null }
  /** Wait until called. */
  | {
      readonly kind: "park";
      readonly reason: ParkReason;
      readonly host: string;
      readonly since: number;
    }
  /** There is no such destination. */
  | { readonly kind: "missing" };

/** What the tenant's object decides. */
export interface Gatekeeper {
  admit(ask: AdmissionAsk): Promise<Admission>;
  destination(name: string): Promise<{ kind: "found"; read: DestinationRead } | { kind: "missing" }>;
}

const gatekeeperOf = (env: IndexBindings, tenant: string): Gatekeeper =>
  env.TENANT.getByName(tenant) as Gatekeeper;

/** A plain callback's first attempt goes out at once, where nothing is known against it; all others ask. */
export function needsAdmission(job: In<"delivering">): boolean {
  const { tenant, destination, runs, state } = job;
  const isFirst = runs === 1 && state.runAttempts === 0 && !state.parked;
  return destination != null || !isFirst || isTroubled(tenant, hostOf(job) ?? "");
}

/** `null` where the tenant's object cannot be reached. */
export async function askFor(job: In<"delivering">, env: IndexBindings): Promise<Admission | null> {
  const { id, tenant, destination, runs, state } = job;
  const admission = await askTenant("admit", () =>
    gatekeeperOf(env, tenant).admit({
      jobId: id,
      destination: destination?.name ?? null,
      host: hostOf(job) ?? "",
      isRedelivery: runs > 1 && state.runAttempts === 0 && !state.parked,
      parked: state.parked ?? null,
    }),
  );
  if (admission && admission.kind !== "missing")
    noteHost(tenant, admission.host, admission.kind === "park" && admission.reason === "breaker_open");
  return admission;
}

/** `null` where the tenant's object cannot be reached. */
export const findDestination = (env: IndexBindings, tenant: string, name: string) =>
  askTenant("destination", () => gatekeeperOf(env, tenant).destination(name));
