/**
 * The circuit breaker of one receiving host: closed, until so many attempts in a row have failed, of whatever jobs; then
 * one probe at a time, until the first of them succeeds. Pure; times in epoch ms.
 */

/** Failures in a row, across jobs, after which deliveries to a host stop. */
const FAILURES_TO_OPEN = 10;
/** When the first probe goes out; the wait doubles with each. */
const FIRST_PROBE_MS = 30_000;
const MAX_PROBE_MS = 15 * 60_000;

export interface Health {
  /** Failures in a row, counted up to the number that opens the breaker. */
  readonly failures: number;
  /** `null` while it is closed. */
  readonly openedAt: number | null;
  /** Probes since it opened. */
  readonly probes: number;
  /** No probe before this. */
  readonly nextProbeAt: number;
}

export const HEALTHY: Health = { failures: 0, openedAt: null, probes: 0, nextProbeAt: 0 };

export const isOpen = ({ openedAt }: Health): boolean => openedAt !== null;

export const mayProbe = (health: Health, now: number): boolean => isOpen(health) && now >= health.nextProbeAt;

/** After an attempt; the same object where nothing has changed. */
export function afterAttempt(health: Health, result: "ok" | "failed", now: number): Health {
  if (result === "ok") return health.failures === 0 ? health : HEALTHY;
  if (isOpen(health)) return health;
  const failures = health.failures + 1;
  if (failures < FAILURES_TO_OPEN) return { ...health, failures };
  return { failures, openedAt: now, probes: 0, nextProbeAt: now + FIRST_PROBE_MS };
}

/** A probe goes out now. */
export function withProbe(health: Health, now: number): Health {
  const probes = health.probes + 1;
  return { ...health, probes, nextProbeAt: now + Math.min(FIRST_PROBE_MS * 2 ** probes, MAX_PROBE_MS) };
}

/** The probe that had been let go was not made: another may go out at once. */
export const probeUnused = (health: Health, now: number): Health => ({
  ...health,
  probes: Math.max(health.probes - 1, 0),
  nextProbeAt: now,
});

/** Something was repaired: the next probe may go out at once, and those after it come sooner again. */
export const halfOpen = (health: Health, now: number): Health =>
  isOpen(health) ? { ...health, probes: 0, nextProbeAt: now } : health;
