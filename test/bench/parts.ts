/**
 * The parts of `npm run bench`, in their order. Each is loaded when it runs: what one needs, the others need not have.
 */
import type { Section } from "../report/section.ts";

export const PARTS: Readonly<Record<string, () => Promise<Section>>> = {
  schedule: async () => (await import("./schedule/section.ts")).scheduleSection(),
  throughput: async () => (await import("./throughput/section.ts")).throughputSection(),
  cost: async () => (await import("./cost/section.ts")).costSection(),
};
