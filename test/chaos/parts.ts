/**
 * The parts of `npm run chaos`, in their order. Each is loaded when it runs.
 */
import type { Section } from "../report/section.ts";

export const PARTS: Readonly<Record<string, () => Promise<Section>>> = {
  model: async () => (await import("./model.ts")).modelSection(),
};
