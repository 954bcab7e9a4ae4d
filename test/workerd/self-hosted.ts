/**
 * What `npm run build` makes, run as an operator runs it: plain workerd, started in the folder that has the data, told of
 * everything by its environment, which has nothing else in it.
 */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../demo/process-group.ts";
import { ROOT } from "../demo/worker-process.ts";
import { type PlainWorkerd, serve } from "./plain-workerd.ts";

/** Where the configuration has it, from where workerd is started. */
export const DATA_FOLDER = "data";

export interface SelfHostedOptions {
  /** The configuration that was built. */
  readonly config: string;
  /** An existing folder; reuse it to start again with what was there. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** A free one unless given. */
  readonly port?: number;
  /** More of the command line. */
  readonly args?: readonly string[];
  /** Every line that the Worker logs. */
  readonly onLog?: (line: string) => void;
}

/** Runs `npm run build` into the folder; resolves to the path of the configuration. */
export async function buildSelfHosted(folder: string, args: readonly string[] = []): Promise<string> {
  const argv = ["run", "--silent", "build", "--", "--out", folder, ...args];
  await promisify(execFile)("npm", argv, { cwd: ROOT });
  return join(folder, "pollhook.capnp");
}

/** Starts what was built and waits until `/healthz` answers; rejects with what it printed if that never happens. */
export async function startSelfHosted(options: SelfHostedOptions): Promise<PlainWorkerd> {
  const { config, home, env, args = [], onLog } = options;
  const port = options.port ?? (await freePort());
  await mkdir(join(home, DATA_FOLDER), { recursive: true });
  return serve(port, [config, `--socket-addr=http=127.0.0.1:${port}`, ...args], {
    cwd: home,
    env,
    ...(onLog && { onLog }),
  });
}
