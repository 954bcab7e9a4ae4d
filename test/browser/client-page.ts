/**
 * A page that holds the built client, served from an origin of its own: what `npm run build:client` writes, as it is,
 * in a folder of its own, so that nothing else that builds gets in the way.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type * as Client from "../../src/client/index.ts";
import { ROOT } from "../demo/worker-process.ts";
import { type Listening, listen } from "../simulator/wire.ts";
import type { View, Views } from "./views.ts";

declare global {
  interface Window {
    /** All that the package exports as `./client`. */
    client: typeof Client;
    /** One that calls the Worker. */
    pollhook: Client.PollhookClient;
  }
}

const PAGE = `<!doctype html><html lang="en"><title>Client</title><script type="module" src="/page.js"></script></html>`;
const SCRIPT = `import * as client from "/client/index.js"; window.client = client;`;

export interface BuiltClient {
  /** Serves the page; each time from another origin. */
  serve(): Promise<Listening>;
  remove(): Promise<void>;
}

export async function buildClient(): Promise<BuiltClient> {
  const folder = await mkdtemp(join(tmpdir(), "pollhook-client-"));
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", join(ROOT, "src", "client"), "--outDir", folder]);
  return {
    serve: () =>
      listen(async (request, response) => {
        const path = request.url ?? "";
        const send = (type: string, text: string) =>
          response.setHeader("content-type", `${type}; charset=utf-8`).end(text);
        if (path === "/") send("text/html", PAGE);
        else if (path === "/page.js") send("text/javascript", SCRIPT);
        else if (/^\/[a-z]+\/[a-z-]+\.js$/.test(path))
          send("text/javascript", await readFile(join(folder, path), "utf8"));
        else response.writeHead(404).end();
      }, 0),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Opens a page that is served at `origin`, with a client that calls the Worker. */
export async function openClient(
  browser: Views,
  origin: string,
  options: { readonly url: string; readonly token: string },
): Promise<View> {
  const view = await browser.open(origin);
  await view.page.evaluate((options) => {
    window.pollhook = new window.client.PollhookClient(options);
  }, options);
  return view;
}
