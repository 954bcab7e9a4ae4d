/**
 * The loops that people poll with today: the moments of their polls, in seconds since the request was made. A loop that
 * comes to its end gives the job up.
 */

export interface Loop {
  readonly name: string;
  readonly polls: (etaSeconds: number | null, random: () => number) => Iterable<number>;
}

/** Every so many seconds, so often. */
function* fixed(gapSeconds: number, times: number): Generator<number> {
  for (let i = 1; i <= times; i++) yield i * gapSeconds;
}

function* doubling(first: number, most: number, limitSeconds: number): Generator<number> {
  for (let gap = first, at = first; at <= limitSeconds; gap = Math.min(2 * gap, most), at += gap) yield at;
}

/** At the eta within bounds, or at the lower one, then every 5 s. */
function* atTheEta(etaSeconds: number | null): Generator<number> {
  for (let at = Math.min(Math.max(etaSeconds ?? 3, 3), 40); ; at += 5) yield at;
}

/** A random share of a gap that doubles. */
function* fullJitter(first: number, most: number, random: () => number): Generator<number> {
  let at = 0;
  for (let gap = first; ; gap = Math.min(2 * gap, most)) {
    at += random() * gap;
    yield at;
  }
}

export const LOOPS: readonly Loop[] = [
  { name: "provider's SDKs: 2 s × 10", polls: () => fixed(2, 10) },
  { name: "provider's CLI: 1 s to 10 s, 5 min", polls: () => doubling(1, 10, 300) },
  { name: "provider's Python SDK: 60 s × 10", polls: () => fixed(60, 10) },
  { name: "promptfoo: 3 s × 60", polls: () => fixed(3, 60) },
  { name: "every 5 s, 300 s", polls: () => fixed(5, 60) },
  { name: "clamp(eta, 3, 40), then 5 s", polls: atTheEta },
  { name: "full jitter, 1 s to 30 s", polls: (_, random) => fullJitter(1, 30, random) },
];
