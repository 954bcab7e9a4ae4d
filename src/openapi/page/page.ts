/**
 * The page that explains the document: one static file, without a script, that needs nobody but the style sheet beside it.
 */
import type { JsonSchema } from "../json-schema.ts";
import { html, inline, prose } from "./html.ts";
import { type Answer, commonRefusals, type Operation, operationSection, type Placed } from "./operation.ts";
import { fieldsOf, schemaId, typeOf } from "./schema.ts";

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Answer>>;
  };
}

const idOf = (tag: string): string => `tag-${tag.replaceAll(" ", "-")}`;

export function page(given: object): string {
  const { info, tags, paths, components } = given as Document;
  const operations: Placed[] = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path })),
  );
  // What is deleted is not there any more for the calls behind it.
  operations.sort((a, b) => Number(a.method === "delete") - Number(b.method === "delete"));
  const of = (tag: string) => operations.filter((operation) => operation.tags.includes(tag));
  const list = (tag: string) => html`<ul>
${of(tag).map(
  ({ operationId, summary }) => html`<li><a href="#${operationId}">${summary}</a></li>
`,
)}</ul>
`;
  const schemas = Object.entries(components.schemas);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title}: the API</title>
<meta name="description" content="How to call ${info.title}: every operation, with examples.">
<link rel="stylesheet" href="/docs.css">
<link rel="alternate" type="application/json" href="/openapi.json" title="OpenAPI">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<nav aria-label="Contents">
<p class="title"><a href="#main">${info.title}</a> <span class="note">${info.version}</span></p>
<h2><a href="#examples">The examples</a></h2>
<h2><a href="#refusals">Refusals</a></h2>
${tags.map(
  ({ name }) => html`<h2><a href="#${idOf(name)}">${capital(name)}</a></h2>
${list(name)}`,
)}<h2><a href="#schemas">Schemas</a></h2>
<ul>
${schemas.map(
  ([name]) => html`<li><a href="#${schemaId(name)}">${name}</a></li>
`,
)}</ul>
</nav>
<main id="main" tabindex="-1">
<h1>${info.title}: the API</h1>
${prose(info.description)}<p>The same for machines: <a href="/openapi.json">openapi.json</a>.</p>
${EXAMPLES}<section aria-labelledby="refusals">
<h2 id="refusals">Refusals</h2>
<p>Of any call, but for those that need no token or take no body. Each operation shows what it may be refused with besides.</p>
${commonRefusals(components.responses)}</section>
${tags.map(
  ({ name, description }) => html`<section aria-labelledby="${idOf(name)}">
<h2 id="${idOf(name)}">${capital(name)}</h2>
<p>${inline(description)}</p>
<div class="here">${list(name)}</div>
${of(name).map((operation) => operationSection(operation, components.responses))}</section>
`,
)}<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
${schemas.map(
  ([name, schema]) => html`<article id="${schemaId(name)}" aria-labelledby="${schemaId(name)}-title">
<h3 id="${schemaId(name)}-title">${name} <a class="anchor" href="#${schemaId(name)}" aria-label="Link to: ${name}">#</a></h3>
${prose(schema.description as string | undefined)}${
  fieldsOf(schema) ??
  html`<p class="type">${typeOf(schema)}</p>
`
}</article>
`,
)}</section>
</main>
</body>
</html>
`.text;
}

const EXAMPLES = html`<section aria-labelledby="examples">
<h2 id="examples">The examples</h2>
<p>They work as they stand, from top to bottom; one click marks a whole command. Set before:</p>
<dl>
<dt><code>POLLHOOK_URL</code></dt>
<dd>Where this page comes from.</dd>
<dt><code>POLLHOOK_TOKEN</code></dt>
<dd>A token. <code>npm start</code> prints one; for a server of your own,
<code>npm run -s token -- --tenant acme</code> does; and <a href="#mintToken">POST /v1/tokens</a> makes one that may do less of one
that you have.</dd>
<dt><code>MODELSLAB_URL</code></dt>
<dd>Where the provider is: <code>https://modelslab.com</code>, or what <code>npm start</code> names as the provider.</dd>
<dt><code>PUBLIC_URL</code></dt>
<dd>Where your app is, such as <code>https://your-app.example.com</code>, or what <code>npm start</code> names as the receiver, without
its path. (That one knows the tenant's secret alone, and answers <code>401</code> to the events of a destination.)</dd>
</dl>
<p><code>JOB_ID</code>, <code>OTHER_JOB_ID</code> and <code>OPERATION_ID</code> are set by the commands that bring them. The
ids of requests are made up: the simulated provider of <code>npm start</code> knows any, the real one only yours.</p>
</section>
`;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
