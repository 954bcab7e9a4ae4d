/**
 * Lays the package out as `npm install` does, without a registry: the files that `npm pack` would pack, built anew, and
 * beside them what they depend on. Built aside, as several tests may do so at the same time.
 */
import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../demo/worker-process.ts";

const run = promisify(execFile);

export interface Installed {
  /** A folder with a `node_modules` that has the package. */
  readonly folder: string;
  /** Where its command line begins. */
  readonly bin: string;
  remove(): Promise<void>;
}

export async function installPackage(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), "pollhook-package-"));
  const [built, modules] = [join(folder, "built"), join(folder, "node_modules")];
  const home = join(modules, "pollhook");
  for (const part of ["client", "cli"]) {
    const config = join(ROOT, "src", part, "tsconfig.json");
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    await run(process.execPath, [tsc, "-p", config, "--outDir", join(built, "dist")]);
  }
  await cp(join(ROOT, "package.json"), join(built, "package.json"));
  for (const file of await packedFiles(built)) {
    await mkdir(dirname(join(home, file)), { recursive: true });
    await copyFile(join(built, file), join(home, file));
  }
  const { dependencies, bin } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
  for (const name of Object.keys(dependencies))
    await symlink(join(ROOT, "node_modules", name), join(modules, name), "dir");
  return {
    folder,
    bin: join(home, bin.pollhook),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function packedFiles(folder: string): Promise<string[]> {
  const argv = ["pack", "--dry-run", "--json", "--silent", "--ignore-scripts"];
  const { stdout } = await run("npm", argv, { cwd: folder });
  const [packed]: { files: { path: string }[] }[] = Object.values(JSON.parse(stdout));
  return packed?.files.map(({ path }) => path) ?? [];
}
