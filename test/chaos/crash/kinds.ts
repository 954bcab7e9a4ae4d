/**
 * The kinds of jobs that there are: how the provider serves one, where its event is to go, what its caller does with it,
 * and how it may end. Data; each kind is planned for one job by `plan.ts`.
 */
import type { Misbehaviour } from "../../simulator/misbehaviour.ts";
import type { SimRequest } from "../../simulator/provider.ts";
import type { ReceiverStep } from "../../simulator/receiver.ts";
import type { Random } from "./random.ts";

/** What a caller does once its job is registered. */
export type Act = "cancel" | "erase" | "redeliver" | "restart";

export interface Kind {
  /** Of a hundred jobs; a kind with `most` has no share, but that many jobs of each tenant. */
  readonly share?: number;
  readonly most?: number;
  /** It takes half a minute or more: left out where there is no time for that. */
  readonly slow?: true;
  /** `null`: the provider does not know it. */
  readonly provider: (random: Random) => Omit<SimRequest, "endpoint" | "id"> | null;
  /** What the registration says beside the request and where to call. */
  readonly says?: (random: Random, index: number) => Readonly<Record<string, unknown>>;
  /** A destination's name, a callback of the job's own, or nobody. */
  readonly to:
    | "steady"
    | "flaky"
    | "slow"
    | "hanging"
    | "dead"
    | "sick"
    | "paused"
    | "paced"
    | "own"
    | "nobody";
  /** What the callback of its own answers at first. */
  readonly steps?: readonly ReceiverStep[];
  readonly act?: Act;
  /** Status and outcome; `gone` for what was erased. */
  readonly ends: string;
}

const soon = (random: Random) => ({ readyAfterMs: random.between(0, 3_000) });
const briefly = (random: Random) => ({ eta: random.whole(1, 3) });
const never = () => ({ readyAfterMs: Number.POSITIVE_INFINITY });
const behind = (misbehaviours: readonly Misbehaviour[]) => ({ misbehaviours });

const TROUBLES: readonly Misbehaviour[] = [
  { kind: "server-error" },
  { kind: "html", status: 503 },
  { kind: "truncated-json" },
  { kind: "close-halfway" },
];
/** More than attempts that are lost in crashes use up. */
const often = <T>(step: T): readonly T[] => Array.from({ length: 12 }, () => step);

const DELIVERED = "delivered succeeded";

export const KINDS = {
  brief: { share: 24, provider: soon, says: briefly, to: "own", ends: DELIVERED },
  far: {
    share: 12,
    slow: true,
    provider: (random) => ({ readyAfterMs: random.between(15_000, 45_000) }),
    says: (random) => ({ eta: random.whole(15, 45) }),
    to: "steady",
    ends: DELIVERED,
  },
  steady: { share: 6, provider: soon, says: briefly, to: "steady", ends: DELIVERED },
  dripping: {
    share: 4,
    provider: () => behind([{ kind: "drip", everyMs: 10 }]),
    says: briefly,
    to: "steady",
    ends: DELIVERED,
  },
  stalling: {
    share: 1,
    slow: true,
    provider: () => behind([{ kind: "hang" }]),
    to: "steady",
    ends: DELIVERED,
  },
  troubled: {
    share: 6,
    provider: (random) => behind(Array.from({ length: random.whole(1, 2) }, () => random.pick(TROUBLES))),
    says: briefly,
    to: "steady",
    ends: DELIVERED,
  },
  limited: {
    share: 4,
    provider: (random) => behind([{ kind: "rate-limit", retryAfterSeconds: random.whole(1, 2) }]),
    // A key for each: with every crash up to 64 places of a key's line are passed over unused, and after thirty who stands
    // behind somebody waits for many minutes. Nothing is lost by that, but it is not what is looked for here.
    says: (_, index) => ({ key: `limited-${index}` }),
    to: "steady",
    ends: DELIVERED,
  },
  sealed: {
    share: 8,
    provider: soon,
    says: (random, index) => ({ ...briefly(random), key: `own-key-${index}` }),
    to: "own",
    ends: DELIVERED,
  },
  failing: {
    share: 4,
    provider: () => ({ answer: { status: "error", message: "The model could not be loaded." } }),
    says: briefly,
    to: "steady",
    ends: "delivered failed",
  },
  endless: {
    share: 4,
    slow: true,
    provider: never,
    says: () => ({ deadline_seconds: 30 }),
    to: "steady",
    ends: "delivered expired",
  },
  unknown: {
    share: 1,
    slow: true,
    provider: () => null,
    says: briefly,
    to: "steady",
    ends: "delivered failed",
  },
  empty: {
    share: 2,
    slow: true,
    provider: () => ({ answer: { status: "success", output: [] } }),
    says: briefly,
    to: "steady",
    ends: "delivered failed",
  },
  uncalled: { share: 4, provider: soon, says: briefly, to: "nobody", ends: "finished succeeded" },
  told: {
    share: 2,
    provider: () => null,
    says: (_, index) => ({
      response: { status: "success", id: `told-${index}`, output: [`https://cdn.example.com/${index}.png`] },
    }),
    to: "own",
    ends: DELIVERED,
  },
  large: {
    share: 3,
    provider: (random) => ({
      answer: { status: "success", id: 1, output: ["data:".padEnd(random.whole(33_000, 200_000), "A")] },
    }),
    says: briefly,
    to: "steady",
    ends: DELIVERED,
  },
  flaky: { share: 6, provider: soon, says: briefly, to: "flaky", ends: DELIVERED },
  slowly: { share: 3, provider: soon, says: briefly, to: "slow", ends: DELIVERED },
  hanging: { share: 1, slow: true, provider: soon, says: briefly, to: "hanging", ends: DELIVERED },
  paced: { share: 2, provider: soon, says: briefly, to: "paced", ends: DELIVERED },
  gone: {
    share: 2,
    provider: soon,
    says: briefly,
    to: "own",
    steps: often({ kind: "gone" }),
    ends: "undelivered succeeded",
  },
  canceled: {
    share: 3,
    provider: never,
    says: () => ({ eta: 600 }),
    to: "steady",
    act: "cancel",
    ends: "canceled canceled",
  },
  restarted: {
    share: 1,
    provider: never,
    says: () => ({ eta: 600 }),
    to: "steady",
    act: "restart",
    ends: DELIVERED,
  },
  erased: { share: 3, provider: soon, says: briefly, to: "own", act: "erase", ends: "gone" },
  redelivered: { share: 3, provider: soon, says: briefly, to: "steady", act: "redeliver", ends: DELIVERED },
  // So few that the breaker of their host stays closed: they are given up, and not parked.
  dead: { most: 3, provider: soon, says: briefly, to: "dead", ends: "undelivered succeeded" },
  sick: { most: 20, provider: soon, says: briefly, to: "sick", ends: DELIVERED },
  paused: { most: 10, provider: soon, says: briefly, to: "paused", ends: DELIVERED },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
