/**
 * What happens to each job of the load: which faults its provider and its receiver show, how long it takes, how large its
 * answer is. All of it follows from a seed and the job's number, so that caller, provider and receiver, processes of their
 * own, agree without a word, and a run can be made again. Pure.
 */

/** What the provider does to the first polls of a job, before it answers as it should. */
export type ProviderFault = "none" | "error" | "rate_limited" | "slow" | "reset" | "not_json";
/** What the receiver does to the first POST of an event. */
export type ReceiverFault = "none" | "error" | "slow" | "reset" | "retry_after" | "hang";

/** Shares of all jobs, each drawn for itself; what is left has no fault. */
export interface Mix {
  readonly seed: number;
  readonly provider: Readonly<Record<Exclude<ProviderFault, "none">, number>>;
  readonly receiver: Readonly<Record<Exclude<ReceiverFault, "none">, number>>;
  /** Take several times as long as their eta says, and are polled again and again. */
  readonly late: number;
  /** The provider says that they failed. */
  readonly failed: number;
  /** Answers of {@link LARGE_BYTES}. */
  readonly large: number;
  /** Registered without a callback, and read. */
  readonly silent: number;
  /** With a callback, and read all the same. */
  readonly read: number;
  /** Registered ten in one call. */
  readonly batched: number;
  /** A receiver that hangs does so for this long, then resets the connection. */
  readonly hangMs: number;
}

export interface Plan {
  readonly provider: ProviderFault;
  readonly receiver: ReceiverFault;
  readonly isLate: boolean;
  readonly isFailed: boolean;
  readonly isLarge: boolean;
  readonly isSilent: boolean;
  readonly isRead: boolean;
  readonly isBatched: boolean;
  /** From the moment at which it is due to be registered to the one at which the provider is done. */
  readonly workMs: number;
  /** As the registration says; `null` where it says nothing. */
  readonly etaSeconds: number | null;
  /** One of {@link DESTINATIONS}. */
  readonly destination: string;
  /** `null`: the one that the server has. */
  readonly providerKey: string | null;
}

/** Several at one host: whoever is parked is called so many a second for each of them. */
export const DESTINATIONS = Array.from({ length: 10 }, (_, i) => `load-${i}`);
/** So short that a fault is over within the run. */
export const RETRY_SCHEDULE = [1, 1, 2, 2, 5, 5, 10, 10, 20, 20, 30, 30];
export const LARGE_BYTES = 100 * 1024;
export const BATCH = 10;
/** Batched and single registrations change in turns of so many jobs. */
const BATCH_TURN = 10;
/** A 429 slows all jobs of its key down, as it should: those that meet one have keys that few others have. */
const KEYS = 4_096;

/** The mix of the long run. */
export const MIXED: Mix = {
  seed: 20_261_128,
  provider: { error: 0.05, rate_limited: 0.02, slow: 0.04, reset: 0.04, not_json: 0.04 },
  receiver: { error: 0.05, slow: 0.05, reset: 0.04, retry_after: 0.03, hang: 0.01 },
  late: 0.05,
  failed: 0.03,
  large: 0.03,
  silent: 0.03,
  read: 0.02,
  batched: 0.1,
  hangMs: 20_000,
};

export function planOf(id: number, mix: Mix): Plan {
  const draw = (salt: number): number => drawn(mix.seed, id, salt);
  const provider = pick<ProviderFault>(mix.provider, draw(1));
  const isSilent = draw(2) < mix.silent;
  const isLate = draw(3) < mix.late;
  const workMs = (isLate ? 5_000 : 1_200) + draw(4) * (isLate ? 3_000 : 1_800);
  const turn = Math.floor(id / BATCH);
  return {
    provider,
    receiver: isSilent ? "none" : pick<ReceiverFault>(mix.receiver, draw(5)),
    isLate,
    isFailed: draw(6) < mix.failed,
    isLarge: draw(7) < mix.large,
    isSilent,
    isRead: isSilent || draw(8) < mix.read,
    isBatched: turn % BATCH_TURN < mix.batched * BATCH_TURN,
    workMs,
    etaSeconds: draw(9) < 0.2 ? null : Math.max(1, Math.round(isLate ? workMs / 4_000 : workMs / 1_000)),
    destination: DESTINATIONS[id % DESTINATIONS.length] ?? "",
    providerKey: provider === "rate_limited" ? `load-provider-key-${id % KEYS}` : null,
  };
}

/** Neither side does anything to it that would delay its event. */
export const isUnfaulted = ({ provider, receiver, isLate }: Plan): boolean =>
  provider === "none" && receiver === "none" && !isLate;

/** The registration, as it is sent. */
export function registrationOf(id: number, mix: Mix): Record<string, unknown> {
  const { isSilent, destination, etaSeconds, providerKey } = planOf(id, mix);
  return {
    endpoint: "v3",
    request_id: String(id),
    metadata: { n: id },
    ...(!isSilent && { destination }),
    ...(etaSeconds !== null && { eta: etaSeconds }),
    ...(providerKey !== null && { key: providerKey }),
  };
}

/** What the provider has made of it, so that the receiver knows it again. */
export const outputOf = (id: number): string => `https://files.example.com/${id}.png`;

function pick<Fault extends string>(shares: Readonly<Record<string, number>>, at: number): Fault {
  let from = at;
  for (const [fault, share] of Object.entries(shares)) {
    if (from < share) return fault as Fault;
    from -= share;
  }
  return "none" as Fault;
}

/** In [0, 1), spread evenly: the last steps of MurmurHash3, over a seed, a number and what it is drawn for. */
function drawn(seed: number, id: number, salt: number): number {
  let hash = Math.imul(seed ^ Math.imul(id, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca77), 0xc2b2ae3d);
  for (const [shift, factor] of [
    [16, 0x85ebca6b],
    [13, 0xc2b2ae35],
  ] as const)
    hash = Math.imul(hash ^ (hash >>> shift), factor);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
