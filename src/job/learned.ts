/**
 * How long an endpoint's jobs really take: two histograms of those that are over, of the time as a multiple of the
 * provider's eta and of the time alone, and which of them foretells better. State is a fixed number of floats that
 * decays and merges; what is worth nothing (of another version, or broken) counts as nothing learned. Pure.
 */

/** Four bins an octave, from 2⁻⁶ to 2⁹ times the scale; one below; one above, which is also "never". */
const BINS_PER_OCTAVE = 4;
const LEAST_OCTAVE = -6;
const INNER_BINS = 15 * BINS_PER_OCTAVE;
const BINS = INNER_BINS + 2;

/** The scale of the time alone. */
const PLAIN_SCALE_SECONDS = 16;
/** What was learned counts as much as so many jobs at most. */
const MEMORY_JOBS = 100;
const DECAY = 1 - 1 / MEMORY_JOBS;
/** What is expected before anything is learned counts as much as so many jobs, and is never forgotten… */
const PRIOR_JOBS = 2;
/** …with so much of it in the last bin, and of the rest half as much every so many octaves from the scale on. */
const PRIOR_NEVER = 0.01;
const RATIO_PRIOR = prior(1);
const PLAIN_PRIOR = prior(2);
/** Of each job, what goes to either neighbour of its bins: some hundred jobs say that much of a law, and no more. */
const SMOOTHING = 0.1;
/** Certain enough; what has led for long must not take longer than that to be overtaken. */
const MOST_LEAD = 20;

/** What is no eta, but a slip: nothing is foretold from it. */
const [LEAST_ETA_SECONDS, MOST_ETA_SECONDS] = [0.01, 1_000_000];
/** Times are told in ms. */
const LEAST_SECONDS = 0.001;

/** The masses of the ratio, of the time alone, and the decayed lead of the first in log-likelihood: 500 bytes. */
export type Learned = Float32Array;
const LEAD = 2 * BINS;
const LEARNED_NUMBERS = LEAD + 1;

/** Where bins begin, as multiples of the scale; behind the last, where nothing ends. */
const EDGES: readonly number[] = Array.from({ length: BINS + 1 }, (_, i) =>
  i === 0
    ? 0
    : i > INNER_BINS + 1
      ? Number.POSITIVE_INFINITY
      : 2 ** (LEAST_OCTAVE + (i - 1) / BINS_PER_OCTAVE),
);

/** What is expected of a job: so much mass in each bin, prior and all, from edge to edge (seconds). */
export interface Law {
  readonly masses: readonly number[];
  /** One more than there are masses; the last is infinite. */
  readonly edges: readonly number[];
}

/** What was seen of a job that is over, in seconds since its registration. */
export interface Seen {
  /** Unfinished then… */
  readonly after: number;
  /** …and finished then; `null` when it was not until its deadline. */
  readonly until: number | null;
}

function prior(octaves: number): readonly number[] {
  const weights = Array.from({ length: BINS - 1 }, (_, i) => {
    const centre = LEAST_OCTAVE + (i - 0.5) / BINS_PER_OCTAVE;
    return 2 ** (-Math.abs(centre) / octaves);
  });
  const each = (PRIOR_JOBS * (1 - PRIOR_NEVER)) / sum(weights);
  return [...weights.map((weight) => weight * each), PRIOR_JOBS * PRIOR_NEVER];
}

function sum(values: Iterable<number>): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}

/** The state as it may be used; `null` for whatever else came in its place. */
export function usable(value: unknown): Learned | null {
  if (!(value instanceof Float32Array) || value.length !== LEARNED_NUMBERS) return null;
  const isSound = (number: number, i: number): boolean =>
    Number.isFinite(number) && (i === LEAD || (number >= 0 && number <= 2 * MEMORY_JOBS));
  return value.every(isSound) ? value : null;
}

const scaled = (masses: readonly number[], scaleSeconds: number): Law => ({
  masses,
  edges: EDGES.map((edge) => edge * scaleSeconds),
});

const withPrior = (learned: Learned | null, from: number, prior: readonly number[]): readonly number[] =>
  prior.map((mass, i) => mass + (learned?.[from + i] ?? 0));

const ratioLaw = (learned: Learned | null, etaSeconds: number): Law =>
  scaled(withPrior(learned, 0, RATIO_PRIOR), etaSeconds);

/** Of a job's time, whatever its eta. */
export const plainLaw = (learned: Learned | null): Law =>
  scaled(withPrior(learned, BINS, PLAIN_PRIOR), PLAIN_SCALE_SECONDS);

const isHint = (etaSeconds: number | null): etaSeconds is number =>
  etaSeconds !== null && etaSeconds >= LEAST_ETA_SECONDS && etaSeconds <= MOST_ETA_SECONDS;

/** Of the time behind an eta; `null` where there is none, or the etas here have proved to say less than nothing. */
export function hintedLaw(learned: Learned | null, etaSeconds: number | null): Law | null {
  const isTrusted = (learned?.[LEAD] ?? 0) >= 0;
  return isTrusted && isHint(etaSeconds) ? ratioLaw(learned, etaSeconds) : null;
}

/** The state with one more job in it. */
export function observe(learned: Learned | null, etaSeconds: number | null, { after, until }: Seen): Learned {
  const next = Float32Array.from({ length: LEARNED_NUMBERS }, (_, i) => learned?.[i] ?? 0);
  const end = until ?? Number.POSITIVE_INFINITY;
  if (!(after >= 0 && end - after >= LEAST_SECONDS)) return next;
  const plain = spread(plainLaw(learned), after, end);
  add(next, BINS, plain);
  if (!isHint(etaSeconds)) return next;
  const ratio = spread(ratioLaw(learned, etaSeconds), after, end);
  add(next, 0, ratio);
  const lead = DECAY * (next[LEAD] ?? 0) + Math.log(ratio.likelihood / plain.likelihood);
  next[LEAD] = Math.min(Math.max(lead, -MOST_LEAD), MOST_LEAD);
  return next;
}

interface Spread {
  /** Of each bin, what of one job is in it. */
  readonly shares: readonly number[];
  readonly likelihood: number;
}

/** One expectation step: the job's end is only known to lie behind `after`, up to `end`; there it is as the law has it. */
function spread({ masses, edges }: Law, after: number, end: number): Spread {
  const inside = masses.map((mass, i) => {
    const [from = 0, to = 0] = [edges[i], edges[i + 1]];
    // The last bin has no length: it is in what ends later than it begins.
    if (to === Number.POSITIVE_INFINITY) return end > from ? mass : 0;
    return (mass * Math.max(Math.min(end, to) - Math.max(after, from), 0)) / (to - from);
  });
  const all = sum(inside);
  const smoothed = inside.map((mass, i) => {
    const beside = (inside[i - 1] ?? mass) + (inside[i + 1] ?? mass);
    return mass + SMOOTHING * (beside - 2 * mass);
  });
  return { shares: smoothed.map((mass) => mass / all), likelihood: all / sum(masses) };
}

function add(next: Learned, from: number, { shares }: Spread): void {
  for (const [i, share] of shares.entries()) next[from + i] = (next[from + i] ?? 0) * DECAY + share;
}

/** What both have learned, apart from each other. */
export function merge(one: Learned, other: Learned): Learned {
  const merged = one.map((number, i) => number + (other[i] ?? 0));
  for (const from of [0, BINS]) {
    const masses = merged.subarray(from, from + BINS);
    const scale = Math.min(MEMORY_JOBS / sum(masses), 1);
    for (const i of masses.keys()) masses[i] = (masses[i] ?? 0) * scale;
  }
  merged[LEAD] = Math.min(Math.max(merged[LEAD] ?? 0, -MOST_LEAD), MOST_LEAD);
  return merged;
}
