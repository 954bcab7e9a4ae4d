import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { type ModelOptions, SHORT } from "../model/options.ts";

// The model-based test in its long form: as many sequences as MODEL_RUNS says, in two runtimes side by side. The seed is
// MODEL_SEED, or another one each time; what a failure reports goes into the variables that it names.
const { MODEL_RUNS, MODEL_SEED, MODEL_PATH, MODEL_REPLAY } = process.env;
const seed = Number(MODEL_SEED ?? Math.floor(Math.random() * 0x7fff_ffff));
const repeat = MODEL_PATH ? { path: MODEL_PATH, replayPath: MODEL_REPLAY ?? "" } : null;
const runs = Number(MODEL_RUNS ?? SHORT.runs);

const project = (name: string, model: ModelOptions): TestProjectInlineConfiguration => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { MASTER_KEYS: "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" } },
    }),
  ],
  test: {
    name,
    include: ["test/model/model.test.ts"],
    setupFiles: ["test/support/setup.ts"],
    provide: { model },
  },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: repeat
      ? [project("model", { runs, seed, repeat })]
      : [
          project("model 1", { runs: Math.ceil(runs / 2), seed, repeat }),
          project("model 2", { runs: Math.floor(runs / 2), seed: seed + 1, repeat }),
        ],
  },
});
