/**
 * The files beside the Worker, and at which addresses they stand: read from what Cloudflare is given, `_headers` and
 * `_redirects` included, and served as its assets are with `html_handling = "auto-trailing-slash"`. Pure. Of those two
 * files it knows what is in use; the rest is refused, so that nobody is served by half a rule.
 */

export interface Site {
  /** By path as it comes; what a query follows, it follows there too. */
  readonly redirects: Readonly<Record<string, Redirect>>;
  /** By decoded path: the one address of what is there. */
  readonly addresses: Readonly<Record<string, string>>;
  /** By address. */
  readonly files: Readonly<Record<string, SiteFile>>;
  /** With all of these, whatever comes of it. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Redirect {
  readonly status: number;
  readonly to: string;
}

export interface SiteFile {
  /** Relative to the folder of the site. */
  readonly name: string;
  readonly contentType: string;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
};
const ETAG_CHARS = 32;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];

/** `files` by their names, with slashes. Throws where there is something that it cannot serve. */
export async function siteOf(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<Site> {
  const addresses: Record<string, string> = {};
  const served: Record<string, SiteFile> = {};
  for (const [name, bytes] of files) {
    if (name === "_headers" || name === "_redirects") continue;
    const [address, ...others] = addressesOf(name);
    served[address] = { name, contentType: contentTypeOf(name), etag: await etagOf(bytes) };
    for (const path of [address, ...others]) {
      if (path in addresses) throw new Error(`Two files of the site would stand at ${path}.`);
      addresses[path] = address;
    }
  }
  return {
    redirects: readRedirects(textOf(files.get("_redirects"))),
    addresses,
    files: served,
    headers: readHeaders(textOf(files.get("_headers"))),
  };
}

/** The address of a file, and what leads to it. */
function addressesOf(name: string): [address: string, ...others: string[]] {
  if (!/^[\w./-]+$/.test(name) || /(^|\/)index(\.html)?$/.test(name))
    throw new Error(`The site cannot have a file ${name}.`);
  const [, page] = /^(.*)\.html$/.exec(name) ?? [];
  if (page === undefined) return [`/${name}`];
  return [`/${page}`, `/${page}/`, `/${page}.html`, `/${page}/index`, `/${page}/index.html`];
}

function contentTypeOf(name: string): string {
  const type = TYPES[/\.(\w+)$/.exec(name)?.[1] ?? ""];
  if (type === undefined) throw new Error(`Nothing is known of the type of ${name}.`);
  return type;
}

async function etagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `"${hex.slice(0, ETAG_CHARS)}"`;
}

/** `_redirects`: `/from /to 302`, without placeholders. */
function readRedirects(text: string): Record<string, Redirect> {
  const redirects: Record<string, Redirect> = {};
  for (const line of linesOf(text)) {
    const [from = "", to = "", code, ...more] = line.trim().split(/\s+/);
    const status = Number(code ?? 302);
    if (!isPlainPath(from) || !isPlainPath(to) || !REDIRECT_STATUSES.includes(status) || more.length > 0)
      throw new Error(`_redirects: nothing is known of "${line}".`);
    redirects[from] = { status, to };
  }
  return redirects;
}

const isPlainPath = (path: string): boolean => /^\/[^*:?#]*$/.test(path);

/** `_headers`: what stands below `/*`, a `Name: value` in each line. */
function readHeaders(text: string): Record<string, string> {
  const [path, ...rules] = linesOf(text);
  if (path !== undefined && path !== "/*") throw new Error(`_headers: nothing is known of "${path}".`);
  return Object.fromEntries(
    rules.map((line) => {
      const [, name, value] = /^\s+([\w-]+): (.+)$/.exec(line) ?? [];
      if (name === undefined || value === undefined)
        throw new Error(`_headers: nothing is known of "${line}".`);
      return [name.toLowerCase(), value.trim()];
    }),
  );
}

const linesOf = (text: string): string[] => text.split(/\r?\n/).filter((line) => /^\s*[^#\s]/.test(line));

const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
