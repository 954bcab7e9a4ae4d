/**
 * An operation as a section of the page: what it takes, how to call it, what it answers.
 */
import type { JsonSchema } from "../json-schema.ts";
import { block, Html, html, inline, prose } from "./html.ts";
import { entryList, fieldsOf, link, nameOf, typeOf } from "./schema.ts";

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}
type Content = Readonly<
  Record<string, { readonly schema: JsonSchema; readonly examples?: Readonly<Record<string, Example>> }>
>;
export interface Answer {
  readonly $ref?: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, JsonSchema>>;
  readonly content?: Content;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}
export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
  readonly security: readonly object[];
}
/** With where it is called. */
export type Placed = Operation & { readonly method: string; readonly path: string };

const json = (value: unknown): string => JSON.stringify(value, null, 2);

export function operationSection(operation: Placed, shared: Readonly<Record<string, Answer>>): Html {
  const { operationId: id, method, path, summary, description, parameters = [], requestBody } = operation;
  return html`<article id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${summary} <a class="anchor" href="#${id}" aria-label="Link to: ${summary}">#</a></h3>
<p class="call"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
${prose(description)}${
  parameters.length > 0 &&
  html`<h4>Parameters</h4>
${entryList(parameters.map((one) => ({ ...one, note: `${one.in}, ${one.required ? "required" : "optional"}` })))}`
}${requestBody && bodyPart(requestBody)}<h4>Call it</h4>
${curls(operation)}<h4>Answers</h4>
${Object.entries(operation.responses).map(([status, answer]) => answerPart(status, resolved(answer, shared)))}</article>
`;
}

const resolved = (answer: Answer, shared: Readonly<Record<string, Answer>>): Answer =>
  shared[nameOf(answer as unknown as JsonSchema) ?? ""] ?? answer;

function bodyPart({ required, content }: NonNullable<Operation["requestBody"]>): Html {
  const schema = content["application/json"]?.schema ?? {};
  const name = nameOf(schema);
  return html`<h4>Body</h4>
<p>JSON, ${required ? "required" : "optional"}${name !== undefined && html`: ${link(name)}`}.</p>
${name === undefined && fieldsOf(schema)}`;
}

/** A call of each example, to be pasted into a shell. */
function curls(operation: Placed): Html[] {
  const examples = Object.values(operation.requestBody?.content["application/json"]?.examples ?? {});
  const calls = examples.length > 0 ? examples : [{ summary: "", value: undefined }];
  return calls.map(
    ({ summary, value }) =>
      html`${examples.length > 1 && html`<p class="caption">${summary}</p>`}${block(`curl: ${operation.summary}`, curl(operation, value), true)}`,
  );
}

function curl({ method, path, parameters = [], security, responses }: Placed, body: unknown): string {
  const query = parameters.flatMap(({ in: place, name, example, schema }) =>
    place === "query" && example !== undefined && example !== schema.default ? pairsOf(name, example) : [],
  );
  const place = parameters.reduce(
    (text, { name, example }) => text.replace(`{${name}}`, encodeURIComponent(String(example))),
    path,
  );
  const url = `$POLLHOOK_URL${place}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  const isStream = responses["200"]?.content?.["text/event-stream"] !== undefined;
  const verb =
    method === "get" || (method === "post" && body !== undefined) ? "" : ` -X ${method.toUpperCase()}`;
  const lines = [
    `curl${isStream ? " -N" : ""}${verb} "${url}"`,
    ...(security.length > 0 ? ['-H "authorization: Bearer $POLLHOOK_TOKEN"'] : []),
    ...(body === undefined ? [] : ['-H "content-type: application/json"', `-d '${quoted(json(body))}'`]),
  ];
  return lines.join(" \\\n  ");
}

const pairsOf = (name: string, example: unknown): string[] =>
  typeof example === "object"
    ? Object.entries(example ?? {}).map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
    : [`${name}=${encodeURIComponent(String(example))}`];

/** Inside single quotes; the token is the shell's to put in. */
const quoted = (text: string): string =>
  text.replaceAll("'", "'\\''").replaceAll("$POLLHOOK_TOKEN", "'\"$POLLHOOK_TOKEN\"'");

function answerPart(status: string, { description, headers = {}, content = {} }: Answer): Html {
  const [[type, { schema, examples = {} }] = ["", { schema: {} }]] = Object.entries(content) as [
    string,
    Content[string],
  ][];
  const isProblem = type === "application/problem+json" || Number(status) >= 400;
  return html`<details class="answer${Number(status) < 300 && " good"}"${Number(status) < 300 && new Html(" open")}>
<summary><strong>${status}</strong> ${inline(description)}</summary>
${
  type !== "" &&
  html`<p><code>${type}</code>${!isProblem && html`: ${typeOf(schema)}`}</p>
`
}${
  Object.keys(headers).length > 0 &&
  html`<p>Headers:</p>
${entryList(Object.entries(headers).map(([name, header]) => ({ name, schema: header.schema as JsonSchema, note: header.required ? "always" : "at times", description: String(header.description) })))}`
}${isProblem ? problems(examples) : Object.values(examples).map(({ summary, value }) => html`${Object.keys(examples).length > 1 && html`<p class="caption">${summary}</p>`}${block(`Example of a ${status} answer`, typeof value === "string" ? value : json(value))}`)}</details>
`;
}

const problems = (examples: Readonly<Record<string, Example>>): Html => html`<dl>
${Object.entries(examples).map(([code, { summary, value }]) => {
  const { detail, message } = value as { detail?: string; message?: string };
  return html`<dt><code>${code}</code></dt>
<dd>${summary}: “${inline(detail ?? message ?? "")}”</dd>
`;
})}</dl>
`;
