/**
 * The Worker as one file, byte for byte as `wrangler deploy` would upload it, with what its `wrangler.toml` says of it.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { unstable_readConfig } from "wrangler";
import type { ObjectClass } from "./capnp.ts";

/** Of this checkout. */
export const ROOT = join(import.meta.dirname, "..", "..");

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
export async function bundleWorker(root: string, folder: string, minify = true): Promise<Bundle> {
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

/** What is on disk is found by the key that is made here: it must stay what it is for ever. */
export const objectClass = (name: string, binding: string, className: string): ObjectClass => ({
  binding,
  className,
  uniqueKey: `${name}-${className}`,
});
