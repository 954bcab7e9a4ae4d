/**
 * The Worker's entry where there is no Cloudflare in front of it: serves the files beside it as Cloudflare's assets are
 * served, and hands everything else to the app, unchanged. The build puts the site in place of `SITE`.
 */
import app from "../index.ts";
import type { Site, SiteFile } from "./site.ts";

export * from "../index.ts";

declare const SITE: Site;

/** As Cloudflare says it: kept, but not used without asking. */
const CACHE_CONTROL = "public, max-age=0, must-revalidate";

export default {
  fetch: (request, env, context) => fromSite(request) ?? app.fetch(request, env, context),
} satisfies ExportedHandler<import("../http/call.ts").Bindings>;

/** The answer of the site; `null` where it has none. */
function fromSite(request: Request): Response | Promise<Response> | null {
  // The caller's Host stands in it, and need not be one.
  const url = URL.parse(request.url);
  if (!url) return null;
  const { pathname, search } = url;
  const redirect = SITE.redirects[pathname];
  if (redirect) return leadTo(redirect.to + search, redirect.status);
  const address = SITE.addresses[decoded(pathname)];
  const file = address === undefined ? undefined : SITE.files[address];
  if (address === undefined || !file) return null;
  if (request.method !== "GET" && request.method !== "HEAD")
    return new Response(null, { status: 405, headers: SITE.headers });
  return pathname === address ? serve(request, file) : leadTo(address + search, 307);
}

const leadTo = (location: string, status: number): Response =>
  new Response(null, { status, headers: { ...SITE.headers, location } });

async function serve({ headers: asked }: Request, file: SiteFile): Promise<Response> {
  const { name, contentType, etag } = file;
  const headers = new Headers({ ...SITE.headers, "content-type": contentType, etag });
  if (!asked.has("authorization") && !asked.has("range")) headers.set("cache-control", CACHE_CONTROL);
  const known = asked.get("if-none-match");
  if (known === etag || known === `W/${etag}`) return new Response(null, { status: 304, headers });
  // To a HEAD request workerd itself sends no more than the length.
  const { default: bytes } = (await import(`site/${name}`)) as { default: ArrayBuffer };
  return new Response(bytes, { headers });
}

/** As the files are named: each segment decoded where it can be, and one slash between two. */
function decoded(pathname: string): string {
  if (!/%|\/\//.test(pathname)) return pathname;
  return pathname.split("/").map(decodeSegment).join("/").replace(/\/+/g, "/");
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
