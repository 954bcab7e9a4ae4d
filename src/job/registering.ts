/**
 * From a request and what its caller wants to what the job's object stores: the id is made, the key sealed.
 */
import type { Config } from "../config.ts";
import { seal } from "../crypto/vault.ts";
import type { DestinationRead } from "../webhook/destination.ts";
import type { EventFormat } from "../webhook/event.ts";
import { jobId } from "./ids.ts";
import type { Learned } from "./learned.ts";
import { learnedHere } from "./learned-here.ts";
import type { JobFacts } from "./record.ts";

export const MAX_DEADLINE_SECONDS = 86_400;
const DEFAULT_DEADLINE_SECONDS = 3_600;

/** A destination as it was found at that moment; without a `read` where its tenant's object could not be reached. */
export interface FoundDestination {
  readonly name: string;
  readonly read: DestinationRead | null;
  /** There is none: no registration begins with that. */
  readonly isMissing?: boolean;
}

/** Where an event is to go. */
export interface Callback {
  readonly callbackUrl: string | null;
  readonly destination?: FoundDestination | null | undefined;
}

/** What the Worker hands to the object: checked, with the key sealed. */
export interface Registration
  extends Omit<JobFacts, "callbackUrl" | "destination" | "format" | "formatPending">,
    Callback {
  /** `null`: the destination's. */
  readonly format: EventFormat | null;
  readonly deadlineSeconds: number;
  readonly sealedKey: string | null;
  /** The provider's own answer, when it already is a success: delivered without a poll. */
  readonly finalAnswer: Uint8Array | null;
  /** What is known of the endpoint's jobs, where this was registered. */
  readonly learned?: Learned | null;
}

/** Everything checked; {@link Registration} says what the fields mean. */
export interface Wish extends Omit<Registration, "id" | "deadlineSeconds" | "sealedKey"> {
  /** `null`: the default, or the most that the caller may have. */
  readonly deadlineSeconds: number | null;
  readonly maxDeadlineSeconds?: number | undefined;
  /** The caller's own provider key; `null`: the server's is used. */
  readonly key: string | null;
}

/** The registration, ready to be stored. A request that is answered already keeps no key. */
export async function makeRegistration(
  { key, maxDeadlineSeconds = DEFAULT_DEADLINE_SECONDS, ...wish }: Wish,
  { masterKeys, providerOrigins }: Config,
): Promise<Registration> {
  const id = await jobId(wish.tenant, wish.endpoint, wish.requestId);
  return {
    ...wish,
    id,
    // The default origin is not remembered: should the configuration move on, the job moves with it.
    origin: wish.origin === providerOrigins[0] ? null : wish.origin,
    etaSeconds: wish.etaSeconds === null ? null : Math.min(wish.etaSeconds, MAX_DEADLINE_SECONDS),
    deadlineSeconds: wish.deadlineSeconds ?? Math.min(DEFAULT_DEADLINE_SECONDS, maxDeadlineSeconds),
    learned: learnedHere(wish.tenant, wish.endpoint),
    sealedKey: key !== null && !wish.finalAnswer ? await seal(key, id, masterKeys[0]) : null,
  };
}
