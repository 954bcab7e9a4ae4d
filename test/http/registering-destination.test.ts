import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, register, token, uniqueId } from "../support/api.ts";
import { put } from "../support/destinations.ts";
import { expectProblem } from "../support/http.ts";
import { HOOK, leave } from "../support/life.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(async () => {
  fetched = new ScriptedFetch();
  await put("app");
});
afterEach(() => leave(fetched));

const named = (overrides: Record<string, unknown> = {}) =>
  register({ callback_url: null, destination: "app", ...overrides });

describe("a registration that names a destination", () => {
  it("is accepted, and shows its name in place of a URL", async () => {
    const { status, body } = await named();
    expect(status).toBe(202);
    expect(body).toMatchObject({ destination: "app", callback_url: null, format: "standard" });
  });

  it("takes the destination's format, unless it says another", async () => {
    await put("app", { format: "provider" });
    expect((await named()).body.format).toBe("provider");
    expect((await named({ format: "standard" })).body.format).toBe("standard");
  });

  it("is refused when there is none of that name, here or of another tenant", async () => {
    const refusal = { status: 422, code: "destination_unknown", field: "destination" };
    expectProblem(await named({ destination: "other" }), refusal);
    const body = { request_id: uniqueId(), key: "sk-caller-1", destination: "app" };
    expectProblem(await call("POST", "/v1/jobs", { body, auth: await token({ sub: "globex" }) }), refusal);
  });

  it.each([["a b"], [""], ["x".repeat(65)], [7], [{}], ["../app"]])(
    "is refused when the name is %j",
    async (destination) => {
      expectProblem(await named({ destination }), {
        status: 422,
        code: "invalid_value",
        field: "destination",
      });
    },
  );

  it("is refused together with a URL", async () => {
    expectProblem(await named({ callback_url: HOOK }), {
      status: 422,
      code: "invalid_value",
      field: "destination",
    });
  });

  it("is the same job when it is repeated, whatever became of the destination", async () => {
    const request_id = uniqueId();
    const first = await named({ request_id });
    await put("app", { format: "provider" });
    expect(await named({ request_id })).toMatchObject({
      status: 200,
      body: { id: first.body.id, format: "standard" },
    });
    await call("DELETE", "/v1/destinations/app");
    expect(await named({ request_id })).toMatchObject({ status: 200, body: { id: first.body.id } });
    await call("POST", `/v1/jobs/${first.body.id}/cancel`);
    expectProblem(await named({ request_id }), {
      status: 422,
      code: "destination_unknown",
      field: "destination",
    });
  });

  it("is refused when the request goes elsewhere already", async () => {
    await put("other");
    const request_id = uniqueId();
    await named({ request_id });
    const conflict = { status: 409, code: "already_registered" };
    expectProblem(await named({ request_id, destination: "other" }), { ...conflict, field: "destination" });
    expectProblem(await register({ request_id }), { ...conflict, field: "callback_url" });
    expectProblem(await named({ request_id, format: "provider" }), { ...conflict, field: "format" });
  });

  it("gives a job that has no callback its first", async () => {
    const request_id = uniqueId();
    await register({ request_id, callback_url: null });
    expect(await named({ request_id })).toMatchObject({ status: 200, body: { destination: "app" } });
  });

  it("stands in a batch beside others, each judged by itself", async () => {
    const one = (destination: string) => ({ request_id: uniqueId(), key: "sk-caller-1", destination });
    const { body } = await call("POST", "/v1/jobs/batch", {
      body: { jobs: [one("app"), one("other"), one("app")] },
    });
    expect(body.results.map(({ status }: { status: number }) => status)).toEqual([202, 422, 202]);
  });

  it("is found by the destination's name", async () => {
    const { body } = await named();
    await register();
    await expect
      .poll(async () =>
        (await call("GET", "/v1/jobs?destination=app")).body.jobs.map(({ id }: { id: string }) => id),
      )
      .toEqual([body.id]);
  });
});

describe("a redelivery", () => {
  it("to a destination that is not known is refused", async () => {
    const { body } = await named();
    expectProblem(await call("POST", `/v1/jobs/${body.id}/redeliver`, { body: { destination: "other" } }), {
      status: 422,
      code: "destination_unknown",
      field: "destination",
    });
  });
});
