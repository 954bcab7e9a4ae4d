/**
 * The parts of `npm run chaos`, in their order. Each is loaded when it runs.
 */
import type { Section } from "../report/section.ts";

export const PARTS: Readonly<Record<string, () => Promise<Section>>> = {
  crash: async () => (await import("./crash/section.ts")).crashSection(),
  model: async () => (await import("./model.ts")).modelSection(),
  peers: async () => (await import("./peers/section.ts")).peersSection(),
  callers: async () => (await import("./callers/section.ts")).callersSection(),
  targets: async () => (await import("./targets/section.ts")).targetsSection(),
  tokens: async () => (await import("./tokens/section.ts")).tokensSection(),
  walls: async () => (await import("./walls/section.ts")).wallsSection(),
  load: async () => (await import("./load/section.ts")).loadSection(),
};
