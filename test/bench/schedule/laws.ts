/**
 * Distributions of how long a job takes, each as the share that has ended by then and as a way to draw from it: the
 * optimum needs the one, a simulation the other. Seconds.
 */

export interface Law {
  /** The share that has ended by then. */
  readonly endedBy: (seconds: number) => number;
  readonly draw: (random: () => number) => number;
}

/** Box and Muller. */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Abramowitz and Stegun, 26.2.17: right to seven digits. */
function normalEndedBy(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return x > 0 ? 1 - tail : tail;
}

export const logNormal = (median: number, sigma: number): Law => ({
  endedBy: (seconds) => (seconds <= 0 ? 0 : normalEndedBy(Math.log(seconds / median) / sigma)),
  draw: (random) => median * Math.exp(sigma * normal(random)),
});

/** From `least` on, with a tail that falls off with that power. */
export const pareto = (least: number, power: number): Law => ({
  endedBy: (seconds) => (seconds <= least ? 0 : 1 - (seconds / least) ** -power),
  draw: (random) => least * (1 - random()) ** (-1 / power),
});

export const uniform = (least: number, most: number): Law => ({
  endedBy: (seconds) => Math.min(Math.max((seconds - least) / (most - least), 0), 1),
  draw: (random) => least + random() * (most - least),
});

/** The first of each pair is its share; together they are 1. */
export const mixture = (...parts: readonly (readonly [number, Law])[]): Law => ({
  endedBy: (seconds) => parts.reduce((all, [share, law]) => all + share * law.endedBy(seconds), 0),
  draw: (random) => {
    let rest = random();
    for (const [share, law] of parts) {
      if (rest < share) return law.draw(random);
      rest -= share;
    }
    return parts.at(-1)?.[1].draw(random) ?? Number.NaN;
  },
});
