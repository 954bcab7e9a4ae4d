import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

// The cost table's counts, taken inside workerd: Pollhook's, and those of another Worker to compare it with. The measure
// is of counts, and no figure is asserted.
const FOLDER = "test/bench/cost";
const BINDINGS = { MASTER_KEYS: "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" };
const SETUP = { setupFiles: ["test/support/setup.ts"], testTimeout: 300_000 };

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: BINDINGS },
          }),
        ],
        test: { ...SETUP, name: "pollhook", include: [`${FOLDER}/cost.bench.ts`] },
      },
      {
        plugins: [
          cloudflareTest({
            main: `./${FOLDER}/workflow.ts`,
            miniflare: {
              // What all tests have in common asks for it.
              bindings: BINDINGS,
              compatibilityDate: "2026-10-20",
              workflows: { POLL: { name: "poll", className: "PollWorkflow" } },
            },
          }),
        ],
        test: { ...SETUP, name: "workflow", include: [`${FOLDER}/workflow.bench.ts`] },
      },
    ],
  },
});
