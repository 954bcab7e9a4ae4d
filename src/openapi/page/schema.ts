/**
 * A JSON Schema in words: the type of a value on one line, the fields of an object as a list.
 */
import type { JsonSchema } from "../json-schema.ts";
import { Html, html, inline } from "./html.ts";

export const schemaId = (name: string): string => `schema-${name}`;

/** The name of the schema that is referred to. */
export const nameOf = ({ $ref }: JsonSchema): string | undefined =>
  typeof $ref === "string" ? $ref.split("/").at(-1) : undefined;

export const link = (name: string): Html => html`<a href="#${schemaId(name)}">${name}</a>`;

const joined = (parts: readonly Html[], by: string): Html => new Html(parts.map(({ text }) => text).join(by));
const code = (value: unknown): Html =>
  html`<code>${typeof value === "string" ? value : JSON.stringify(value)}</code>`;

/** `integer or null, 30 to 86400` */
export function typeOf(schema: JsonSchema): Html {
  const name = nameOf(schema);
  if (name !== undefined) return link(name);
  const either = schema.anyOf as readonly JsonSchema[] | undefined;
  if (either) return joined(either.map(typeOf), ", or ");
  const words = schema.enum as readonly unknown[] | undefined;
  if (words) return html`one of ${joined(words.map(code), ", ")}${standard(schema)}`;
  if ("const" in schema) return html`always ${code(schema.const)}`;
  const types = [schema.type ?? "any value"].flat().map(String);
  const items = schema.items as JsonSchema | undefined;
  const plain = joined(
    types.map((type) => (type === "array" && items ? html`array of ${typeOf(items)}` : html`${type}`)),
    " or ",
  );
  return html`${plain}${schema.format === "date-time" && " (a time)"}${limits(schema)}${standard(schema)}`;
}

const standard = (schema: JsonSchema): Html | null =>
  schema.default === undefined ? null : html`; ${code(schema.default)} unless given`;

const LIMITS = [
  ["minimum", "maximum", ""],
  ["minLength", "maxLength", " characters"],
  ["minItems", "maxItems", " items"],
] as const;

function limits(schema: JsonSchema): Html[] {
  const ranges = LIMITS.flatMap(([from, to, unit]) => {
    const [least, most] = [schema[from], schema[to]];
    if (least === undefined && most === undefined) return [];
    if (most === undefined) return [html`, at least ${String(least)}${unit}`];
    return [
      least === undefined
        ? html`, up to ${String(most)}${unit}`
        : html`, ${String(least)} to ${String(most)}${unit}`,
    ];
  });
  return typeof schema.pattern === "string" ? [...ranges, html`, matching ${code(schema.pattern)}`] : ranges;
}

export interface Entry {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly note: string;
  readonly description?: string;
}

export const entryList = (entries: readonly Entry[]): Html => html`<dl>
${entries.map(
  ({
    name,
    schema,
    note,
    description = schema.description as string | undefined,
  }) => html`<dt><code>${name}</code> <span class="note">${note}</span></dt>
<dd><p class="type">${typeOf(schema)}</p>${description !== undefined && html`<p>${inline(description)}</p>`}${fieldsOf(schema)}</dd>
`,
)}</dl>
`;

/** The fields of an object, or of what a list is made of; nothing where there are none, or where they stand elsewhere. */
export function fieldsOf(schema: JsonSchema): Html | null {
  const inner = (schema.items as JsonSchema | undefined) ?? schema;
  const properties = inner.properties as Readonly<Record<string, JsonSchema>> | undefined;
  if (!properties) {
    const some =
      (inner.anyOf as readonly JsonSchema[] | undefined)?.filter(({ properties }) => properties) ?? [];
    return some.length > 0 ? html`${some.map((one) => fieldsOf(one))}` : null;
  }
  const required = new Set((inner.required as readonly string[] | undefined) ?? []);
  return entryList(
    Object.entries(properties).map(([name, field]) => ({
      name,
      schema: field,
      note: required.has(name) ? "always" : "optional",
    })),
  );
}
