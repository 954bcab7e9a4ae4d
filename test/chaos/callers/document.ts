/**
 * The OpenAPI document as the attack reads it: which operations there are, what each takes, and which statuses it says that
 * it answers. Nothing is known of a route that does not stand there.
 */
import document from "../../../src/site/openapi.json" with { type: "json" };

/** As much of JSON Schema as the document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: Schema;
  readonly example?: unknown;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | null;
  readonly examples: readonly unknown[];
  readonly statuses: readonly string[];
  /** `null`: without a token in its header. */
  readonly scope: string | null;
  readonly asProvider: boolean;
}

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: {
      readonly "application/json": {
        readonly schema: Schema;
        readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
      };
    };
  };
  readonly responses: Readonly<Record<string, unknown>>;
  readonly security: readonly { readonly token?: readonly string[] }[];
}

const paths = document.paths as unknown as Readonly<Record<string, Readonly<Record<string, Described>>>>;
const schemas = document.components.schemas as unknown as Readonly<Record<string, Schema>>;

export const OPERATIONS: readonly Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(
    ([method, { operationId, parameters = [], requestBody, responses, security }]) => {
      const content = requestBody?.content["application/json"];
      return {
        id: operationId,
        method: method.toUpperCase(),
        path,
        parameters,
        body: content?.schema ?? null,
        examples: Object.values(content?.examples ?? {}).map(({ value }) => value),
        statuses: Object.keys(responses),
        scope: security[0]?.token?.[0] ?? null,
        asProvider: path.startsWith("/api/"),
      };
    },
  ),
);

/** A schema with its reference followed. */
export function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.split("/").at(-1) ?? "";
  const found = schemas[name];
  if (!found) throw new Error(`The document has no schema ${name}.`);
  return resolved(found);
}

/** Those with fewer parameters name a path more closely. */
const TEMPLATES = OPERATIONS.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replace(/\{\w+\}/g, "[^/]+")}${operation.asProvider ? "/?" : ""}$`),
  parameters: operation.path.split("{").length,
})).sort((a, b) => a.parameters - b.parameters);

/** The operation that a request is one of, if any. */
export function operationAt(method: string, pathname: string): Operation | null {
  const verb = method === "HEAD" ? "GET" : method;
  const found = TEMPLATES.find(
    ({ operation, pattern }) => operation.method === verb && pattern.test(pathname),
  );
  return found?.operation ?? null;
}
