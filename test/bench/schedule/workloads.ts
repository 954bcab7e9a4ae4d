/**
 * What providers do: an eta and the law of the time behind it, for each job in turn. Stationary ones stay as they are,
 * others change under way; every draw comes from the seed.
 */
import { type Law, logNormal, mixture, pareto, uniform } from "./laws.ts";

export interface Workload {
  readonly name: string;
  readonly says: string;
  readonly isStationary: boolean;
  /** What the `i`th job is told, and how long it may then take. Equal keys are equal laws. */
  readonly job: (i: number, random: () => number) => Expected;
}

export interface Expected {
  readonly etaSeconds: number | null;
  readonly key: string;
  readonly law: Law;
}

/** Round numbers, as they are given, about even on a logarithmic scale. */
const ETAS = [5, 8, 10, 12, 15, 20, 25, 30, 40, 60, 90, 120] as const;

const anEta = (random: () => number): number => ETAS[Math.floor(random() * ETAS.length)] ?? 5;

/** A workload whose etas are of that list, or always the same, and whose law hangs on nothing else. */
const stationary = (
  name: string,
  says: string,
  lawOf: (eta: number) => Law,
  etaSeconds?: number | null,
): Workload => ({
  name,
  says,
  isStationary: true,
  job: (_, random) => {
    const eta = etaSeconds === undefined ? anEta(random) : etaSeconds;
    return { etaSeconds: eta, key: String(eta), law: lawOf(eta ?? 0) };
  },
});

/** Jobs in one round of the drift, there and back. */
const DRIFT_JOBS = 600;
const DRIFT_STEPS = 24;

export const WORKLOADS: readonly Workload[] = [
  stationary("accurate", "time / eta log-normal, σ 0.15", (eta) => logNormal(eta, 0.15)),
  stationary("noisy", "time / eta log-normal, σ 0.5", (eta) => logNormal(eta, 0.5)),
  stationary("too low", "eta 10, median 240 s, σ 0.5", () => logNormal(240, 0.5), 10),
  stationary("too high", "0.3 of the eta, σ 0.15", (eta) => logNormal(0.3 * eta, 0.15)),
  stationary(
    "no eta",
    "half about 8 s, half about 60 s, σ 0.2",
    () => mixture([0.5, logNormal(8, 0.2)], [0.5, logNormal(60, 0.2)]),
    null,
  ),
  stationary("heavy tail", "90 % of σ 0.3; the others from twice the eta on, power 1.2", (eta) =>
    mixture([0.9, logNormal(eta, 0.3)], [0.1, pareto(2 * eta, 1.2)]),
  ),
  stationary("worthless eta", "eta 5 to 120, 10 to 120 s evenly", () => uniform(10, 120)),
  {
    name: "drifting",
    says: `from half the eta to twice and back in ${DRIFT_JOBS} jobs, σ 0.15`,
    isStationary: false,
    job: (i, random) => {
      const eta = anEta(random);
      const step = Math.round(Math.sin((2 * Math.PI * i) / DRIFT_JOBS) * DRIFT_STEPS) / DRIFT_STEPS;
      return { etaSeconds: eta, key: `${eta} ${step}`, law: logNormal(eta * 2 ** step, 0.15) };
    },
  },
];

/** One law up to job `at`, another from there on. */
export const stepAt = (at: number, name: string, says: string, before: Law, after: Law): Workload => ({
  name,
  says,
  isStationary: false,
  job: (i) => ({ etaSeconds: 20, key: String(i < at), law: i < at ? before : after }),
});
