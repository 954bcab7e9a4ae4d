/**
 * Puts into one folder all that plain workerd needs to run Pollhook: the bundled Worker, the entry in front of it, the
 * site's files and the configuration. Nothing in it knows where it was made; it may be copied anywhere.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { VARIABLES } from "../config.ts";
import { bundleWorker, ROOT } from "./bundle.ts";
import { type Module, type Variable, workerdConfig } from "./capnp.ts";
import { siteOf } from "./site.ts";

/** There is no TLS: what listens to the world is a proxy on the same machine. */
const ADDRESS = "127.0.0.1:8080";
/** Beside wherever workerd is started, never in what is built: that is thrown away. */
const DISK_PATH = "data";
const CONFIG_FILE = "pollhook.capnp";
/** Where every object is a file on one disk, a job's own is what costs most. */
const JOB_SHARDS = "8";

export interface AssembleOptions {
  readonly folder: string;
  /** What `fetch` may reach, in workerd's words: `public`, `private`, `local`, or CIDR blocks. */
  readonly allow: readonly string[];
}

/** Writes the folder, over what an earlier build has left there; resolves to the path of the configuration. */
export async function assemble({ folder, allow }: AssembleOptions): Promise<string> {
  await mkdir(folder, { recursive: true });
  const made = await mkdtemp(join(tmpdir(), "pollhook-build-"));
  try {
    const bundle = await bundleWorker(ROOT, made);
    await copyFile(bundle.script, join(folder, "index.js"));
    const modules: Module[] = [
      { name: "main.js", kind: "esModule", path: "main.js" },
      { name: "index.js", kind: "esModule", path: "index.js" },
      ...(await addSite(folder)).map(
        (name): Module => ({ name: `site/${name}`, kind: "data", path: `site/${name}` }),
      ),
    ];
    const config = join(folder, CONFIG_FILE);
    const { compatibilityDate, compatibilityFlags, objects } = bundle;
    const vars = variables();
    const options = { compatibilityDate, compatibilityFlags, objects, modules, vars, allow };
    await writeFile(config, workerdConfig({ ...options, address: ADDRESS, diskPath: DISK_PATH }));
    return config;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** Packs the site, and bundles the entry that serves it; resolves to the names of the files that are served. */
async function addSite(folder: string): Promise<string[]> {
  const site = join(folder, "site");
  await rm(site, { recursive: true, force: true });
  await promisify(execFile)(process.execPath, [join(ROOT, "src", "site", "pack.mjs"), site]);
  const table = await siteOf(await filesBelow(site));
  await build({
    entryPoints: [join(ROOT, "src", "self-hosted", "main.ts")],
    outfile: join(folder, "main.js"),
    bundle: true,
    minify: true,
    format: "esm",
    define: { SITE: JSON.stringify(table) },
    // The Worker is in a file of its own, as it is deployed.
    plugins: [
      {
        name: "worker",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\.\/index\.ts$/ }, () => ({ path: "index.js", external: true })),
      },
    ],
  });
  return Object.values(table.files).map(({ name }) => name);
}

async function filesBelow(folder: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const path of paths.sort())
    files.set(relative(folder, path).split(sep).join("/"), new Uint8Array(await readFile(path)));
  return files;
}

/** Each is taken from the environment, under its own name. */
const variables = (): Record<string, Variable> =>
  Object.fromEntries(
    Object.keys(VARIABLES).map((name) => [
      name,
      { fromEnvironment: name, ...(name === "JOB_SHARDS" && { otherwise: JOB_SHARDS }) },
    ]),
  );
