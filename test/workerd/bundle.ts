/**
 * Workers as one file: Pollhook as `wrangler deploy` would upload it, with what its `wrangler.toml` says of it, and the
 * bare Workers that it is measured against.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { unstable_readConfig } from "wrangler";
import type { ObjectClass } from "../../src/self-hosted/capnp.ts";
import { ROOT } from "../demo/worker-process.ts";

/** A Worker that plain workerd can run. */
export interface Bundle {
  /** One ES module. */
  readonly script: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly objects: readonly ObjectClass[];
}

/** Wrangler's types have `any` here. */
interface ConfigBinding {
  readonly name: string;
  readonly class_name: string;
}

/** Bundles the Worker of a checkout of this repository into the folder. */
export async function bundlePollhook(root: string, folder: string, minify = true): Promise<Bundle> {
  await promisify(execFile)(
    process.execPath,
    [
      join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"),
      ...["deploy", "--dry-run", "--outdir", folder, `--minify=${minify}`],
    ],
    { cwd: root, env: { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" } },
  );
  const config = unstable_readConfig({ config: join(root, "wrangler.toml") });
  return {
    script: join(folder, "index.js"),
    compatibilityDate: config.compatibility_date ?? "",
    compatibilityFlags: config.compatibility_flags,
    objects: (config.durable_objects.bindings as ConfigBinding[]).map(({ name, class_name }) =>
      objectClass("pollhook", name, class_name),
    ),
  };
}

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

const objectClass = (name: string, binding: string, className: string): ObjectClass => ({
  binding,
  className,
  uniqueKey: `${name}-${className}`,
});
