/**
 * Builds the Worker as `wrangler deploy` would and fails when it has grown past its ceiling, compressed.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const MAX_KIB = 60;

const wrangler = join("node_modules", "wrangler", "bin", "wrangler.js");
const build = spawnSync(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", "dist"], {
  encoding: "utf8",
  env: { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" },
});
const size = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(build.stdout ?? "");
if (build.status !== 0 || !size) {
  process.stderr.write(`wrangler deploy --dry-run failed:\n${build.stdout}\n${build.stderr}\n`);
  process.exit(1);
}
const [, raw, gzip] = size;
process.stdout.write(`The Worker: ${raw} KiB, ${gzip} KiB compressed (at most ${MAX_KIB}).\n`);
if (Number(gzip) > MAX_KIB) {
  process.stderr.write("It is too large: look at what a dependency brought in.\n");
  process.exit(1);
}
