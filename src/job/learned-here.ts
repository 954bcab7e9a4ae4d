/**
 * What this isolate last heard of how long jobs take, for each tenant and endpoint. Memory of the isolate, brought up to
 * date by the calls of the tenant's index that are made anyway: who registers a job asks nobody.
 */
import { type Learned, usable } from "./learned.ts";
import type { Registration } from "./registering.ts";

/** Half a megabyte; one that is forgotten comes again with the next job that is indexed. */
const MOST_ENDPOINTS = 1_000;

const known = new Map<string, Learned>();

const keyOf = (tenant: string, endpoint: string): string => `${tenant} ${endpoint}`;

/** `null` where nothing is known. */
export const learnedHere = (tenant: string, endpoint: string): Learned | null =>
  known.get(keyOf(tenant, endpoint)) ?? null;

/** What the tenant's object has said; nothing where that makes no sense. */
export function noteLearned(tenant: string, endpoint: string, value: unknown): void {
  const learned = usable(value);
  if (!learned) return;
  const key = keyOf(tenant, endpoint);
  known.delete(key);
  known.set(key, learned);
  const [oldest] = known.keys();
  if (known.size > MOST_ENDPOINTS && oldest !== undefined) known.delete(oldest);
}

/** The registration with what is known here, where it brought nothing. */
export const withLearned = (registration: Registration): Registration => ({
  ...registration,
  learned: usable(registration.learned) ?? learnedHere(registration.tenant, registration.endpoint),
});
