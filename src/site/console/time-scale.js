/**
 * From times to places on a line: in proportion where that can be read, else with long waits shortened. Pure.
 */

/** The times that are worth a label, in ms. */
const NICE = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800].map((seconds) => seconds * 1_000),
  ...[1, 2, 4, 8, 12, 24, 48, 72, 120, 168, 240, 336].map((hours) => hours * 3_600_000),
];

/** Between two marks of a lane, px. */
export const LEAST_GAP = 15;
const LABEL_GAP = 64;
/** Of the width, what may be spent on keeping marks apart. */
const MOST_FOR_GAPS = 0.8;

/**
 * @param {readonly (readonly number[])[]} lanes Of each lane, when its marks are: ms from the beginning, in order.
 * @param {number} end ms, at least that of the last mark.
 * @param {number} width px
 * @returns {{ x: (ms: number) => number, isEven: boolean, ticks: number[] }} `isEven`: in proportion to time.
 */
export function timeScale(lanes, end, width) {
  const whole = Math.max(1, end);
  const even = (/** @type {number} */ ms) => (ms / whole) * width;
  const isEven = lanes.every((times) =>
    times.every((ms, i) => i === 0 || even(ms) - even(times[i - 1] ?? 0) >= LEAST_GAP),
  );
  if (isEven) return { x: even, isEven, ticks: evenTicks(whole, width) };
  const x = shortened(
    [...new Set([0, ...lanes.flat(), whole])].sort((a, b) => a - b),
    width,
  );
  return { x, isEven, ticks: apart([0, ...NICE.filter((ms) => ms <= whole)], x) };
}

/** Each step has the least gap, and of the rest a share that grows with the root of its length. @param {number[]} points @param {number} width */
function shortened(points, width) {
  const steps = points.slice(1).map((ms, i) => ms - (points[i] ?? 0));
  const gap = Math.min(LEAST_GAP, (width * MOST_FOR_GAPS) / steps.length);
  const roots = steps.reduce((sum, step) => sum + Math.sqrt(step), 0);
  const share = (width - gap * steps.length) / roots;
  const places = [0];
  for (const [i, step] of steps.entries()) places.push((places[i] ?? 0) + gap + share * Math.sqrt(step));
  return (/** @type {number} */ ms) => {
    const i = Math.max(
      0,
      Math.min(
        steps.length - 1,
        points.findLastIndex((point) => point <= ms),
      ),
    );
    const [from = 0, to = width] = [places[i], places[i + 1]];
    return Math.min(width, from + ((ms - (points[i] ?? 0)) / (steps[i] ?? 1)) * (to - from));
  };
}

/** @param {number} end @param {number} width */
function evenTicks(end, width) {
  const step = NICE.find((ms) => (ms / end) * width >= LABEL_GAP) ?? end;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
}

/** Those that have room, from the left. @param {number[]} times @param {(ms: number) => number} x */
function apart(times, x) {
  /** @type {number[]} */
  const kept = [];
  for (const ms of times) if (kept.length === 0 || x(ms) - x(kept.at(-1) ?? 0) >= LABEL_GAP) kept.push(ms);
  return kept;
}
