/**
 * Axes of charts: where a value stands, and which values are marked. Linear ones begin at zero or below, logarithmic ones
 * at a mark; both end at one.
 */
export interface Scale {
  readonly ticks: readonly number[];
  /** From 0, where the axis begins, to 1, where it ends. */
  readonly at: (value: number) => number;
}

const TICKS = 5;

export function scaleOf(values: readonly number[], isLog = false): Scale {
  return isLog ? logScale(values) : linearScale(values);
}

function linearScale(values: readonly number[]): Scale {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const step = niceStep((high - low || 1) / TICKS);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => exact((first + i) * step));
  return { ticks, at: between(first * step, last * step) };
}

/** Throws where a value has no logarithm: such a chart would leave something out. */
function logScale(values: readonly number[]): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!(low > 0)) throw new Error("A logarithmic axis has no place for zero or less.");
  const decades = Math.log10(high / low);
  const steps = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const step of steps) marks.push(exact(step * 10 ** power));
  const begin = marks.findLastIndex((mark) => mark <= low);
  const end = marks.findIndex((mark) => mark >= high);
  const ticks = marks.slice(begin, Math.max(end, begin + 1) + 1);
  const place = between(Math.log10(ticks[0] ?? 1), Math.log10(ticks.at(-1) ?? 10));
  return { ticks, at: (value) => place(Math.log10(value)) };
}

const between =
  (from: number, to: number) =>
  (value: number): number =>
    (value - from) / (to - from);

/** 1, 2 or 5 times a power of ten, and no less. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return exact(power * ([1, 2, 5].find((step) => step * power >= least) ?? 10));
}

/** Without what binary fractions add. */
const exact = (value: number): number => Number(value.toPrecision(12));
