import { describe, expect, it } from "vitest";
import { SCOPES } from "../../src/crypto/token.ts";
import { call, config, token } from "../support/api.ts";
import { bounded, claimsOf, mint } from "../support/bounded.ts";
import { callWith, expectProblem, objectCount } from "../support/http.ts";

const DAY = 86_400;
const seconds = (): number => Math.floor(Date.now() / 1000);

describe("POST /v1/tokens", () => {
  it("answers a token for less, and when it ends; nothing of it is stored", async () => {
    const objects = await objectCount();
    const { status, body, headers } = await mint({
      scope: "jobs:read  jobs:write jobs:read",
      owner: "user-7",
      callback_origins: ["https://app.example.com"],
      endpoints: ["v6/video", "v3"],
      request_id: 13443927,
      max_deadline_seconds: 600,
    });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["token", "expires_at"]);
    expect(headers.get("cache-control")).toBe("no-store");
    const claims = claimsOf(body.token);
    expect(claims).toMatchObject({
      sub: "acme",
      scope: "jobs:read jobs:write",
      own: "user-7",
      bnd: { org: ["https://app.example.com"], ep: ["v6/video", "v3"], req: "13443927", ddl: 600 },
    });
    expect(claims.par).toHaveLength(1);
    expect(body.expires_at).toBe(new Date(claims.exp * 1000).toISOString());
    expect(claims.exp - seconds()).toBeGreaterThan(590);
    expect(await objectCount()).toBe(objects);
    expect((await call("GET", "/v1/jobs", { auth: body.token })).status).toBe(200);
  });

  it.each(["owner", "destination", "callback_origins", "endpoints", "request_id", "max_deadline_seconds"])(
    "refuses null as %s: what was to narrow a token must not be lost on the way",
    async (field) => {
      const answer = await mint({ any_request: null, [field]: null });
      expectProblem(answer, { status: 422, code: "invalid_value", field });
    },
  );

  it("makes a token without bounds that sees what its parent sees", async () => {
    const { body } = await mint();
    for (const path of ["/v1/jobs", `/v1/operations/op_${"a".repeat(32)}`])
      expect([200, 404]).toContain((await call("GET", path, { auth: body.token })).status);
  });

  it.each([
    ["scope", undefined],
    ["scope", ""],
    ["scope", " "],
    ["scope", "jobs:reads"],
    ["scope", ["jobs:read"]],
    ["expires_in", undefined],
    ["expires_in", 59],
    ["expires_in", 30 * DAY + 1],
    ["expires_in", 600.5],
    ["expires_in", "600"],
    ["owner", ""],
    ["owner", "a b"],
    ["owner", "a".repeat(65)],
    ["destination", "a b"],
    ["callback_origins", []],
    ["callback_origins", "https://a.example"],
    ["callback_origins", ["https://a.example/"]],
    ["callback_origins", ["https://a.example/path"]],
    ["callback_origins", ["https://A.example"]],
    ["callback_origins", ["*"]],
    ["callback_origins", Array.from({ length: 17 }, (_, i) => `https://a${i}.example`)],
    ["endpoints", []],
    ["endpoints", ["/api/v3"]],
    ["endpoints", [7]],
    ["request_id", "a/b"],
    ["any_request", "true"],
    ["max_deadline_seconds", 29],
    ["max_deadline_seconds", 86_401],
  ])("refuses a value that it cannot grant: %s %j", async (field, value) => {
    expectProblem(await mint({ [field]: value }), { status: 422, code: "invalid_value", field });
  });

  it.each([
    { expires_in: 60 },
    { expires_in: 30 * DAY },
    { owner: "a".repeat(64) },
    { callback_origins: Array.from({ length: 16 }, (_, i) => `https://a${i}.example:8443`) },
    { max_deadline_seconds: 30 },
    { max_deadline_seconds: 86_400 },
  ])("grants a value at its limit: %j", async (body) => {
    expect((await mint(body, await token({ exp: seconds() + 40 * DAY }))).status).toBe(200);
  });

  it("refuses a field that it does not know, and two that exclude each other", async () => {
    expectProblem(await mint({ tenant: "x" }), { status: 422, code: "unknown_field", field: "tenant" });
    expectProblem(await mint({ destination: "a", callback_origins: ["https://a.example"] }), {
      status: 422,
      code: "invalid_value",
      field: "callback_origins",
    });
    expectProblem(await mint({ request_id: "1", any_request: true }), {
      status: 422,
      code: "invalid_value",
      field: "any_request",
    });
  });

  it("binds jobs:write to one request, unless it is said that any will do", async () => {
    const refused = { status: 422, code: "invalid_value", field: "request_id" };
    expectProblem(await mint({ scope: "jobs:write" }), refused);
    expectProblem(await mint({ scope: "jobs:write", any_request: false, endpoints: ["v3"] }), refused);
    expect((await mint({ scope: "jobs:write", any_request: true })).status).toBe(200);
    expect((await mint({ scope: "jobs:write", request_id: "1" })).status).toBe(200);
    expect((await mint({ scope: "generations:write jobs:read" })).status).toBe(200);
  });

  it("needs no request to be said again by a token that is bound to one", async () => {
    const { body } = await mint({ scope: "jobs:write" }, await bounded({ req: "5" }));
    expect(claimsOf(body.token).bnd).toEqual({ req: "5" });
  });
});

describe("a refused mint", () => {
  const SECRET = "PlantedSecret-8c1f";

  it.each([
    ["scope", SECRET],
    ["owner", `${SECRET}/`],
    ["destination", `${SECRET}/`],
    ["callback_origins", [`https://${SECRET}.example/`]],
    ["endpoints", [SECRET]],
    ["request_id", `${SECRET}/`],
  ])("repeats no value: %s", async (field, value) => {
    const { status, text } = await mint({ [field]: value });
    expect(status).toBe(422);
    expect(text).not.toContain("Planted");
  });

  it("repeats neither what was asked for nor what the caller is bound to", async () => {
    const bnd = { org: [`https://${SECRET.toLowerCase()}.example`] };
    const auth = await bounded(bnd, { own: SECRET });
    for (const body of [{ callback_origins: ["https://other.example"] }, { owner: "other" }]) {
      const { status, text } = await mint(body, auth);
      expect(status).toBe(403);
      expect(text.toLowerCase()).not.toContain("planted");
      expect(text).not.toContain("other");
    }
  });
});

describe("a token that asks for more than it has", () => {
  it.each(SCOPES.filter((scope) => scope !== "tokens:write"))("is refused the scope %s", async (scope) => {
    const answer = await mint({ scope, request_id: "1" }, await token({ scope: "tokens:write" }));
    expectProblem(answer, { status: 403, code: "insufficient_scope" });
    expect(answer.body.detail).toContain(scope);
  });

  it.each([
    [{ dst: "a" }, { destination: "b" }, "destination"],
    [{ dst: "a" }, { callback_origins: ["https://a.example"] }, "callback_origins"],
    [{ org: ["https://a.example"] }, { callback_origins: ["https://b.example"] }, "callback_origins"],
    [{ org: ["https://a.example"] }, { destination: "a" }, "destination"],
    [{ ep: ["v3"] }, { endpoints: ["v3", "v6/video"] }, "endpoints"],
    [{ req: "1" }, { request_id: "2" }, "request_id"],
    [{ req: "1" }, { any_request: true }, "any_request"],
    [{ ddl: 60 }, { max_deadline_seconds: 61 }, "max_deadline_seconds"],
    [{}, { owner: "another" }, "owner"],
  ])("is refused another bound: %j to %j", async (bnd, body, field) => {
    expectProblem(await mint(body, await bounded(bnd)), { status: 403, code: "token_bound", field });
  });

  it("gives what it has itself: owner, bounds and the end of its life", async () => {
    const exp = seconds() + 100;
    const bnd = { dst: "a", ep: ["v3"], req: "1", ddl: 60 };
    const { body } = await mint({ expires_in: 3600 }, await bounded(bnd, { exp, jti: "parent" }));
    expect(claimsOf(body.token)).toMatchObject({ own: "phone", bnd, exp, par: ["backend", "parent"] });
    expect(body.expires_at).toBe(new Date(exp * 1000).toISOString());
  });

  it("is refused a ninth ancestor", async () => {
    const par = (length: number) => Array.from({ length }, (_, i) => `t${i}`);
    expect((await mint({}, await bounded({}, { par: par(7) }))).status).toBe(200);
    const answer = await mint({}, await bounded({}, { par: par(8) }));
    expectProblem(answer, { status: 403, code: "token_bound" });
    expect(answer.body.detail).toContain("8 ancestors");
  });
});

describe("the end of a token", () => {
  const read = (REVOKED_TOKENS: string, auth: string) =>
    callWith({ REVOKED_TOKENS }, "GET", "/v1/jobs", { auth });

  it("is its jti, its parent's or its grandparent's in REVOKED_TOKENS", async () => {
    const root = await token({ jti: "root-1" });
    const child = (await mint({ scope: "jobs:read tokens:write" }, root)).body.token;
    const grandchild = (await mint({}, child)).body.token;
    const ids = ["root-1", claimsOf(child).jti, claimsOf(grandchild).jti];
    for (const jti of ids)
      expectProblem(await read(`other, ${jti}`, grandchild), { status: 401, code: "token_invalid" });
    expect((await read("other", grandchild)).status).toBe(200);
    expect((await read(String(ids[1]), root)).status).toBe(200);
    expect((await read(String(ids[2]), child)).status).toBe(200);
  });

  it("is that of the master key that its first ancestor was signed with", async () => {
    const older = { kid: "older", bytes: new Uint8Array(32).fill(9) };
    const [newest] = config.masterKeys;
    const text = ({ kid, bytes }: typeof older) => `${kid}:${btoa(String.fromCharCode(...bytes))}`;
    const both = `${text(newest)},${text(older)}`;
    const body = { scope: "jobs:read", expires_in: 600 };
    const minted = await callWith({ MASTER_KEYS: both }, "POST", "/v1/tokens", {
      auth: await token({}, older),
      body,
    });
    const auth = minted.body.token;
    expect((await callWith({ MASTER_KEYS: both }, "GET", "/v1/jobs", { auth })).status).toBe(200);
    expectProblem(await callWith({ MASTER_KEYS: text(newest) }, "GET", "/v1/jobs", { auth }), {
      status: 401,
      code: "token_invalid",
    });
  });

  it.each([
    { bnd: { req: "1" } },
    { own: "phone", bnd: { unheard_of: 1 } },
    { own: "phone", bnd: { ep: "v3" } },
    { own: "phone", par: "root" },
    { own: 7 },
  ])("is there from the beginning when its bounds cannot be read: %j", async (claims) => {
    const auth = await token(claims as never);
    expectProblem(await call("GET", "/v1/jobs", { auth }), { status: 401, code: "token_invalid" });
  });
});
