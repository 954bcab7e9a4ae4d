/**
 * The best that anybody could do who knew the law: the polls, at least a second apart and the last at the deadline, whose
 * mean lag and cost are least. By dynamic programming over moments 1/32 s apart, and 1/2 % where that is more.
 */
import type { Law } from "./laws.ts";

const STEPS_PER_SECOND = 32;
const STEP_SHARE = 0.005;

/** The moments of its polls, in seconds. */
export function optimum(
  { endedBy }: Law,
  secondsPerPoll: number,
  deadlineSeconds: number,
): readonly number[] {
  const at = [0];
  for (let last = 0; last < deadlineSeconds; at.push(last)) {
    const step = Math.max(Math.floor(last * STEP_SHARE * STEPS_PER_SECOND), 1) / STEPS_PER_SECOND;
    last = Math.min(last + step, deadlineSeconds);
  }
  const moments = Float64Array.from(at);
  const ended = moments.map((seconds) => endedBy(seconds));
  const sums = new Float64Array(moments.length);
  const get = (values: Float64Array, i: number): number => values[i] ?? 0;
  for (let i = 1; i < sums.length; i++) {
    const middle = (get(moments, i) + get(moments, i - 1)) / 2;
    sums[i] = get(sums, i - 1) + (get(ended, i) - get(ended, i - 1)) * middle;
  }
  const last = moments.length - 1;
  const costs = new Float64Array(moments.length);
  const next = new Int32Array(moments.length).fill(last);
  for (let i = last - 1; i >= 0; i--) {
    const pollCost = secondsPerPoll * (1 - get(ended, i));
    let least = Number.POSITIVE_INFINITY;
    for (let j = i + 1; j <= last; j++) {
      if (get(moments, j) < get(moments, i) + 1 && j < last) continue;
      const lag = get(moments, j) * (get(ended, j) - get(ended, i)) - (get(sums, j) - get(sums, i));
      if (pollCost + lag >= least) break;
      const cost = pollCost + lag + get(costs, j);
      if (cost < least) [least, next[i]] = [cost, j];
    }
    costs[i] = least;
  }
  const polls: number[] = [];
  for (let i = 0; i < last; ) {
    i = next[i] ?? last;
    polls.push(get(moments, i));
  }
  return polls;
}
