/**
 * `npm run openapi`: writes the document and the page that explains it into `src/site`. With `--check` it writes nothing,
 * and fails where what is there is not what would be written.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SITE = join(import.meta.dirname, "..", "site");
// The compiler does not follow: this file is checked with Node's types, and what it loads with the Worker's.
const DOCUMENT: string = "./document.ts";
const PAGE: string = "./page/page.ts";
const { openapi } = (await import(DOCUMENT)) as { openapi: () => object };
const { page } = (await import(PAGE)) as { page: (document: object) => string };

const document = openapi();
const files = {
  "openapi.json": `${JSON.stringify(document, null, 2)}\n`,
  "docs.html": page(document),
};

const stale = Object.entries(files).filter(([name, text]) => read(name) !== text);
if (process.argv.includes("--check")) {
  for (const [name] of stale) process.stderr.write(`src/site/${name} is stale: run npm run openapi.\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else for (const [name, text] of stale) writeFileSync(join(SITE, name), text);

function read(name: string): string | null {
  try {
    return readFileSync(join(SITE, name), "utf8");
  } catch {
    return null;
  }
}
