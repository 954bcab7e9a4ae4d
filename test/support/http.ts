/**
 * The HTTP side under other configurations, what every refusal must look like, and proof that one left no trace.
 */
import { createExecutionContext, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { app } from "../../src/http/app.ts";
import type { Bindings } from "../../src/http/call.ts";
import { jobId } from "../../src/job/ids.ts";
import { type Answer, ARE_SHARED, alarmFor, ORIGIN, rowsOf, stub, token } from "./api.ts";
import { described } from "./described.ts";

/** One call of the app itself with some bindings replaced; `undefined` takes one away. JSON bodies are written. */
export async function callWith(
  overrides: { [Name in keyof Bindings]?: Bindings[Name] | undefined },
  method: string,
  path: string,
  { body, auth }: { body?: unknown; auth?: string | null } = {},
): Promise<Answer> {
  const bearer = auth === undefined ? await token() : auth;
  const init = {
    method,
    headers: {
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  return answerOf(await requestApp(path, init, { ...env, ...overrides } as Bindings));
}

/** One call of the app itself; its answer is held against the OpenAPI document. */
export async function requestApp(
  path: string,
  init: RequestInit,
  bindings: Bindings = env,
): Promise<Response> {
  const url = `${ORIGIN}${path}`;
  const response = await app.fetch(new Request(url, init), bindings, createExecutionContext());
  return described({ method: init.method ?? "GET", url, body: init.body }, response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const isJson = /json/.test(headers.get("content-type") ?? "");
  return { status, headers, text, body: isJson && text !== "" ? JSON.parse(text) : null };
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly field?: string;
}

/** A whole RFC 9457 problem, no member more and none less. */
export function expectProblem({ status, headers, body }: Answer, refusal: Refusal): void {
  expect({ status, code: body?.code, field: body?.field }).toEqual({ field: undefined, ...refusal });
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(headers.get("cache-control")).toBe("no-store");
  const names = ["type", "title", "status", "detail", "code"];
  expect(Object.keys(body)).toEqual(refusal.field === undefined ? names : [...names, "field"]);
  expect(body.type).toBe(`urn:pollhook:problem:${refusal.code}`);
  expect(body.status).toBe(refusal.status);
  expect(body.title).toMatch(/^[A-Z].+[^.]$/);
  expect(body.detail).toMatch(/^.+[.]$/);
}

/** How many objects were ever touched: a refused registration must not reach one. */
export const objectCount = async (): Promise<number> => (await listDurableObjectIds(env.JOB)).length;

/** What the object named by `id` keeps. */
export const storageOf = (id: string): Promise<{ rows: number; alarm: number | null }> =>
  runInDurableObject(stub(id), async (_, { storage }) => ({
    rows: rowsOf(storage, id).length,
    alarm: await alarmFor(storage, id),
  }));

export const EMPTY = { rows: 0, alarm: null };

/** The id that registering this request would have given. */
export const idOf = (requestId: string, endpoint = "v3", tenant = "acme"): Promise<string> =>
  jobId(tenant, endpoint, requestId);

/** Takes away a job that would poll by itself while other tests run: its eta is near, or not known. */
export const forget = (id: string): Promise<void> =>
  runInDurableObject(stub(id), async (_, { storage }) => {
    if (!ARE_SHARED) return storage.deleteAll();
    for (const key of rowsOf(storage, id)) storage.kv.delete(key);
    storage.sql.exec("DELETE FROM agenda WHERE id = ?", id);
  });
