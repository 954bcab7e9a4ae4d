/**
 * When a call is made again, and after how long. Pure: `random` (0 to 1) is an argument.
 */
import type { PollhookError } from "./error.ts";

/** The first included. */
export const MAX_TRIES = 4;
const FIRST_GAP_MS = 500;
const LONGEST_GAP_MS = 8_000;
/** A server that asks for more is not waited for: the caller hears of it and decides. */
const LONGEST_RETRY_AFTER_SECONDS = 60;

/**
 * - `safe`: doing it twice is doing it once, so every fault that may pass is tried again.
 * - `once`: a second one would have an effect of its own, so only what the server has refused to begin (429).
 */
export type Repetition = "safe" | "once";

/** What makes a call worth repeating: the network, and 408, 425, 429 and 5xx but for 501. */
export function mayRepeat({ code, status }: PollhookError, repetition: Repetition): boolean {
  if (status === 429) return true;
  if (repetition === "once") return false;
  if (status === null) return code === "network" || code === "timeout";
  return status === 408 || status === 425 || (status >= 500 && status !== 501);
}

/**
 * Milliseconds to wait before try `tried` + 1; `null`: give up. Doubles from half a second, half of it jitter, and is
 * never shorter than the `Retry-After` of the answer.
 */
export function gapMs(error: PollhookError, tried: number, random: number): number | null {
  const asked = error.retryAfterSeconds ?? 0;
  if (tried >= MAX_TRIES || asked > LONGEST_RETRY_AFTER_SECONDS) return null;
  const gap = Math.min(FIRST_GAP_MS * 2 ** (tried - 1), LONGEST_GAP_MS);
  // Those who were told the same time must not come back at the same time.
  return Math.round(gap * (0.5 + random / 2) + asked * 1000);
}
