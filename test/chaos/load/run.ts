/**
 * The whole attack: a steady load that is held for long, then twice as much with each step until it bends, then the first
 * load again, as if nothing had been.
 */
import { bendOf } from "./judge.ts";
import { MIXED, type Mix } from "./plan.ts";
import type { Step } from "./step.ts";
import { Subject, type Totals } from "./subject.ts";

export interface LoadOptions {
  readonly mix: Mix;
  /** As `JOB_SHARDS` has it. */
  readonly shards: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Left out when memory is looked at: until then caches fill, and the first jobs have not been purged. */
  readonly warmUpSeconds: number;
  readonly retentionSeconds: number;
  /** Of each step that is twice the one before. */
  readonly rampSeconds: number;
  /** Whatever bends: no more than this; 0 for no ramp. */
  readonly mostPerSecond: number;
  readonly recoverySeconds: number;
  readonly say: (text: string) => void;
}

export interface LoadResult {
  readonly steady: Step;
  /** Each twice the one before; the last one has bent, or is the most that was asked for. */
  readonly ramp: readonly Step[];
  /** The steady load again, behind the bend. */
  readonly recovered: Step | null;
  /** Over all steps: as Pollhook counts them, and as the caller does. */
  readonly totals: { readonly said: Totals; readonly expected: Totals; readonly isRight: boolean };
  readonly verified: number;
  /** Error lines in the log, by their event. */
  readonly errors: Readonly<Record<string, number>>;
  readonly options: LoadOptions;
}

/** Ten minutes of it and a ramp; below a quarter of an hour. */
export const FULL: Omit<LoadOptions, "say"> = {
  mix: MIXED,
  shards: "8",
  perSecond: 100,
  seconds: 600,
  warmUpSeconds: 180,
  retentionSeconds: 120,
  rampSeconds: 20,
  mostPerSecond: 3_200,
  recoverySeconds: 20,
};

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { mix, shards, retentionSeconds, say } = options;
  const subject = await Subject.start({ mix, shards, retentionSeconds });
  try {
    const step = async (perSecond: number, seconds: number): Promise<Step> => {
      say(`${perSecond} a second for ${seconds} s`);
      return subject.step(perSecond, seconds);
    };
    const steady = await step(options.perSecond, options.seconds);
    const ramp: Step[] = [];
    for (let rate = options.perSecond * 2; rate <= options.mostPerSecond; rate *= 2) {
      const next = await step(rate, options.rampSeconds);
      ramp.push(next);
      if (bendOf(next)) break;
    }
    const recovered = ramp.length > 0 ? await step(options.perSecond, options.recoverySeconds) : null;
    const totals = await subject.totals();
    const verified = await subject.verified();
    return { steady, ramp, recovered, totals, verified, errors: subject.errors, options };
  } finally {
    await subject.close();
  }
}
