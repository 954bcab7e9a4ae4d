import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, fire, PROVIDER, register, token, uniqueId } from "../support/api.ts";
import { EMPTY, expectProblem, idOf, storageOf } from "../support/http.ts";
import { HOOK, leave, success } from "../support/life.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const find = (query: string, auth?: string) =>
  call("GET", `/v1/jobs?${query}`, auth === undefined ? {} : { auth });

describe("GET /v1/jobs?endpoint=&request_id=", () => {
  it("answers the request's job, without result and timeline", async () => {
    const { body } = await register({ endpoint: "v6/video", metadata: { user: 7 } });
    fetched.on(`${PROVIDER}/api/v6/video/fetch/${body.request_id}`, success).on(HOOK, status(200));
    await fire(body.id);
    const { result, timeline, ...job } = (await call("GET", `/v1/jobs/${body.id}`)).body;
    expect(result).not.toBeNull();
    expect(timeline).toHaveLength(3);
    const found = await find(`endpoint=v6/video&request_id=${body.request_id}`);
    expect([found.status, found.body]).toEqual([200, { jobs: [job], next_cursor: null }]);
    expect(found.headers.get("cache-control")).toBe("no-store");
  });

  it("answers none where there is none, or only another tenant's, and writes nothing", async () => {
    const id = uniqueId();
    const none = { jobs: [], next_cursor: null };
    expect((await find(`endpoint=v3&request_id=${id}`)).body).toEqual(none);
    expect(await storageOf(await idOf(id))).toEqual(EMPTY);
    const { body } = await register();
    const query = `endpoint=v3&request_id=${body.request_id}`;
    expect((await find(query, await token({ sub: "globex" }))).body).toEqual(none);
    expect((await find(query.replace("v3", "v6/video"))).body).toEqual(none);
  });

  it.each([
    ["request_id=", "invalid_value", "request_id"],
    ["request_id=a%20b", "invalid_value", "request_id"],
    ["request_id=1&endpoint=/v3", "invalid_value", "endpoint"],
    ["request_id=1&endpoint=v3/fetch", "invalid_value", "endpoint"],
    ["request_id=1&cursor=x", "invalid_value", "cursor"],
    ["request_id=1&endpoint=v3&page=2", "unknown_field", "page"],
  ])("refuses ?%s", async (query, code, field) => {
    expectProblem(await find(query), { status: 422, code, field });
  });
});
