/**
 * Where a job's event is to go: how it is named first, once more, later, or anew for a redelivery. Pure.
 */
import { calmed } from "./crashes.ts";
import { eventFor, startRun } from "./ending.ts";
import { hasCallback, isIn, isOver, type Job, noted, type State } from "./record.ts";
import type { Callback, Registration } from "./registering.ts";

export type Again = "start_anew" | "same" | "set_callback" | "conflict" | "other_owner";

/** What registering the same request once more means. Nothing but callback and format is compared. */
export function again(
  job: Job,
  { callbackUrl, destination, format, generation, owner }: Registration,
): Again {
  // The provider has just given this id to a new request: the job that had it is another's, and over.
  if (isOver(job.state) && generation !== undefined && generation !== job.generation) return "start_anew";
  // Whoever is bound to an owner may not even start anew what is another's. A caller who is not bound may do all.
  if (owner !== undefined && owner !== job.owner) return "other_owner";
  if (isOver(job.state) && endedBadly(job.state)) return "start_anew";
  if (callbackUrl === null && !destination) return "same";
  if (!hasCallback(job)) return "set_callback";
  // What the destination says of the format may change; only what was asked for is compared.
  const isSame = job.callbackUrl === callbackUrl && job.destination?.name === destination?.name;
  return isSame && (format === null || job.format === format) ? "same" : "conflict";
}

/** A job that is started anew stays its owner's, whichever of the tenant's servers does it; a new request is nobody's yet. */
export const ownedAsBefore = (job: Job | null, registration: Registration): Registration =>
  job?.owner === undefined || registration.owner !== undefined || registration.generation !== undefined
    ? registration
    : { ...registration, owner: job.owner };

/** Where the event goes and in which format, as the record has it. */
export function callbackFacts({
  callbackUrl,
  destination,
  format,
}: Pick<Registration, "callbackUrl" | "destination" | "format">) {
  const known = format ?? destination?.read?.format;
  return {
    callbackUrl,
    destination: namedIn({ callbackUrl, destination }),
    format: known ?? ("standard" as const),
    ...(known === undefined && destination && { formatPending: true }),
  };
}

const namedIn = ({ destination }: Callback) =>
  destination ? { name: destination.name, copy: destination.read?.copy ?? null } : null;

/** Canceled, expired, or failed for anything but `provider_error`. */
function endedBadly(state: State): boolean {
  if (state.status === "canceled") return true;
  if (!("ending" in state)) return false;
  const { outcome, error } = state.ending;
  return outcome === "expired" || (outcome === "failed" && error?.reason !== "provider_error");
}

/**
 * Gives a job the callback it had none of. If it is finished already, the event goes out by itself, built anew for
 * the format; `answer` is the stored answer, for that case.
 */
export function withCallback(
  job: Job,
  callback: Pick<Registration, "callbackUrl" | "destination" | "format">,
  answer: Uint8Array | null,
  now: number,
): Job {
  const named = noted({ ...job, ...callbackFacts(callback) }, { at: now, type: "callback_set" });
  if (!isIn(named, "finished")) return named;
  const { ending } = named.state;
  return startRun(calmed(named), { ...ending, event: eventFor(ending, named, named.format, answer) }, now);
}

/** Sends the same event again, at once, elsewhere if `to` says so; `null` while there is no event or no callback. */
export function redeliver(job: Job, to: Callback | null, now: number): Job | null {
  const moved = to ? { ...job, callbackUrl: to.callbackUrl, destination: namedIn(to) } : job;
  if (!("ending" in job.state) || !hasCallback(moved)) return null;
  const named = noted(moved, { at: now, type: "redeliver" });
  return startRun(calmed(named), job.state.ending, now);
}
