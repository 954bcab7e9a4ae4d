/**
 * What a deployment brings: master keys, a cap for answers, and other objects.
 */
import { env } from "cloudflare:workers";
import { type Config, parseConfig } from "../../src/config.ts";
import type { JobEnv } from "../../src/job/indexing.ts";
import { MAX_OUTPUT_BYTES } from "./answers.ts";

export const HOOKS = ["https://a.example/hook", "https://b.example/hook"] as const;

const MASTER_KEYS: Readonly<Record<string, string>> = {
  // The runtime's own.
  k1: env.MASTER_KEYS ?? "",
  k2: `k2:${btoa("b".repeat(32))}`,
  k3: `k3:${btoa("c".repeat(32))}`,
};

const OUT_OF_REACH = {
  getByName: (): never => {
    throw new Error("This object cannot be reached.");
  },
};

/** The tenant's object and the limiter, which jobs must do without, are out of reach. */
export const variablesOf = (kids: readonly string[]): JobEnv => ({
  ...env,
  MASTER_KEYS: kids.map((kid) => MASTER_KEYS[kid]).join(","),
  MAX_OUTPUT_BYTES: String(MAX_OUTPUT_BYTES),
  TENANT: OUT_OF_REACH,
  LIMITER: OUT_OF_REACH,
});

/** Throws where there is no key. */
export function configOf(kids: readonly string[]): Config {
  const result = parseConfig(variablesOf(kids));
  if (!result.ok) throw new Error(result.problems.join("; "));
  return result.config;
}
