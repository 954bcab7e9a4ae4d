import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../src/job/record.ts";
import { rowOf } from "../../src/job/row.ts";
import { call, register, token } from "../support/api.ts";
import { callWith, expectProblem } from "../support/http.ts";
import { waitingJob } from "../support/jobs.ts";

const START = Date.UTC(2026, 10, 20, 12);
const TENANT = "lists";
let auth = "";

const idOf = (n: number): string =>
  `job_${n
    .toString(8)
    .padStart(32, "a")
    .replace(/[0189]/g, (d) => "bcde"["0189".indexOf(d)] ?? "x")}`;

/** Thirty jobs, a second apart, two of them in the same millisecond. */
const JOBS: Job[] = Array.from({ length: 30 }, (_, n) => {
  const base = waitingJob({
    id: idOf(n),
    requestId: String(1000 + n),
    tenant: TENANT,
    endpoint: n % 3 === 0 ? "v6/video" : "v3",
    callbackUrl: n % 5 === 0 ? "https://b.example:8443/hook" : "https://a.example/hook",
    metadata: JSON.stringify({ user: n % 4, plan: n % 2 ? "pro" : 'f,"user":1,', note: "x" }),
    index: ["user", "plan"],
    registeredAt: START + 1_000 * (n === 29 ? 28 : n),
    deadlineAt: Date.now() + 3_600_000,
  });
  if (n % 10 !== 9) return base;
  return {
    ...base,
    state: { status: "canceled", finishedAt: START + 60_000, expiresAt: Date.now() + 3_600_000 },
  };
});

beforeAll(async () => {
  auth = await token({ sub: TENANT, scope: "jobs:read" });
  await env.TENANT.getByName(TENANT).put(JOBS.map((job) => rowOf(job, 3_600_000)));
  return () => {};
});
afterAll(async () => {
  await env.TENANT.getByName(TENANT).remove(JOBS.map(({ registeredAt, id }) => ({ registeredAt, id })));
});

const list = async (query = "") => call("GET", `/v1/jobs${query}`, { auth });
const numbers = (body: { jobs: { request_id: string }[] }): number[] =>
  body.jobs.map(({ request_id }) => Number(request_id) - 1000);
const found = async (query: string): Promise<number[]> => numbers((await list(`?limit=200&${query}`)).body);
const which = (fits: (n: number) => boolean): number[] =>
  JOBS.map((_, n) => n)
    .filter(fits)
    .reverse();
/** Of one millisecond, the greater id stands first. */
const all = which(() => true);

describe("GET /v1/jobs", () => {
  it("lists the newest first, without result and timeline", async () => {
    const { status, body, headers } = await list("?limit=200");
    expect(status).toBe(200);
    expect(numbers(body)).toEqual(all);
    expect(body.next_cursor).toBeNull();
    expect(Object.keys(body.jobs[0])).toEqual(
      Object.keys((await register()).body).filter((name) => !["result", "timeline"].includes(name)),
    );
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it.each([1, 7, 29, 30])("comes in pages of %i, each job once", async (limit) => {
    const seen: number[] = [];
    let cursor = "";
    for (let page = 0; page < 31; page++) {
      const { body } = await list(`?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      expect(body.jobs.length).toBeLessThanOrEqual(limit);
      seen.push(...numbers(body));
      cursor = body.next_cursor;
      if (cursor === null) break;
    }
    expect(seen).toEqual(all);
  });

  it("goes on where a page ended, though jobs were added and removed meanwhile", async () => {
    const first = await list("?limit=10");
    const newer = {
      ...waitingJob({
        id: idOf(99),
        tenant: TENANT,
        registeredAt: START + 90_000,
        deadlineAt: Date.now() + 1_000_000,
      }),
    };
    const object = env.TENANT.getByName(TENANT);
    await object.put([rowOf(newer, 1_000)]);
    const second = await list(`?limit=200&cursor=${first.body.next_cursor}`);
    expect([...numbers(first.body), ...numbers(second.body)]).toEqual(all);
    await object.remove([newer]);
  });

  it("has 50 in a page unless told otherwise", async () => {
    expect((await list()).body.jobs).toHaveLength(30);
  });
});

describe("a filter", () => {
  it.each<[string, (n: number) => boolean]>([
    ["status=canceled", (n) => n % 10 === 9],
    ["status=waiting", (n) => n % 10 !== 9],
    ["outcome=canceled", (n) => n % 10 === 9],
    ["outcome=succeeded", () => false],
    ["endpoint=v6/video", (n) => n % 3 === 0],
    ["request_id=1007", (n) => n === 7],
    ["host=b.example:8443", (n) => n % 5 === 0],
    ["destination=main", () => false],
    ["metadata.user=2", (n) => n % 4 === 2],
    ["metadata.plan=pro", (n) => n % 2 === 1],
    ["metadata.note=x", () => false],
    ["metadata.user=2&metadata.plan=pro", () => false],
    ["metadata.user=3&metadata.plan=pro&endpoint=v3", (n) => n % 4 === 3 && n % 3 !== 0],
    ["created_after=2026-11-20T12:00:10Z", (n) => n > 10],
    ["created_before=2026-11-20T12:00:10Z", (n) => n < 10],
    ["created_after=2026-11-20T13:00:05%2B01:00&created_before=2026-11-20T12:00:07.000Z", (n) => n === 6],
    ["status=waiting&endpoint=v3&host=a.example", (n) => n % 10 !== 9 && n % 3 !== 0 && n % 5 !== 0],
  ])("%s finds those that fit", async (query, fits) => {
    expect(await found(query)).toEqual(which(fits));
  });

  it("by metadata is not led astray by values that look like others", async () => {
    expect(await found(`metadata.plan=${encodeURIComponent('f,"user":1,')}`)).toEqual(
      which((n) => n % 2 === 0),
    );
    expect(await found("metadata.user=1")).toEqual(which((n) => n % 4 === 1));
    for (const value of ['"pro"', 'pro","user":1,"x":"', '1,"plan":"pro"', "1,", ""])
      expect(
        await found(`metadata.${value.startsWith("1") ? "user" : "plan"}=${encodeURIComponent(value)}`),
      ).toEqual([]);
    expect(await found(`metadata.user=${encodeURIComponent("' OR 1=1 --")}`)).toEqual([]);
    expect(await found(`host=${encodeURIComponent("a.example' OR '1'='1")}`)).toEqual([]);
  });

  it("goes with a cursor", async () => {
    const first = await list("?endpoint=v6/video&limit=4");
    const rest = await list(`?endpoint=v6/video&limit=200&cursor=${first.body.next_cursor}`);
    expect([...numbers(first.body), ...numbers(rest.body)]).toEqual(which((n) => n % 3 === 0));
  });
});

describe("what cannot be listed", () => {
  it.each([
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["limit=1.5", "limit"],
    ["limit=", "limit"],
    ["cursor=x", "cursor"],
    ["cursor=", "cursor"],
    ["cursor=MTIzLmpvYl94", "cursor"],
    ["status=done", "status"],
    ["outcome=", "outcome"],
    ["endpoint=/v3", "endpoint"],
    ["request_id=a%20b", "request_id"],
    ["created_after=yesterday", "created_after"],
    ["created_before=2026-13-01T00:00:00Z", "created_before"],
    ["metadata.a=1&metadata.b=1&metadata.c=1&metadata.d=1", "metadata.d"],
  ])("is refused: ?%s", async (query, field) => {
    expectProblem(await list(`?${query}`), { status: 422, code: "invalid_value", field });
  });

  it.each(["sort=asc", "page=2", "__proto__=1"])("is an unknown field: ?%s", async (query) => {
    const { status, body } = await list(`?${query}`);
    expect([status, body.code]).toEqual([422, "unknown_field"]);
  });

  it("takes the scope jobs:read", async () => {
    const writer = await token({ sub: TENANT, scope: "jobs:write" });
    expectProblem(await call("GET", "/v1/jobs", { auth: writer }), {
      status: 403,
      code: "insufficient_scope",
    });
  });

  it("is 503 while the index is overloaded, and says nothing of it", async () => {
    const busy = () => Promise.reject(Object.assign(new Error("secret"), { overloaded: true }));
    const answer = await callWith(
      { TENANT: { getByName: () => ({ list: busy }) } as never },
      "GET",
      "/v1/jobs",
    );
    expectProblem(answer, { status: 503, code: "unavailable" });
    expect(answer.text).not.toContain("secret");
  });
});

describe("index, in a registration", () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    ["four names", { a: 1, b: 1, c: 1, d: 1 }, ["a", "b", "c", "d"]],
    ["a name that is not there", { a: 1 }, ["b"]],
    ["a name of the prototype", { a: 1 }, ["toString"]],
    ["an object", { a: {} }, ["a"]],
    ["a boolean", { a: true }, ["a"]],
    ["null", { a: null }, ["a"]],
    ["a long string", { a: "x".repeat(257) }, ["a"]],
    ["no list", { a: 1 }, "a"],
    ["no name", { a: 1 }, [""]],
    ["no metadata", {}, ["a"]],
  ])("is refused with %s", async (_, metadata, index) => {
    const { status, body } = await register({ metadata, index });
    expect([status, body.code, body.field.split(".")[0]]).toEqual([422, "invalid_value", "index"]);
  });

  it("makes the metadata searchable, whatever its characters", async () => {
    const metadata = { 'na"me': 'v,"a":1,\\é', n: 1.5, big: 9007199254740991 };
    const { body } = await register({ metadata, index: ['na"me', "n", "big"] });
    const search = async (name: string, value: string) => {
      const query = new URLSearchParams([[`metadata.${name}`, value]]);
      const { body: page } = await call("GET", `/v1/jobs?${query}`);
      return page.jobs.map(({ id }: { id: string }) => id);
    };
    await expect.poll(() => search("n", "1.5")).toEqual([body.id]);
    expect(await search('na"me', 'v,"a":1,\\é')).toEqual([body.id]);
    expect(await search("big", "9007199254740991")).toEqual([body.id]);
    expect(await search("a", "1")).toEqual([]);
  });
});
