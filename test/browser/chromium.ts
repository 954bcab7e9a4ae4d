/**
 * The Chromium that `npm install` brings: unpacked once, and launched with the libraries and the font from its own
 * package, so that the machine needs none. The package does so by itself only where it believes to be on AWS Lambda, and
 * then into a folder that everyone shares; here it is told that it is there, in a process and a folder of its own. Pages
 * are to come over http: for https, NSS wants a libsqlite3, which the package has not.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";
import { ROOT } from "../demo/worker-process.ts";

/** The package has a browser for no other machine: there an installed Chrome is driven. */
export const IS_BUNDLED =
  process.platform === "linux" && process.arch === "x64" && !process.env.CHROMIUM_PATH;

const MODULES = join(ROOT, "node_modules");
const UNPACK = 'import chromium from "@sparticuz/chromium"; await chromium.executablePath();';
/** No name is looked up but those of this machine: no page reaches another one, nor does the browser by itself. */
const LOOPBACK_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1";
/** A busy machine may take a while: a limit, never a measure. */
const LAUNCH_LIMIT_MS = 60_000;

/** Its own font and no other, wherever the folder is. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir></fontconfig>
`;

/** Launches a Chromium that ends with this process at the latest. Without a sandbox: containers run as root. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ ...(await whichChromium()), args: [LOOPBACK_ONLY], timeout: LAUNCH_LIMIT_MS });
}

/** The processes of a browser, with those of its pages. */
export async function pidsOf(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.map(({ id }) => id);
}

async function whichChromium(): Promise<LaunchOptions> {
  const { CHROMIUM_PATH } = process.env;
  if (CHROMIUM_PATH) return { executablePath: CHROMIUM_PATH };
  if (!IS_BUNDLED) return { channel: "chrome" };
  const folder = await unpacked();
  return {
    executablePath: join(folder, "chromium"),
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, "al2023", "lib"),
      FONTCONFIG_PATH: join(folder, "fonts"),
    },
  };
}

/** The folder that holds all of it. Whoever comes first puts it in its place, whole; the others take that one. */
export async function unpacked(cache = join(MODULES, ".cache")): Promise<string> {
  const manifest = readFileSync(join(MODULES, "@sparticuz", "chromium", "package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const place = join(cache, `chromium-${version}`);
  if (existsSync(place)) return place;
  await mkdir(dirname(place), { recursive: true });
  const folder = await mkdtemp(`${place}-`);
  try {
    const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x" };
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", UNPACK], {
      cwd: ROOT,
      env,
    });
    await writeFile(join(folder, "fonts", "fonts.conf"), FONTS);
    await rename(folder, place);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
  return place;
}
