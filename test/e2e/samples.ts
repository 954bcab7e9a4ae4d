/**
 * The code samples of the provider's documentation pages, and the request that each of them sends. The texts beside
 * this file are the pages' own, tab by tab; what a tab sends is read from its text, written as its language's library
 * writes it: PHP with curl, Node with `request`, Python with `requests`, Java with OkHttp.
 */
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { runInNewContext } from "node:vm";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { phpJson } from "../simulator/provider-answers.ts";
import { SEED_PAGES, type SeedPage } from "../support/seed-pages.ts";

/** The tabs whose request is replayed; the JavaScript tab runs. */
export const REPLAYED = ["PHP", "NODE", "PYTHON", "JAVA"] as const;
export type Replayed = (typeof REPLAYED)[number];

export interface Sample {
  readonly page: SeedPage;
  readonly tabs: ReadonlyMap<string, string>;
}

/** The sixth page's requests are those of two tabs of another page: it has no samples of its own. */
export const SAMPLES: readonly Sample[] = SEED_PAGES.filter(({ endpoint }) => endpoint !== "v6/fashion").map(
  (page) => ({ page, tabs: readTabs(page.endpoint.replaceAll("/", "-")) }),
);

function readTabs(name: string): ReadonlyMap<string, string> {
  const file = readFileSync(new URL(`./samples/${name}.txt`, import.meta.url), "utf8");
  const tabs = file.split(/^=== (\w+)\n/m).slice(1);
  return new Map(
    Array.from({ length: tabs.length / 2 }, (_, i) => [tabs[2 * i] ?? "", tabs[2 * i + 1] ?? ""]),
  );
}

/** The tab as printed, but for host, key and id, and for the quote that opens a URL where the page has lost it. */
export function filled({ page, tabs }: Sample, tab: string, origin: string, key: string): string {
  return (tabs.get(tab) ?? "")
    .replace(/(?<=[(=] ?)(?=https:)/, '"')
    .replace(page.origin, origin)
    .replace(/(?<=\\?"key\\?"(?: =>|:) \\?")(?=\\?")/, key)
    .replace(/\{id\}|your_request_id|(?<=\/fetch\/)\d+/, page.requestId);
}

/** Runs a JavaScript tab; what it logs. Rejects when it logs an error instead. */
export function run(code: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const log = (said: unknown, error?: unknown) =>
      error === undefined ? resolve(String(said)) : reject(error);
    runInNewContext(code, { Headers, fetch, console: { log } });
  });
}

export interface WireRequest {
  readonly url: string;
  readonly method: string;
  /** In their order, as they are spelled on the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What a tab sends, to the byte. */
export function requestOf(language: Replayed, code: string): WireRequest {
  const url = new URL(/http:[^"'\s]+/.exec(code)?.[0] ?? "");
  const body = BODIES[language](code);
  const headers = HEADERS[language](url.host, String(Buffer.byteLength(body)));
  return { url: url.href, method: /'POST'|"POST"/.exec(code) ? "POST" : "", headers, body };
}

const inside = (code: string, pattern: RegExp): string => pattern.exec(code)?.[1] ?? "";

const BODIES: Readonly<Record<Replayed, (code: string) => string>> = {
  PHP: (code) =>
    phpJson(Object.fromEntries([...code.matchAll(/"(\w+)" => "([^"]*)"/g)].map((m) => m.slice(1)))),
  NODE: (code) => JSON.stringify(JSON.parse(inside(code, /JSON\.stringify\((\{.*?\})\)/s))),
  PYTHON: (code) => pythonJson(JSON.parse(inside(code, /json\.dumps\((\{.*?\})\)/s))),
  JAVA: (code) => JSON.parse(inside(code, /create\(mediaType, (".*")\);/)),
};

/** `json.dumps` of a dictionary of plain strings. */
const pythonJson = (fields: Record<string, string>): string =>
  `{${Object.entries(fields)
    .map((entry) => entry.map((part) => JSON.stringify(part)).join(": "))
    .join(", ")}}`;

const JSON_TYPE = ["Content-Type", "application/json"] as const;

const HEADERS: Readonly<Record<Replayed, (host: string, length: string) => WireRequest["headers"]>> = {
  PHP: (host, length) => [
    ["Host", host],
    ["Accept", "*/*"],
    ["Accept-Encoding", "deflate, gzip, br, zstd"],
    JSON_TYPE,
    ["Content-Length", length],
  ],
  NODE: (host, length) => [JSON_TYPE, ["host", host], ["content-length", length], ["Connection", "close"]],
  PYTHON: (host, length) => [
    ["Host", host],
    ["User-Agent", "python-requests/2.32.3"],
    ["Accept-Encoding", "gzip, deflate"],
    ["Accept", "*/*"],
    ["Connection", "keep-alive"],
    JSON_TYPE,
    ["Content-Length", length],
  ],
  // OkHttp adds the charset to the type of a body that it is given as a string.
  JAVA: (host, length) => [
    ["Content-Type", "application/json; charset=utf-8"],
    ["Content-Length", length],
    ["Host", host],
    ["Connection", "Keep-Alive"],
    ["Accept-Encoding", "gzip"],
    ["User-Agent", "okhttp/4.12.0"],
  ],
};

export interface WireAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Each sample's library takes compressed answers, and decodes them; `wrangler dev` compresses. */
const DECODE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

async function read(response: IncomingMessage): Promise<WireAnswer> {
  const { statusCode = 0, headers } = response;
  const encoding = headers["content-encoding"] ?? "identity";
  const decode = DECODE[encoding];
  if (!decode) throw new Error(`An answer in ${encoding}, which nobody asked for.`);
  return { status: statusCode, headers, text: decode(await buffer(response)).toString() };
}

/** Sends exactly these headers, and follows no redirect. */
export function send({ url, method, headers, body }: WireRequest): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, setHost: false, agent: false }, (response) => {
      read(response).then(resolve, reject);
    });
    sent.on("error", reject);
    for (const [name, value] of headers) sent.setHeader(name, value);
    // Else Node adds one of its own.
    if (!headers.some(([name]) => name === "Connection")) sent.removeHeader("connection");
    sent.end(body);
  });
}
