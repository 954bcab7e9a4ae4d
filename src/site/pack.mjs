/**
 * Puts what is served beside the Worker into dist/site, or the folder that is named: the console's modules and style
 * sheets as one file each and small, everything else as it is. wrangler runs it by itself before it serves or deploys;
 * several may do so at once.
 */
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";

const FROM = import.meta.dirname;
const TO = resolve(process.argv[2] ?? join(FROM, "..", "..", "dist", "site"));
/** What the console's page asks for. */
const ENTRIES = ["console/main.js", "console/main.css"];
/** For those who write these files, not for those who read them. */
const IS_SOURCE = /^(console\/.*\.(js|css)|tsconfig\.json|pack\.mjs)$/;

const { outputFiles } = await build({
  entryPoints: ENTRIES.map((name) => join(FROM, name)),
  outdir: join(TO, "console"),
  bundle: true,
  minify: true,
  format: "esm",
  // Browsers that have `light-dark()`.
  target: ["chrome123", "firefox120", "safari17.5"],
  write: false,
});
for (const { path, contents } of outputFiles) await put(path, contents);
for (const entry of await readdir(FROM, { recursive: true, withFileTypes: true })) {
  const name = join(entry.parentPath, entry.name).slice(FROM.length + 1);
  if (entry.isFile() && !IS_SOURCE.test(name)) await put(join(TO, name), await readFile(join(FROM, name)));
}

/**
 * Writes what is new, whole: nobody serves half a file.
 *
 * @param {string} path
 * @param {Uint8Array} contents
 */
async function put(path, contents) {
  const before = await readFile(path).catch(() => null);
  if (before?.equals(contents)) return;
  const draft = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(draft, contents);
  await rename(draft, path);
}
