/**
 * One call, taken apart so that it can be spoiled in every part, and the bytes that it is sent as.
 */

import { CATALOGUE } from "../../../src/provider/endpoints.ts";
import { OPERATIONS, type Operation, type Parameter } from "./document.ts";
import { DESTINATIONS, fieldsFor, requestIdFor } from "./fields.ts";
import { fromSchema } from "./from-schema.ts";
import type { Identity } from "./identities.ts";
import { Members, type Tree, treeOf, written } from "./json-tree.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface Call {
  readonly operation: Operation;
  readonly identity: Identity;
  method: string;
  /** As it is sent, without the query. */
  path: string;
  /** As they are sent. */
  query: [name: string, value: string][];
  headers: [name: string, value: string][];
  tree: Tree | null;
  /** In place of the tree, where it is no JSON. */
  bytes: Buffer | null;
  framing: "length" | "chunked";
  /** What was done to it. */
  readonly spoiled: string[];
  /** On a connection that nobody else uses: it may not survive this. */
  isAlone: boolean;
}

/** One way of spoiling a call. */
export type Mutation = (call: Call, random: Random, world: World) => void;
/** By what is done. */
export type Mutations = Readonly<Record<string, Mutation>>;

/** In place of those that it has of that name; `null` takes them away. */
export function setHeader(call: Call, name: string, value: string | null): void {
  call.headers = call.headers.filter(([given]) => given.toLowerCase() !== name);
  if (value !== null) call.headers.push([name, value]);
}

/** How often each is called; 1 unless it stands here. What makes an object of its own on disk is called less. */
const WEIGHTS: Readonly<Record<string, number>> = {
  registerJob: 5,
  registerJobs: 0.3,
  redeliverJobs: 0.25,
  cancelJobs: 0.25,
  callByVersion: 0.3,
  callByFamily: 0.3,
  callByModel: 0.3,
  testDestination: 0.4,
  checkHealth: 0.2,
};
const WEIGHTED = OPERATIONS.map((operation) => [WEIGHTS[operation.id] ?? 1, operation] as const);

/** A call as the document offers it, of somebody who may mostly make it. */
export function validCall(
  world: World,
  random: Random,
  operation = random.weighted(WEIGHTED),
  identity = world.someone(random),
): Call {
  const fields = fieldsFor(operation, world, identity, random);
  const query: [string, string][] = [];
  const headers: [string, string][] = [];
  const endpoint = endpointFor(operation, random);
  let path = operation.path;
  for (const parameter of operation.parameters) {
    const value = parameterOf(parameter, operation, world, identity, random, endpoint);
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value ?? "x"));
    else if (value !== undefined && parameter.in === "query") query.push(...queryOf(parameter.name, value));
    else if (value !== undefined) headers.push([parameter.name, value]);
  }
  if (!operation.asProvider) headers.push(["authorization", `Bearer ${identity.token}`]);
  const tree = operation.body && bodyOf(operation, random, fields, identity);
  if (tree !== null) headers.push(["content-type", "application/json"]);
  const { method } = operation;
  return {
    ...{ operation, identity, method, path, query, headers, tree, bytes: null },
    ...{ framing: random.chance(0.05) ? "chunked" : "length", spoiled: [], isAlone: false },
  };
}

function bodyOf(
  operation: Operation,
  random: Random,
  fields: ReturnType<typeof fieldsFor>,
  identity: Identity,
): Tree {
  // The document's own examples, and what its schema allows.
  if (operation.examples.length === 0 || random.chance(0.9))
    return fromSchema(operation.body ?? {}, random, fields);
  const example = treeOf(random.pick(operation.examples));
  if (operation.asProvider && example instanceof Members) example.set("key", identity.token);
  return example;
}

const ENDPOINT_SEGMENTS: readonly string[] = ["version", "family", "model"];
/** The catalogue's endpoints, by how many segments they have. */
const CATALOGUED = Object.groupBy(
  Object.keys(CATALOGUE).map((endpoint) => endpoint.split("/")),
  (segments) => segments.length,
);

/** An endpoint that fits into the path of the operation, in its segments. */
function endpointFor({ path }: Operation, random: Random): readonly string[] {
  const depth = ENDPOINT_SEGMENTS.filter((name) => path.includes(`{${name}}`)).length;
  return random.chance(0.8) ? (random.maybe(CATALOGUED[depth] ?? []) ?? []) : [];
}

function parameterOf(
  { name, in: place, schema, example }: Parameter,
  operation: Operation,
  world: World,
  identity: Identity,
  random: Random,
  endpoint: readonly string[],
): string | undefined {
  const isOptional = place !== "path";
  if (isOptional && random.chance(name === "metadata" ? 0.8 : 0.65)) return undefined;
  switch (name) {
    case "id":
      return operation.id === "readOperation"
        ? (world.handle("operation", identity, random) ?? String(example))
        : (world.handle("job", identity, random) ?? String(example));
    case "name":
      return random.pick(DESTINATIONS);
    case "request_id":
      return requestIdFor(world, identity, random);
    case "version":
    case "family":
    case "model": {
      const segment = endpoint[ENDPOINT_SEGMENTS.indexOf(name)];
      return segment ?? String(example);
    }
    case "cursor":
      return world.handle("cursor", identity, random);
    case "after":
      return random.chance(0.3) ? "latest" : world.handle("cursor", identity, random);
    case "wait":
      // A held call holds up whoever sent it; those who leave before the end are tried, too.
      return random.chance(0.05) ? String(random.between(2, 60)) : "0";
    case "Last-Event-ID":
      return world.handle("event", identity, random);
    case "Idempotency-Key":
      return `k-${random.below(500)}`;
    case "metadata":
      return `${world.planted.canary(identity)}u`;
    case "host":
      return new URL(world.peers.receiver).host;
    default: {
      const value = fromSchema(schema, random);
      return typeof value === "object" ? written(value) : String(value);
    }
  }
}

const queryOf = (name: string, value: string): [string, string][] => [
  [name === "metadata" ? "metadata.user" : name, encodeURIComponent(value)],
];

/** The body as it is sent; `null` for none. */
export const bodyBytes = ({ bytes, tree }: Call): Buffer | null =>
  bytes ?? (tree === null ? null : Buffer.from(written(tree)));

/** Path and query as they are sent. */
export const targetOf = ({ path, query }: Call): string =>
  query.length === 0 ? path : `${path}?${query.map(([name, value]) => `${name}=${value}`).join("&")}`;

/** The whole call as bytes; a header that it has itself is not added. */
export function requestBytes(call: Call, host: string): Buffer {
  const body = bodyBytes(call);
  const has = (name: string): boolean => call.headers.some(([given]) => given.toLowerCase() === name);
  const framing: [string, string][] =
    body === null || has("content-length") || has("transfer-encoding")
      ? []
      : call.framing === "chunked"
        ? [["transfer-encoding", "chunked"]]
        : [["content-length", String(body.length)]];
  const headers = [...(has("host") ? [] : [["host", host] as const]), ...call.headers, ...framing];
  const head = `${call.method} ${targetOf(call)} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  const sent = body && call.framing === "chunked" && !has("content-length") ? chunked(body) : body;
  return Buffer.concat([Buffer.from(head, "latin1"), sent ?? Buffer.alloc(0)]);
}

function chunked(body: Buffer): Buffer {
  const half = body.length >> 1;
  const parts = [body.subarray(0, half), body.subarray(half)].filter((part) => part.length > 0);
  return Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]),
    Buffer.from("0\r\n\r\n"),
  ]);
}
