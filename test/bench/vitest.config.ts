import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

// Measurements inside workerd: run by hand, never asserted, no part of `npm test`.
export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { MASTER_KEYS: "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" } },
    }),
  ],
  test: {
    name: "bench",
    disableConsoleIntercept: true,
    include: ["test/bench/*.bench.ts"],
    testTimeout: 300_000,
  },
});
