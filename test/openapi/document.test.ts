/**
 * The document against the server: its routes and their scopes, and of every field what may be sent.
 */
import type { Schema } from "@cfworker/json-schema";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { ROUTES } from "../../src/http/app.ts";
import { BatchBody } from "../../src/http/batch.ts";
import { DestinationBody, RotateBody } from "../../src/http/destination-input.ts";
import { Filter, readFilter } from "../../src/http/job-filter.ts";
import { RedeliverBody } from "../../src/http/jobs.ts";
import { isProblem } from "../../src/http/problem.ts";
import { readRequestId } from "../../src/http/provider-input.ts";
import { RegistrationBody } from "../../src/http/registration.ts";
import { TokenBody } from "../../src/http/tokens.ts";
import { OPERATIONS } from "../../src/openapi/document.ts";
import { convert } from "../../src/openapi/json-schema.ts";
import { REQUESTS } from "../../src/openapi/requests.ts";
import { CATALOGUE } from "../../src/provider/endpoints.ts";
import { isDestinationName } from "../../src/webhook/destination.ts";
import { readHeaders } from "../../src/webhook/headers.ts";
import { faultOf } from "../support/described.ts";

describe("the document", () => {
  it("has every route, with its scope, and no other", () => {
    const routes = Object.entries(ROUTES).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, [scope]]) => `${method} ${path.replace(/:(\w+)/g, "{$1}")} ${scope}`,
      ),
    );
    const described = OPERATIONS.filter(({ path }) => path.startsWith("/v1/")).map(
      ({ method, path, scope }) => `${method.toUpperCase()} ${path} ${scope}`,
    );
    expect(described.sort()).toEqual(routes.sort());
  });

  it("has every fetch endpoint of the catalogue", () => {
    const patterns = OPERATIONS.filter(({ path }) => path.includes("/fetch")).map(
      ({ path }) => new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
    );
    for (const [endpoint, place] of Object.entries(CATALOGUE)) {
      const path = `/api/${endpoint}/fetch${place === "path" ? "/1" : ""}`;
      expect(
        patterns.filter((pattern) => pattern.test(path)),
        path,
      ).toHaveLength(1);
    }
  });

  it("has an example for everything that can be sent or answered", () => {
    for (const { id, body, answers, parameters = [] } of OPERATIONS) {
      if (body) expect(Object.keys(body.examples), id).not.toEqual([]);
      for (const { schema, examples = {} } of Object.values(answers))
        if (schema) expect(Object.keys(examples), id).not.toEqual([]);
      for (const parameter of parameters)
        if (parameter.in === "path") expect(parameter.example ?? parameter.examples, id).toBeDefined();
    }
  });
});

const SECRET = `whsec_${btoa("x".repeat(32))}`;
/** Values at and beyond the limits of all fields; each field is asked about each of them. */
const PROBES: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    {},
    { a: 1 },
    [],
    [1],
    ["a"],
    "",
    " ",
    "a",
    "app",
    "a b",
    "a/b",
    "é",
    "user-7",
    "a@b.c",
  ],
  ...[
    0, -1, 0.5, 0.01, 0.009, 1, 29, 30, 59, 60, 1000, 1001, 86_400, 86_401, 604_800, 604_801, 2_592_000,
    2_592_001,
  ],
  ...[1e15, 2 ** 53 - 1, 2 ** 53, 1.5],
  ...[
    "v3",
    "v6/video",
    "v1/enterprise/flux",
    "v1/a/b/c",
    "v1/a/b/c/d",
    "v1234",
    "v3/fetch",
    "v3/fetch/1",
    "v3/fetcher",
  ],
  ...["x".repeat(64), "x".repeat(65), "x".repeat(128), "x".repeat(129), "x".repeat(256), "x".repeat(257)],
  ...[
    "standard",
    "provider",
    "waiting",
    "canceled",
    "succeeded",
    "jobs:read",
    "jobs:read  jobs:write ",
    "jobs:rea",
  ],
  ...[
    "2026-11-20T12:00:00Z",
    "2026-11-20T12:00+01:00",
    "2026-11-20",
    "2026-11-20T12:00:00",
    "2026-11-20T12:00:00.1234567890Z",
    "2026-11-20T12:00:00.123456789+14:00",
    "2026-13-20T12:00:00Z",
    "2026-11-20T25:00:00Z",
    "2026-11-20T12:60:00Z",
    "2026-11-20T12:00:00+25:00",
  ],
  ...[
    "12202888",
    12202888,
    "https://a.example",
    ["https://a.example"],
    ["https://a.example/"],
    ["v3"],
    ["v3/fetch"],
    ["a", "b", "c"],
  ],
  ...[
    ["a", "b", "c", "d"],
    [""],
    ["x".repeat(65)],
    Array(16).fill("v3"),
    Array(17).fill("v3"),
    [5, 60, 3600],
    [-1],
    ["5"],
  ],
  ...[
    Array(12).fill(1),
    Array(13).fill(1),
    SECRET,
    "whsec_",
    "whsec_x",
    `${SECRET} `,
    { authorization: "Bearer x" },
  ],
];

/** Where the server sees more than JSON Schema can: these it refuses, though the document lets them pass. */
const BEYOND: Readonly<Record<string, readonly unknown[]>> = {
  // The base64 of 24 to 64 bytes.
  secret: ["whsec_x"],
};

/** What the server takes, and the document does not offer. */
const LENIENT: readonly unknown[] = ["2026-11-20T12:00+01:00"];

/** Headers are read behind the schema. */
const takesHeaders = (value: unknown): boolean =>
  value === null || readHeaders(value as object as Headers).ok;
type Headers = Readonly<Record<string, unknown>>;

describe.each<[string, v.GenericSchema & { entries: Record<string, v.GenericSchema> }, object]>([
  ["Registration", RegistrationBody, REQUESTS.Registration],
  ["Redelivery", RedeliverBody, REQUESTS.Redelivery],
  ["DestinationInput", DestinationBody, REQUESTS.DestinationInput],
  ["SecretRotation", RotateBody, REQUESTS.SecretRotation],
  ["TokenRequest", TokenBody, REQUESTS.TokenRequest],
  ["JobFilter", Filter, REQUESTS.JobFilter],
])("a field of %s", (name, body, schema) => {
  const { properties } = schema as { properties: Record<string, Schema> };

  it.each(Object.entries(body.entries))("takes what the document says: %s", (field, entry) => {
    const described = properties[field];
    if (!described) throw new Error("it is not described");
    // In a filter `null` is left out before the schema sees it.
    const probes = name === "JobFilter" ? PROBES.filter((value) => value !== null) : PROBES;
    const differing = probes.filter(
      (value) =>
        (v.safeParse(entry, value).success && (field !== "headers" || takesHeaders(value))) !==
          (faultOf(value, described) === null) &&
        !BEYOND[field]?.includes(value) &&
        !LENIENT.includes(value),
    );
    expect(differing).toEqual([]);
  });
});

it("asks for no field that the server does without", () => {
  const { properties, required } = REQUESTS.DestinationInput;
  expect([Object.keys(properties as object), required]).toEqual([
    Object.keys(DestinationBody.entries),
    ["url"],
  ]);
  // Generators take a field with a default for one that must be sent.
  for (const schema of Object.values(REQUESTS)) expect(JSON.stringify(schema)).not.toContain('"default"');
});

it.each([
  {},
  { status: null },
  { status: null, "metadata.user": null },
  { status: "waiting" },
  { status: null, outcome: "failed" },
  { "metadata.user": 7 },
  { "metadata.user": "7" },
  { "metadata.user": true },
  { metadata: 7 },
])("takes a filter as the document says: %j", (filter) => {
  const read = readFilter(filter);
  // An operation on many jobs refuses the filter that says nothing.
  const isTaken = !isProblem(read) && Object.values(filter).some((value) => value !== null);
  expect(faultOf(filter, REQUESTS.JobFilter as Schema) === null).toBe(isTaken);
});

it("says how an object in a query is written: its members as parameters of their own", () => {
  const objects = OPERATIONS.flatMap(({ parameters = [] }) => parameters).filter(
    ({ in: place, schema }) => place === "query" && schema.type === "object",
  );
  expect(objects).toMatchObject([{ name: "metadata", style: "form", explode: true }]);
  const [{ schema, example } = { schema: {} }] = objects;
  for (const query of [
    example,
    {},
    { user: "7" },
    { "metadata.a": "", "metadata.b": "1", "metadata.c": "2" },
  ])
    expect(faultOf(query, schema as Schema) === null).toBe(
      !isProblem(readFilter(query as object as Headers)),
    );
});

describe("a path", () => {
  const ids = (path: string) => {
    const { parameters = [] } = OPERATIONS.find((one) => one.path === path) ?? {};
    return parameters.filter((one) => one.in === "path");
  };

  it("has the names of destinations that the server takes", () => {
    const [name] = ids("/v1/destinations/{name}");
    for (const text of PROBES.filter((value) => typeof value === "string"))
      expect(faultOf(text, name?.schema as Schema) === null, text).toBe(isDestinationName(text));
  });
});

describe.each(OPERATIONS.filter(({ id }) => id.startsWith("fetch")))("the body of $id", ({ path, body }) => {
  const pathId = path.endsWith("{request_id}") ? "7" : null;
  const places = ["request_id", "id"].flatMap((name) => PROBES.map((value) => ({ [name]: value })));

  it("takes the id where the document says, as the document says", () => {
    const probes = [{}, { request_id: null, id: "7" }, { request_id: "", id: 7 }, ...places].map((ids) => ({
      key: "a token",
      ...ids,
    }));
    const differing = probes.filter((json) => {
      const id = readRequestId(pathId, { json, bytes: new Uint8Array() });
      // Which ids are the same, JSON Schema cannot say.
      const isTaken = !isProblem(id) || id.detail.includes("name different ids");
      return (faultOf(json, body?.schema as Schema) === null) !== isTaken;
    });
    expect(differing).toEqual([]);
  });
});

it("takes as many registrations at once as the document says", () => {
  for (const jobs of [[], [{}], Array(100).fill({}), Array(101).fill({})])
    expect(v.safeParse(BatchBody, { jobs }).success).toBe(
      faultOf({ jobs }, REQUESTS.Batch as Schema) === null,
    );
});

it("refuses to convert what JSON Schema cannot say", () => {
  expect(() =>
    convert(
      v.pipe(
        v.string(),
        v.check((text) => text !== ""),
      ),
    ),
  ).toThrow("check");
  expect(() => convert(v.pipe(v.string(), v.transform(Number)))).toThrow("transform");
  expect(() => convert(v.custom(() => true))).toThrow("custom");
});
