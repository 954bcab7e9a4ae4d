import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

// Two projects: `worker` runs inside workerd, `node` drives real processes and servers from outside.
const worker = (
  name: string,
  jobShards: string,
  include: string[],
  exclude: string[] = [],
): TestProjectInlineConfiguration => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      // All of them, so that no local .dev.vars changes what is tested.
      miniflare: {
        bindings: {
          MASTER_KEYS: "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
          PROVIDER_KEY: "",
          PROVIDER_KEY_TENANTS: "*",
          DEFAULT_ENDPOINT: "",
          PUBLIC_URL: "",
          PROVIDER_ORIGINS: "",
          ALLOW_PRIVATE_TARGETS: "",
          RETENTION_HOURS: "",
          MAX_OUTPUT_BYTES: "",
          PROVIDER_WEBHOOKS: "",
          REVOKED_TOKENS: "",
          ALLOWED_ORIGINS: "",
          SECONDS_PER_POLL: "",
          JOB_SHARDS: jobShards,
        },
      },
    }),
  ],
  test: {
    name,
    // One runtime for many files: starting one for each takes longer than the tests. Ids are unique.
    isolate: false,
    // Properties take a second alone, and longer on a busy machine: a limit, never a measure.
    testTimeout: 30_000,
    setupFiles: ["test/support/setup.ts"],
    include,
    exclude: [
      ...exclude,
      "test/browser/**",
      "test/cli/**",
      "test/e2e/**",
      "test/simulator/**",
      "test/demo/**",
      "test/bench/**",
      "test/report/**",
      "test/workerd/**",
      "test/chaos/**",
    ],
  },
});

/** What has to do with jobs; the other tests of `http` never reach one. */
const SHARED = [
  "test/{job,tenant,generation}/**/*.test.ts",
  "test/http/{batch,bounds,feed,find,job,leaks,metadata,provider,registering,registration,tenants,wait,with-job}*.test.ts",
];

/** Of those, what knows no jobs' objects, wherever they are. */
const NOT_SHARED = ["test/tenant/{breaker,flow,gate,histogram,slots}*.test.ts"];

export default defineConfig({
  test: {
    // Three at a time, also where there are two cores: most of the time is spent waiting for alarms and processes.
    maxWorkers: 3,
    projects: [
      worker("worker", "", ["test/**/*.test.ts"]),
      // The same where jobs share objects: whatever touches them.
      worker("shards", "1", SHARED, NOT_SHARED),
      {
        test: {
          name: "node",
          environment: "node",
          // A page, or a process, may take a while to get there: a limit, never a measure.
          expect: { poll: { timeout: 15_000 } },
          include: [
            "test/browser/**/*.test.ts",
            "test/cli/**/*.test.ts",
            "test/e2e/**/*.test.ts",
            "test/simulator/**/*.test.ts",
            "test/demo/**/*.test.ts",
            "test/bench/**/*.test.ts",
            "test/report/**/*.test.ts",
            "test/workerd/**/*.test.ts",
            "test/chaos/**/*.test.ts",
          ],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
