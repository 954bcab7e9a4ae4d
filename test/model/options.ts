/**
 * What one run of the model is to do, handed from a vitest config to the tests in workerd, and what comes back.
 */
export interface ModelOptions {
  /** Sequences of commands in all. */
  readonly runs: number;
  readonly seed: number;
  /** Of a failure that is to be repeated, as it was reported. */
  readonly repeat: { readonly path: string; readonly replayPath: string } | null;
}

/** In `npm test`: few, and always the same. */
export const SHORT: ModelOptions = { runs: 300, seed: 20_261_120, repeat: null };

/** What the sequences of one runtime came to. */
export interface ModelCounts {
  readonly seed: number;
  readonly sequences: number;
  /** How often each kind of command was run. */
  readonly commands: Readonly<Record<string, number>>;
}

declare module "vitest" {
  interface ProvidedContext {
    model?: ModelOptions;
  }
  interface TaskMeta {
    model?: ModelCounts;
    modelFailure?: string;
  }
}
