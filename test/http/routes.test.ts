import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, fetchWorker, ORIGIN, register, token } from "../support/api.ts";
import { answerOf, expectProblem, objectCount } from "../support/http.ts";

const ID = `job_${"a".repeat(32)}`;

const head = async (path: string, auth: string | null) =>
  answerOf(
    await fetchWorker(path, {
      method: "HEAD",
      headers: auth === null ? {} : { authorization: `Bearer ${auth}` },
    }),
  );

describe("a method that a path does not know", () => {
  const allowed = {
    "/v1/jobs": ["GET", "HEAD", "POST"],
    [`/v1/jobs/${ID}`]: ["GET", "HEAD", "DELETE"],
    [`/v1/jobs/${ID}/cancel`]: ["POST"],
    [`/v1/jobs/${ID}/redeliver`]: ["POST"],
    "/v1/signing-secret": ["GET", "HEAD"],
    "/v1/tokens": ["POST"],
    "/v1/destinations": ["GET", "HEAD"],
    "/v1/destinations/a": ["GET", "HEAD", "PUT", "DELETE"],
    "/v1/destinations/a/rotate-secret": ["POST"],
    "/v1/destinations/a/test": ["POST"],
    "/v1/destinations/a/pause": ["POST"],
    "/v1/destinations/a/resume": ["POST"],
    "/healthz": ["GET", "HEAD"],
  };
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
  const wrong = Object.entries(allowed).flatMap(([path, those]) =>
    methods
      .filter((method) => !those.includes(method))
      .map((method) => ({ method, path, allow: those.join(", ") })),
  );

  it.each(wrong)("is refused with 405: $method $path", async ({ method, path, allow }) => {
    const objects = await objectCount();
    for (const auth of [null, await token()]) {
      const answer = await call(method, path, { auth });
      expectProblem(answer, { status: 405, code: "method_not_allowed" });
      expect(answer.headers.get("allow")).toBe(allow);
    }
    expect(await objectCount()).toBe(objects);
  });

  it.each([`/v1/jobs/${ID}/redeliver`, `/v1/jobs/${ID}/cancel`])(
    "is refused with 405 and no body: HEAD %s",
    async (path) => {
      const { status, text, headers } = await head(path, await token());
      expect([status, text, headers.get("allow")]).toEqual([405, "", "POST"]);
    },
  );
});

describe("a path that is not known", () => {
  it.each([
    "/",
    "/v1",
    "/v1/",
    "/v1/jobs/",
    "/V1/jobs",
    "/v2/jobs",
    "//v1/jobs",
    `/v1/jobs/${ID}/`,
    `/v1/jobs/${ID}/cancel/`,
    `/v1/jobs/${ID}/retry`,
    `/v1/jobs/${ID}/cancel/again`,
    "/v1/destinations/",
    "/v1/destinations/a/",
    "/v1/destinations/a/secret",
    "/v1/destinations/a/test/b",
    "/healthz/",
    "/apix/v3/fetch/1",
    "/v1x",
    "/.dev.vars",
    "/constructor",
    "/__proto__",
    "/v1/%2e%2e/healthz/x",
  ])("is 404 for every method: %s", async (path) => {
    for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
      const answer = await call(method, path, { auth: null });
      expectProblem(answer, { status: 404, code: "not_found" });
    }
  });
});

it("takes a path whose characters are escaped for the same one", async () => {
  const { body: job } = await register();
  const url = `${ORIGIN}/v1/%6Aobs/${job.id.replace("_", "%5F")}`;
  const headers = { authorization: `Bearer ${await token()}` };
  // Not held against the document, which does not know it so.
  const { body } = await answerOf(await exports.default.fetch(url, { headers }));
  expect(body.id).toBe(job.id);
  expectProblem(await call("GET", "/v1/jobs/%zz"), { status: 404, code: "not_found" });
});

describe("HEAD", () => {
  it("answers as GET does, without a body", async () => {
    const { body: job } = await register();
    for (const path of [`/v1/jobs/${job.id}`, "/v1/signing-secret", "/healthz"]) {
      const got = await call("GET", path);
      const { status, headers, text } = await head(path, await token());
      expect([status, text]).toEqual([200, ""]);
      expect(headers.get("content-type")).toBe(got.headers.get("content-type"));
      expect(headers.get("cache-control")).toBe(got.headers.get("cache-control"));
    }
  });

  it("is refused as GET is", async () => {
    expect((await head(`/v1/jobs/${ID}`, null)).status).toBe(401);
    expect((await head(`/v1/jobs/${ID}`, await token())).status).toBe(404);
    expect((await head(`/v1/jobs/${ID}?wait=61`, await token())).status).toBe(422);
    expect((await head("/nowhere", null)).status).toBe(404);
  });
});

describe("/healthz", () => {
  it("is 200 without a token, and not to be cached", async () => {
    const { status, body, headers } = await call("GET", "/healthz", { auth: null });
    expect([status, body]).toEqual([200, { status: "ok" }]);
    expect(headers.get("cache-control")).toBe("no-store");
  });
});
