/**
 * Receiving hosts whose circuit breaker was open when a job of this isolate last heard of them. Memory of the isolate,
 * shared by its jobs: who knows of the trouble asks before a first attempt too, and all others ask nobody.
 */

/** One that is forgotten costs one POST that need not have been. */
const MOST_HOSTS = 1_000;

const troubled = new Set<string>();

const keyOf = (tenant: string, host: string): string => `${tenant} ${host}`;

export const isTroubled = (tenant: string, host: string): boolean => troubled.has(keyOf(tenant, host));

/** What the tenant's object has said of the host. */
export function noteHost(tenant: string, host: string, isInTrouble: boolean): void {
  const key = keyOf(tenant, host);
  troubled.delete(key);
  if (isInTrouble) troubled.add(key);
  const [oldest] = troubled;
  if (troubled.size > MOST_HOSTS && oldest !== undefined) troubled.delete(oldest);
}
