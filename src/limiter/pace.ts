/**
 * How fast the jobs of one provider key may poll while the provider limits it. They stand in one line: a place is a
 * number, `head` the place whose time has come, and the rate at which it moves on is found by trying: low at first, cut
 * with a 429, held, then raised with its use, ever faster, until the next. Pure: epoch ms, `random` in [0, 1).
 */

const SECOND_MS = 1_000;
const DAY_MS = 86_400 * SECOND_MS;

/** Polls per second, whatever is found. */
const LEAST_RATE = 0.1;
const MOST_RATE = 100;
/** While nothing is known of the limit: so slow at first, doubled in each such time. */
const FIRST_RATE = 1;
const DOUBLING_MS = 2 * SECOND_MS;
/** What a 429 leaves of the rate: where doubling may just have overshot, where a held rate was too much, else. */
const CUT_DOUBLING = 0.5;
const CUT_HELD = 0.65;
const CUT_RISING = 0.8;
/** A rate is held so long, a low one longer, for so many polls: each try for more costs a 429, which must stay rare. */
const HOLD_MS = 20 * SECOND_MS;
const HOLD_LOW_MS = 60 * SECOND_MS;
const HOLD_POLLS = 40;
/** And for so many times the wait that the last try cost everybody. */
const HOLD_WAITS = 3;
/** Then it rises by this share in the first such time, by four times that in two, by nine in three. */
const RISE = 0.1;
/** A rate below this rises as if it were this. */
const RISE_FROM = 1;
const RISE_MS = 20 * SECOND_MS;

/** A wait the provider asked for counts as at least, and at most, so long: no job is watched for more than a day. */
const LEAST_WAIT_MS = SECOND_MS;
const MOST_WAIT_MS = DAY_MS;
/** Without a 429 or a line for so long, the limit is over. */
const QUIET_MS = 60 * SECOND_MS;
/** For so long is it remembered what was too much. */
export const REMEMBERED_MS = 3_600 * SECOND_MS;

/** Whose time is nearer than this is told it; others are told to ask again on the way, as the rate may rise. */
const NEAR_MS = 4 * SECOND_MS;
const FAR_SHARE = 0.6;
const FAR_SPREAD = 0.1;
/** Nobody waits longer than this without asking; much less while the rate doubles; but longer in a very long line. */
const FAR_MOST_MS = 60 * SECOND_MS;
const UNSURE_MS = 10 * SECOND_MS;
const FAR_PER_PLACE_MS = 5;

/** Late arrivals may catch up, by this share less than the usual gap between them. */
const CATCH_UP = 0.9;
/** Wake-ups and calls take a few ms more or less: who is early by this little is not sent away again. */
const EARLY_MS = 50;
const EARLY_PLACES = 0.05;
/** What a job keeps of the line. Of an earlier episode, it is worth nothing. */
export interface Turn {
  /** Tells one time of being limited from another. */
  readonly episode: number;
  /** Missing once it has been used. */
  readonly position?: number;
  /** A time that is given to nobody else, in the limiter's clock; void after the next cut. */
  readonly slot?: number;
  readonly cutAt?: number;
}

export interface Pace {
  readonly episode: number;
  /** Polls per second after the last cut. */
  readonly base: number;
  /** Whether `ceiling`, a rate that was too much, is known. */
  readonly ceiling: number | null;
  /** How long the rate has been in use since the last cut: what was not polled does not count. */
  readonly ageMs: number;
  readonly holdMs: number;
  readonly head: number;
  readonly headAt: number;
  /** The next place to be given. */
  readonly tail: number;
  /** The next time to be reserved; whoever is late keeps this distance too. */
  readonly nextGoAt: number;
  /** When the next poll may be let go, by those that were. */
  readonly gapOverAt: number;
  /** Nobody polls before this: the provider has asked for it. */
  readonly notBefore: number;
  /** What was sent before this tells nothing about the rate of now. */
  readonly cutAt: number;
}

export type Taken =
  | { readonly kind: "go"; readonly turn: Turn }
  | { readonly kind: "wait"; readonly turn: Turn; readonly until: number }
  /** Nothing limits the key any more. */
  | { readonly kind: "free" };
export type Wait = Extract<Taken, { kind: "wait" }>;

export interface Limit {
  /** As the provider asked. */
  readonly waitSeconds: number;
  /** When the poll that was refused was sent. */
  readonly sentAt: number;
  /** That of the `go`; for a poll that was made without one, the place that the job has, if any. */
  readonly turn: Turn | null;
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** Polls per second. */
export function rateOf({ base, ceiling, ageMs, holdMs }: Pace): number {
  const risen = Math.max(ageMs - holdMs, 0) / RISE_MS;
  const rate =
    ceiling === null
      ? base * 2 ** (ageMs / DOUBLING_MS)
      : base + Math.max(base, RISE_FROM) * RISE * risen ** 2;
  return clamp(rate, LEAST_RATE, MOST_RATE);
}

/** A job asks whether it may poll. */
export function take(
  before: Pace,
  turn: Turn | null,
  now: number,
  random: number,
): { readonly pace: Pace; readonly taken: Taken } {
  const pace = movedOn(before, now);
  if (isOver(pace, now)) return { pace, taken: { kind: "free" } };
  const { episode, head, notBefore, cutAt } = pace;
  const mine = turn?.episode === episode ? turn : null;
  const position = mine?.position ?? pace.tail;
  const inLine = { ...pace, tail: placesTo(pace, position) };
  const hasSlot = mine?.slot !== undefined && mine.cutAt === cutAt && mine.slot <= now + EARLY_MS;
  if (now < notBefore || (!hasSlot && position > head + EARLY_PLACES))
    return { pace: inLine, taken: comeBack(inLine, position, now, random) };
  const gapMs = (CATCH_UP * SECOND_MS) / rateOf(inLine);
  const goAt = Math.max(inLine.nextGoAt, inLine.gapOverAt, now);
  // Those who were held up together, by whatever it was, do not go together.
  if ((hasSlot ? inLine.gapOverAt : goAt) > now + EARLY_MS)
    return {
      pace: { ...inLine, nextGoAt: goAt + gapMs },
      taken: { kind: "wait", turn: { episode, position, slot: goAt, cutAt }, until: Math.ceil(goAt) },
    };
  const after: Pace = {
    ...inLine,
    nextGoAt: hasSlot ? inLine.nextGoAt : goAt + gapMs,
    gapOverAt: Math.max(inLine.gapOverAt, now) + gapMs,
    // Only a line tries the rate.
    ageMs: inLine.ageMs + (inLine.tail > head + 1 ? SECOND_MS / rateOf(inLine) : 0),
  };
  return { pace: after, taken: { kind: "go", turn: { episode } } };
}

/**
 * The provider has refused a poll. The job loses nothing by that: it stands in front if it was let go, it keeps the
 * place that it has, and else joins the line. Only what was let go since the last cut speaks about the rate.
 */
export function limited(
  before: Pace | null,
  { waitSeconds, sentAt, turn }: Limit,
  now: number,
  random: number,
): { readonly pace: Pace; readonly taken: Wait } {
  const waitMs = clamp(waitSeconds * SECOND_MS, LEAST_WAIT_MS, MOST_WAIT_MS);
  const known = before && movedOn(before, now);
  const present = known && !isOver(known, now) ? known : begin(known, now);
  const mine = turn?.episode === present.episode ? turn : null;
  const wasLetGo = mine !== null && mine.position === undefined;
  const slower = wasLetGo && sentAt > present.cutAt ? cut(present, waitMs, now) : present;
  const notBefore = Math.max(slower.notBefore, now + waitMs);
  const position = mine ? (mine.position ?? slower.head - 1) : slower.tail;
  const pace: Pace = {
    ...slower,
    notBefore,
    head: wasLetGo ? position : slower.head,
    headAt: Math.max(slower.headAt, notBefore),
    tail: placesTo(slower, position),
    nextGoAt: Math.max(slower.nextGoAt, notBefore),
    gapOverAt: Math.max(slower.gapOverAt, notBefore),
  };
  return { pace, taken: comeBack(pace, position, now, random) };
}

/** Whether jobs need not ask any more: no 429 and no line for a while. */
export const isOver = ({ head, tail, notBefore }: Pace, now: number): boolean =>
  head >= tail && now >= notBefore + QUIET_MS;

/** Whether even what was learned is too old. */
export const isForgotten = ({ notBefore }: Pace, now: number): boolean => now >= notBefore + REMEMBERED_MS;

/** The tail with this place given; a place that was given before an eviction counts too. */
const placesTo = ({ tail }: Pace, position: number): number => Math.max(tail, Math.floor(position) + 1);

function begin(known: Pace | null, now: number): Pace {
  const ceiling = known && !isForgotten(known, now) ? known.ceiling : null;
  return {
    episode: now,
    base: ceiling === null ? FIRST_RATE : ceiling * CUT_RISING,
    ceiling,
    ageMs: 0,
    holdMs: HOLD_MS,
    head: 0,
    headAt: now,
    tail: 0,
    nextGoAt: now,
    gapOverAt: now,
    notBefore: now,
    cutAt: now,
  };
}

function cut(pace: Pace, waitMs: number, now: number): Pace {
  const rate = rateOf(pace);
  const rising = pace.ageMs > pace.holdMs ? CUT_RISING : CUT_HELD;
  const base = Math.max(rate * (pace.ceiling === null ? CUT_DOUBLING : rising), LEAST_RATE);
  const holdMs = Math.max(clamp((HOLD_POLLS * SECOND_MS) / base, HOLD_MS, HOLD_LOW_MS), HOLD_WAITS * waitMs);
  return { ...pace, base, ceiling: rate, ageMs: 0, holdMs, cutAt: now, nextGoAt: now, gapOverAt: now };
}

/** The head as it is now. Where nobody stands in line it does not run ahead. */
function movedOn(pace: Pace, now: number): Pace {
  const passed = (Math.max(now - pace.headAt, 0) * rateOf(pace)) / SECOND_MS;
  const head = Math.min(pace.head + passed, Math.max(pace.tail, pace.head));
  return { ...pace, head, headAt: Math.max(pace.headAt, now) };
}

/** When a place is to ask again: at its time if that is near, else on the way. Never before anybody may poll. */
function comeBack(pace: Pace, position: number, now: number, random: number): Wait {
  const { episode, head, headAt, tail, notBefore, ceiling } = pace;
  const from = Math.max(now, notBefore, headAt);
  const restMs = (Math.max(position - head, 0) * SECOND_MS) / rateOf(pace);
  const mostMs = Math.max(ceiling === null ? UNSURE_MS : FAR_MOST_MS, (tail - head) * FAR_PER_PLACE_MS);
  const onTheWay = Math.min(restMs * (FAR_SHARE + FAR_SPREAD * random), mostMs * (0.5 + 0.5 * random));
  const until = from + (restMs > NEAR_MS ? onTheWay : restMs);
  return { kind: "wait", turn: { episode, position }, until: Math.ceil(until) };
}
