/**
 * From a request and what its caller wants to what the job's object stores: the id is made, the key sealed.
 */
import type { Config } from "../config.ts";
import { seal } from "../crypto/vault.ts";
import { jobId } from "./ids.ts";
import type { Registration } from "./lifecycle.ts";

export const MAX_DEADLINE_SECONDS = 86_400;
const DEFAULT_DEADLINE_SECONDS = 3_600;

/** Everything checked; {@link Registration} says what the fields mean. */
export interface Wish extends Omit<Registration, "id" | "deadlineSeconds" | "sealedKey"> {
  /** `null`: the default. */
  readonly deadlineSeconds: number | null;
  /** The caller's own provider key; `null`: the server's is used. */
  readonly key: string | null;
}

/** The registration, ready to be stored. A request that is answered already keeps no key. */
export async function makeRegistration(
  { key, ...wish }: Wish,
  { masterKeys, providerOrigins }: Config,
): Promise<Registration> {
  const id = await jobId(wish.tenant, wish.endpoint, wish.requestId);
  return {
    ...wish,
    id,
    // The default origin is not remembered: should the configuration move on, the job moves with it.
    origin: wish.origin === providerOrigins[0] ? null : wish.origin,
    etaSeconds: wish.etaSeconds === null ? null : Math.min(wish.etaSeconds, MAX_DEADLINE_SECONDS),
    deadlineSeconds: wish.deadlineSeconds ?? DEFAULT_DEADLINE_SECONDS,
    sealedKey: key !== null && !wish.finalAnswer ? await seal(key, id, masterKeys[0]) : null,
  };
}
