/**
 * The site, side by side: as wrangler's assets serve it, and as plain workerd does from what `npm run build` makes. Only
 * what says nothing to a reader may differ.
 */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PollhookNode } from "../chaos/node.ts";
import { Setting } from "./setting.ts";

let setting: Setting;
let node: PollhookNode;
beforeAll(async () => {
  const wrangler = Setting.create().then(async (created) => {
    setting = created;
    await created.start();
  });
  node = await PollhookNode.create({ vars: {} });
  await Promise.all([wrangler, node.start()]);
}, 120_000);
afterAll(async () => {
  await setting?.tearDown();
  await node?.tearDown();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Cloudflare's own, the connection's, the length, which wrangler leaves out at times, and the tag: each has its own. */
const APART = [
  "cf-cache-status",
  "connection",
  "content-length",
  "date",
  "etag",
  "keep-alive",
  "transfer-encoding",
];

/** The path leaves as it is given: `fetch` would tidy it up. */
function ask(origin: string, method: string, path: string, asked = {}): Promise<Answer & { etag: unknown }> {
  const { hostname, port } = new URL(origin);
  const headers = { connection: "close", ...asked };
  return new Promise((resolve, reject) => {
    request({ hostname, port, method, path, headers }, (response) => {
      const told = Object.entries(response.headers).filter(([name]) => !APART.includes(name));
      const [status, { etag }] = [response.statusCode ?? 0, response.headers];
      text(response)
        .then((body) => resolve({ status, headers: Object.fromEntries(told), body, etag }))
        .catch(reject);
    })
      .on("error", reject)
      .end();
  });
}

const both = (method: string, path: string, asked = {}) =>
  Promise.all([setting.worker.origin, node.origin].map((origin) => ask(origin, method, path, asked)));

describe("the site on plain workerd", () => {
  it.each([
    ...["/", "/?a=1", "/docs", "/docs?a=1", "/docs/", "/docs.html?a=1", "/docs/index", "/docs/index.html"],
    ...["/console", "/console/", "/console/main.js", "/console/main.css", "/console/icon.svg"],
    ...["/docs.css", "/openapi.json", "//docs", "/docs//", "/%64ocs", "/docs%2f", "/console%2Fmain.js"],
    ...[
      "/_headers",
      "/_redirects",
      "/index.html",
      "/index.js",
      "/main.js",
      "/site/docs.html",
      "/Docs",
      "/docs/x",
    ],
    ...[
      "/docs%",
      "/docs.html/",
      "//",
      "/%2f",
      "/console/../docs",
      "/..%2fdocs",
      "/console/main.js/",
      "/nothing",
    ],
    ...["/healthz", "/v1/jobs", "/v1", "/hints/x", "/api/v3/fetch/1"],
  ])("answers GET, HEAD, POST and OPTIONS of %s as wrangler does", async (path) => {
    for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
      const [wrangler, plain] = await both(method, path);
      expect({ ...plain, etag: typeof plain?.etag }, method).toEqual({
        ...wrangler,
        etag: typeof wrangler?.etag,
      });
    }
  });

  it("sends nothing twice to whoever has it, and lets nothing be kept that was asked for with a token", async () => {
    const tags = (await both("GET", "/docs")).map(({ etag }) => String(etag));
    for (const prefix of ["", "W/"]) {
      const again = await Promise.all(
        [setting.worker.origin, node.origin].map((origin, index) =>
          ask(origin, "GET", "/docs", { "if-none-match": prefix + tags[index] }),
        ),
      );
      expect(again.map(({ status, body, etag }) => [status, body, etag])).toEqual(
        tags.map((etag) => [304, "", etag]),
      );
      expect(again[1]?.headers).toEqual(again[0]?.headers);
    }
    for (const asked of [{ authorization: "Bearer x" }, { range: "bytes=0-1" }, { "if-none-match": '"x"' }]) {
      const [wrangler, plain] = await both("GET", "/docs", asked);
      expect([plain?.status, plain?.headers]).toEqual([wrangler?.status, wrangler?.headers]);
    }
  });
});
