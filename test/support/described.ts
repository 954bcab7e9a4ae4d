/**
 * Holds answers against the OpenAPI document: status, content type, headers and body of every answer that a test sees must
 * stand in it, and whatever was accepted must be what it says may be sent. The document leaves room for fields of a newer
 * server; here there is none.
 */
import { dereference, type OutputUnit, type Schema, validate } from "@cfworker/json-schema";
import document from "../../src/site/openapi.json" with { type: "json" };

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Described | { readonly $ref: string }>>;
}
interface Described {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Content;
}
type Content = Readonly<
  Record<string, { readonly schema: Schema; readonly "x-events"?: Readonly<Record<string, Schema>> }>
>;

export interface Sent {
  readonly method: string;
  readonly url: string;
  /** Where it is text. */
  readonly body?: unknown;
}

/** What any answer may have, without the document's saying so. */
const PLAIN_HEADERS =
  /^(content-type|content-length|content-encoding|cache-control|date|connection|keep-alive|transfer-encoding|vary|access-control-.*)$/;

const paths = document.paths as unknown as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const shared = document.components.responses as unknown as Readonly<Record<string, Described>>;

/** Templates, those with fewer parameters first: they name a path more closely. */
const TEMPLATES = Object.keys(paths)
  .map((path) => ({
    path,
    // The provider forgives a slash behind its paths, and so do we.
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}${path.startsWith("/api/") ? "/?" : ""}$`),
    parameters: path.split("{").length,
  }))
  .sort((a, b) => a.parameters - b.parameters);

/** Where references into the document lead while answers are judged. */
const BASE = "https://pollhook.example/openapi";
const lookup = dereference(
  { $defs: closed(moved(document.components.schemas)) } as Schema,
  Object.create(null),
  new URL(BASE),
);
const prepared = new Map<Schema, Schema>();

/** The answer as it came; throws where the document does not describe it. A stream is judged as it is read. */
export async function described(sent: Sent, response: Response): Promise<Response> {
  const url = new URL(sent.url);
  if (sent.method === "OPTIONS" && response.status === 204) return response;
  if (url.pathname.startsWith("/hints/")) return response;
  const fail = (what: string, text = ""): never => {
    throw new Error(
      `${sent.method} ${url.pathname} is answered as src/site/openapi.json does not say: ${what}\n${response.status} ${text.slice(0, 2_000)}`,
    );
  };
  const isStream = response.headers.get("content-type") === "text/event-stream";
  const text = isStream || sent.method === "HEAD" ? "" : await response.clone().text();
  const operation = find(sent.method, url.pathname);
  if (!operation) {
    checkNowhere(url.pathname, response, text, fail);
    return response;
  }
  const found = operation.responses[response.status] ?? operation.responses.default;
  if (!found) return fail("no such status", text);
  const answer = "$ref" in found ? shared[found.$ref.split("/").at(-1) ?? ""] : found;
  if (!answer) return fail("no such response", text);
  checkHeaders(answer, response.headers, (what) => fail(what, text));
  const content = contentOf(answer, response, (what) => fail(what, text));
  if (!content || sent.method === "HEAD") return response;
  if (isStream) return judgedAsRead(response, content["x-events"] ?? {}, fail);
  const fault = faultOf(parsed(text), content.schema);
  if (fault !== null) fail(fault, text);
  if (response.status < 300) checkSent(operation, sent, url, text, fail);
  return response;
}

function find(method: string, pathname: string): Operation | undefined {
  const verb = method === "HEAD" ? "get" : method.toLowerCase();
  const template = TEMPLATES.find(({ pattern, path }) => pattern.test(pathname) && paths[path]?.[verb]);
  return template && paths[template.path]?.[verb];
}

/** No operation: there is nothing at this path, or nothing for this method. */
function checkNowhere(
  pathname: string,
  { status }: Response,
  text: string,
  fail: (what: string, text: string) => never,
) {
  const refused: readonly number[] = [404, 405];
  if (!refused.includes(status)) fail("there is no such operation", text);
  if (text === "") return;
  const name = /^\/api(\/|$)/.test(pathname) ? "ProviderRefusal" : "Problem";
  const fault = faultOf(parsed(text), { $ref: `#/components/schemas/${name}` });
  if (fault !== null) fail(fault, text);
}

function checkHeaders({ headers = {} }: Described, given: Headers, fail: (what: string) => never): void {
  const known = Object.entries(headers).map(
    ([name, { required }]) => [name.toLowerCase(), required] as const,
  );
  const names = new Set(known.map(([name]) => name));
  for (const [name] of given)
    if (!names.has(name) && !PLAIN_HEADERS.test(name)) fail(`no such header: ${name}`);
  for (const [name, required] of known) if (required && !given.has(name)) fail(`no header ${name}`);
  if (given.get("cache-control") !== "no-store" && given.has("content-type")) fail("it may be cached");
}

function contentOf({ content }: Described, { headers }: Response, fail: (what: string) => never) {
  const type = headers.get("content-type");
  if (!content) return type === null ? undefined : fail(`content of type ${type}, and none is expected`);
  return content[type ?? ""] ?? fail(`no such content type: ${type}`);
}

/** What was accepted, in a form that the document does not offer, is a fault of the document. */
function checkSent(
  operation: Operation,
  sent: Sent,
  url: URL,
  text: string,
  fail: (what: string) => never,
): void {
  const names = new Set(operation.parameters?.filter((one) => one.in === "query").map(({ name }) => name));
  for (const name of url.searchParams.keys())
    if (!names.has(name.replace(/\..*/, ""))) fail(`it takes no ${name} in its query`);
  const body =
    typeof sent.body === "string" && sent.body !== "" ? parsed(sent.body.replace(/^\ufeff/, "")) : null;
  // `null` and `{}` say nothing, as no body does.
  if (body === null || (typeof body === "object" && Object.keys(body ?? {}).length === 0)) return;
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const fault = schema ? faultOf(accepted(body, parsed(text)), schema) : "one too many";
  if (fault !== null) fail(`the body that it accepts is ${fault}`);
}

/** Of a batch, the registrations that were accepted: each is judged by itself. */
function accepted(body: unknown, answer: unknown): unknown {
  const { results } = (answer ?? {}) as { results?: readonly object[] };
  const { jobs } = body as { jobs?: readonly unknown[] };
  if (!results || !jobs) return body;
  const good = jobs.filter((_, i) => "job" in (results[i] ?? {}));
  return { jobs: good.length > 0 ? good : [{}] };
}

/** The stream, which breaks off at an event that is not described. */
function judgedAsRead(
  response: Response,
  events: Readonly<Record<string, Schema>>,
  fail: (what: string, text: string) => never,
): Response {
  const decoder = new TextDecoder();
  let rest = "";
  const judge = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) judgeEvent(block, events, fail);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body?.pipeThrough(judge), response);
}

function judgeEvent(
  block: string,
  events: Readonly<Record<string, Schema>>,
  fail: (what: string, text: string) => never,
): void {
  if (block.startsWith(":")) return;
  const lines = block
    .split("\n")
    .map((line) => /^(id|event|data): (.*)$/s.exec(line) ?? fail("no such line", block));
  const { event = "", data = "", id } = Object.fromEntries(lines.map(([, name, value]) => [name, value]));
  const schema = events[event] ?? fail(`no such event: ${event}`, block);
  if (!id) fail("an event without an id", block);
  const fault = faultOf(parsed(data), schema);
  if (fault !== null) fail(fault, block);
}

/** `undefined` for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is wrong with the value; `null` when nothing is. */
export function faultOf(value: unknown, schema: Schema): string | null {
  if (value === undefined) return "no JSON";
  let ready = prepared.get(schema);
  if (!ready) {
    ready = closed(moved(schema)) as Schema;
    dereference(ready, lookup, new URL(`${BASE}/${prepared.size}`));
    prepared.set(schema, ready);
  }
  if (validate(value, ready, "2020-12", lookup, true).valid) return null;
  const { errors } = validate(value, ready, "2020-12", lookup, false);
  return `not as described: ${errors.slice(-6).map(written).join("; ")}`;
}

const written = ({ instanceLocation, error }: OutputUnit): string => `${instanceLocation} ${error}`;

/** With its references as `lookup` has them. */
function moved<T>(value: T): T {
  const text = JSON.stringify(value).replaceAll('"#/components/schemas/', `"${BASE}#/$defs/`);
  return JSON.parse(text) as T;
}

/** Objects whose members are listed have no others; where schemas are joined, the first of them lists all. */
function closed(value: unknown, isJoined = false): unknown {
  if (Array.isArray(value)) return value.map((item) => closed(item));
  if (typeof value !== "object" || value === null) return value;
  const schema = value as Record<string, unknown>;
  const members = Object.entries(schema).map(([name, member]) => [
    name,
    name === "allOf" ? (member as unknown[]).map((item) => closed(item, true)) : closed(member),
  ]);
  const isOpen =
    schema.properties && schema.type === "object" && !("additionalProperties" in schema) && !isJoined;
  return { ...Object.fromEntries(members), ...(isOpen ? { additionalProperties: false } : {}) };
}
