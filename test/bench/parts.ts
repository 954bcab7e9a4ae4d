/**
 * The parts of `npm run bench`, in their order. Each is loaded when it runs: what one needs, the others need not have.
 */
import type { Section } from "./section.ts";

export const PARTS: Readonly<Record<string, () => Promise<Section>>> = {
  cost: async () => (await import("./cost/section.ts")).costSection(),
};
