/**
 * Workers as one file: Pollhook as it is built, and the bare Workers that it is measured against.
 */
import { join } from "node:path";
import { build } from "esbuild";
import { unstable_readConfig } from "wrangler";
import { type Bundle, bundleWorker, objectClass } from "../../src/self-hosted/bundle.ts";
import { ROOT } from "../demo/worker-process.ts";

export { type Bundle, bundleWorker as bundlePollhook };

/** Bundles a bare Worker with one class, under Pollhook's compatibility date. */
export async function bundleBare(source: string, className: string, folder: string): Promise<Bundle> {
  const script = join(folder, `${className}.js`);
  await build({
    entryPoints: [source],
    outfile: script,
    bundle: true,
    format: "esm",
    external: ["cloudflare:workers"],
  });
  const { compatibility_date = "" } = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
  return {
    script,
    compatibilityDate: compatibility_date,
    compatibilityFlags: [],
    objects: [objectClass("bare", "JOB", className)],
  };
}
