/** What becomes of the site's files; that it is what Cloudflare makes of them is proven side by side, on both. */
import { describe, expect, it } from "vitest";
import { siteOf } from "../../src/self-hosted/site.ts";

const site = (files: Record<string, string>) =>
  siteOf(
    new Map(
      Object.entries(files).map(([name, text]) => [name, new Uint8Array(new TextEncoder().encode(text))]),
    ),
  );

describe("the site's table", () => {
  it("has one address for a page, which every other leads to, and its own name for each other file", async () => {
    const { addresses, files } = await site({ "console/help.html": "<p>", "console/main.js": "1" });
    expect(addresses).toEqual({
      "/console/help": "/console/help",
      "/console/help/": "/console/help",
      "/console/help.html": "/console/help",
      "/console/help/index": "/console/help",
      "/console/help/index.html": "/console/help",
      "/console/main.js": "/console/main.js",
    });
    expect(files["/console/help"]).toMatchObject({
      name: "console/help.html",
      contentType: "text/html; charset=utf-8",
    });
  });

  it("tells what has changed by its tag alone", async () => {
    const tagOf = async (text: string) => (await site({ "a.css": text })).files["/a.css"]?.etag;
    expect(await tagOf("a{}")).toMatch(/^"[\da-f]{32}"$/);
    expect(await tagOf("a{}")).toBe(await tagOf("a{}"));
    expect(await tagOf("a{}")).not.toBe(await tagOf("b{}"));
  });

  it("reads headers and redirects from Cloudflare's files, and serves neither", async () => {
    const { addresses, files, headers, redirects } = await site({
      _headers:
        "# of every answer\n/*\n  Content-Security-Policy: default-src 'none'; img-src https:\n  X-A: b\n",
      _redirects: "/ /console 302\n/old /new\n",
    });
    expect(headers).toEqual({ "content-security-policy": "default-src 'none'; img-src https:", "x-a": "b" });
    expect(redirects).toEqual({
      "/": { status: 302, to: "/console" },
      "/old": { status: 302, to: "/new" },
    });
    expect([addresses, files]).toEqual([{}, {}]);
  });

  it.each([
    ["a rule for some paths", "_headers", "/docs\n  X-A: b\n"],
    ["a second rule", "_headers", "/*\n  X-A: b\n/docs\n  X-A: c\n"],
    ["a header that is taken away", "_headers", "/*\n  ! X-A\n"],
    ["a redirect with a placeholder", "_redirects", "/a/:id /b/:id 302\n"],
    ["a redirect of all below a path", "_redirects", "/a/* /b 302\n"],
    ["a redirect to another host", "_redirects", "/a https://example.com/ 302\n"],
    ["a rewrite", "_redirects", "/a /b 200\n"],
    ["a file whose type it does not know", "font.woff2", ""],
    ["an index page", "console/index.html", ""],
    ["a name that a URL would write in another way", "a b.html", ""],
  ])("refuses %s, which it would not serve as Cloudflare does", async (_, name, text) => {
    await expect(site({ [name]: text })).rejects.toThrow(/nothing is known|Nothing is known|cannot have/);
  });

  it("refuses two files at one address", async () => {
    await expect(site({ "a.html": "", "a/index.css": "", a: "" })).rejects.toThrow();
    await expect(site({ "a.html": "", "a.html.html": "" })).rejects.toThrow("Two files");
  });
});
