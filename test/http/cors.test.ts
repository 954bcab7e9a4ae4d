import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { registration, token } from "../support/api.ts";
import { requestApp } from "../support/http.ts";

const PAGE = "https://app.example.com";

/** A call as a browser makes it for a page of `origin`. */
async function from(
  origin: string,
  method: string,
  path: string,
  { body, auth, allowed = PAGE }: { body?: unknown; auth?: string | null; allowed?: string } = {},
): Promise<Response> {
  const bearer = auth === undefined ? await token() : auth;
  const headers = {
    origin,
    ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
    ...(body !== undefined && { "content-type": "application/json" }),
    ...(method === "OPTIONS" && {
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,last-event-id",
    }),
  };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  return requestApp(path, init, { ...env, ALLOWED_ORIGINS: allowed });
}

const corsHeaders = ({ headers }: Response): string[] =>
  [...headers.keys()].filter((name) => name.startsWith("access-control-"));

describe("a page of an origin in ALLOWED_ORIGINS", () => {
  it("is told before that it may call with a token, and not with cookies", async () => {
    const { status, headers } = await from(PAGE, "OPTIONS", "/v1/jobs", { auth: null });
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(headers.get("access-control-allow-methods")).toBe("GET,HEAD,POST,PUT,DELETE");
    expect(headers.get("access-control-allow-headers")).toBe("authorization,content-type,last-event-id");
    expect(headers.get("access-control-max-age")).toBe("7200");
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    expect(headers.get("vary")).toContain("Origin");
  });

  it("reads answers, where a job is and when to come back", async () => {
    const answer = await from(PAGE, "POST", "/v1/jobs", { body: registration() });
    expect(answer.status).toBe(202);
    expect(answer.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(answer.headers.get("access-control-expose-headers")).toBe("location,retry-after");
    expect(answer.headers.get("vary")).toBe("Origin");
    expect(answer.headers.get("access-control-allow-methods")).toBeNull();
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  it.each([
    ["GET", "/v1/jobs", null, 401],
    ["GET", "/v1/jobs/x", undefined, 404],
    ["PUT", "/v1/jobs", undefined, 405],
    ["GET", "/v1/nothing", undefined, 404],
  ] as const)("reads refusals: %s %s", async (method, path, auth, status) => {
    const answer = await from(PAGE, method, path, auth === undefined ? {} : { auth });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });
});

describe("what went wrong", () => {
  it("is read by a page of a listed origin", async () => {
    const init = { headers: { origin: PAGE, authorization: `Bearer ${await token()}` } };
    const TENANT = { getByName: () => ({ list: () => Promise.reject(new Error("down")) }) } as never;
    const answer = await requestApp("/v1/jobs", init, { ...env, ALLOWED_ORIGINS: PAGE, TENANT });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([500, PAGE]);
  });
});

describe("a page of any other origin", () => {
  it.each([
    [PAGE, ""],
    ["https://app.example.com.evil.example", PAGE],
    ["http://app.example.com", PAGE],
    ["https://app.example.com:8443", PAGE],
    ["null", PAGE],
    ["*", PAGE],
  ])("is answered as if there were no such thing: %s, allowed: %j", async (origin, allowed) => {
    const preflight = await from(origin, "OPTIONS", "/v1/jobs", { auth: null, allowed });
    expect([preflight.status, corsHeaders(preflight)]).toEqual([405, []]);
    const answer = await from(origin, "GET", "/v1/jobs", { allowed });
    expect([answer.status, corsHeaders(answer)]).toEqual([200, []]);
  });

  it("may use the provider's own API as before, which knows no other secret than the token in its body", async () => {
    const answer = await from("https://anywhere.example", "OPTIONS", "/api/v3/fetch/1", { auth: null });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
    expect(answer.headers.get("vary")).toBeNull();
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });
});
