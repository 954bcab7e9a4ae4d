/**
 * An operation as a section of the page: what it takes, how to call it, what it answers.
 */
import type { JsonSchema } from "../json-schema.ts";
import { WITH_BODY, WITH_TOKEN } from "../operation.ts";
import { curl } from "./curl.ts";
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
  /** In place of one: by the names of the body's. */
  readonly examples?: Readonly<Record<string, Example>>;
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
  const answers = Object.entries(operation.responses).map(
    ([status, answer]) => [status, resolved(answer, shared)] as const,
  );
  const own = answers.filter(([, answer]) => !isCommon(answer));
  return html`<article id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${summary} <a class="anchor" href="#${id}" aria-label="Link to: ${summary}">#</a></h3>
<p class="call"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
${prose(description)}${
  parameters.length > 0 &&
  html`<h4>Parameters</h4>
${entryList(parameters.map((one) => ({ ...one, note: `${one.in}, ${one.required ? "required" : "optional"}` })))}`
}${requestBody && bodyPart(requestBody)}<h4>Call it</h4>
${curls(operation)}<h4>Answers</h4>
${own.map(([status, answer]) => answerPart(status, answer))}<p>And what <a href="#refusals">any call</a> may be refused with${operation.tags.includes("provider") && ", in the provider's shape"}.</p>
</article>
`;
}

const COMMON: ReadonlySet<string> = new Set([
  ...WITH_TOKEN,
  ...WITH_BODY.filter((code) => code !== "invalid_value" && code !== "unknown_field"),
]);
const examplesOf = ({ content = {} }: Answer): readonly (readonly [string, Example])[] =>
  Object.values(content).flatMap(({ examples = {} }) => Object.entries(examples));
const isCommon = (answer: Answer): boolean => {
  const examples = examplesOf(answer);
  return examples.length > 0 && examples.every(([code]) => COMMON.has(code));
};

/** The refusals that are not shown with each operation, once. */
export function commonRefusals(shared: Readonly<Record<string, Answer>>): Html {
  const native = Object.values(shared).filter(({ content = {} }) => content["application/problem+json"]);
  const examples = new Map(
    native.flatMap(examplesOf).flatMap(([code, { value }]) => {
      const { status, title, detail } = value as { status: number; title: string; detail: string };
      return COMMON.has(code) ? [[code, { status, title, detail }] as const] : [];
    }),
  );
  return html`<dl>
${[...examples]
  .sort(([, a], [, b]) => a.status - b.status)
  .map(
    ([code, { status, title, detail }]) => html`<dt><code>${status}</code> <code>${code}</code></dt>
<dd>${title}: such as “${inline(detail)}”</dd>
`,
  )}</dl>
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
  const examples = Object.entries(operation.requestBody?.content["application/json"]?.examples ?? {});
  const calls = examples.length > 0 ? examples : ([["", { summary: "", value: undefined }]] as const);
  return calls.map(
    ([name, example]) =>
      html`${examples.length > 1 && html`<p class="caption">${example.summary}</p>`}${block(`curl: ${operation.summary}`, curl(operation, name, example), true)}`,
  );
}

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
