/**
 * From the schemas that validate to JSON Schema (draft 2020-12, which OpenAPI 3.1 speaks). What JSON Schema cannot say is
 * never left out in silence: a check, a transformation or a custom schema has to be written out for its field, or the
 * document is not made. Build time only, as everything in this folder.
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** What the document says of one field. */
export interface Field {
  readonly description: string;
  /** In place of the schema, where that holds a check which cannot be converted. `null` is added. */
  readonly is?: JsonSchema;
}

type ObjectSchema = v.GenericSchema & { readonly entries: Readonly<Record<string, v.GenericSchema>> };
type Fields<Schema extends ObjectSchema> = { readonly [Name in keyof Schema["entries"]]: Field };

/** Throws on what cannot be converted. */
export function convert(schema: v.GenericSchema): JsonSchema {
  const { $schema: _, ...converted } = toJsonSchema(schema, { target: "draft-2020-12", errorMode: "throw" });
  return simplified(converted) as JsonSchema;
}

/** The body that `schema` accepts, each of its fields described. */
export function bodySchema<const Schema extends ObjectSchema>(
  schema: Schema,
  description: string,
  fields: Fields<Schema>,
): JsonSchema {
  const names = Object.keys(schema.entries);
  const isNeeded = (name: string) => !isOptional(schema.entries[name]);
  const required = names.filter(isNeeded);
  return {
    type: "object",
    description,
    properties: Object.fromEntries(
      names.map((name) => [name, fieldSchema(schema.entries[name], fields[name as keyof Fields<Schema>])]),
    ),
    ...(required.length > 0 && { required }),
    ...(schema.type === "strict_object" && { additionalProperties: false }),
  };
}

/** Without a `default`: generators take such a field for one that must be sent. The description says what is assumed. */
function fieldSchema(entry: v.GenericSchema | undefined, { is, description }: Field): JsonSchema {
  if (!entry) throw new Error("no such field");
  const { default: standard, ...schema } = is ? (entry.type === "nullish" ? orNull(is) : is) : convert(entry);
  if (standard !== undefined && !description.includes("unless given"))
    throw new Error(`"${description}" does not say what it is unless given`);
  return { ...schema, description };
}

const isOptional = (entry: v.GenericSchema | undefined): boolean =>
  entry?.type === "nullish" || entry?.type === "optional";

/** Also `null`, written as the list of types where that says it all. */
export function orNull({ default: standard, ...schema }: JsonSchema): JsonSchema {
  const rest = standard === undefined ? {} : { default: standard };
  if (Array.isArray(schema.anyOf)) return { anyOf: [...schema.anyOf, { type: "null" }], ...rest };
  if (typeof schema.type !== "string") return { anyOf: [schema, { type: "null" }], ...rest };
  const words = Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {};
  return { ...schema, type: [schema.type, "null"], ...words, ...rest };
}

/** As people write it: types of enumerations named, `null` in the list of types, no empty `required`. */
function simplified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(simplified);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, simplified(member)] as const);
  const { anyOf, required, propertyNames, ...schema } = Object.fromEntries(entries) as Record<
    string,
    unknown
  >;
  const typed =
    Array.isArray(schema.enum) && !schema.type ? { type: typeof schema.enum[0], ...schema } : schema;
  const listed = Array.isArray(required) && required.length > 0 ? { ...typed, required } : typed;
  if (!Array.isArray(anyOf)) return listed;
  const [first, last] = anyOf as JsonSchema[];
  if (anyOf.length !== 2 || !first || last?.type !== "null") return { ...listed, anyOf };
  const { description, ...nullable } = { ...orNull(first), ...listed } as JsonSchema;
  return description === undefined ? nullable : { ...nullable, description };
}
