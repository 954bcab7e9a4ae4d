import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, PROVIDER, stored, token, uniqueId } from "../support/api.ts";
import { bounded } from "../support/bounded.ts";
import { callWith, EMPTY, idOf, storageOf } from "../support/http.ts";
import { HOOK, leave, success } from "../support/life.ts";
import { expectRefusal, OWN_KEY, post } from "../support/provider-api.ts";
import { json, ScriptedFetch } from "../support/scripted-fetch.ts";

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => leave(fetched));

const OTHER = "https://other.example/hook";
const GENERATE = "/api/v6/images/text2img";
const pollOf = (id: string): string => `${PROVIDER}/api/v3/fetch/${id}`;
const fetchPath = (id: string, endpoint = "v3"): string => `/api/${endpoint}/fetch/${id}`;
const queued = (id: string) => json({ status: "processing", id: Number(id), eta: 60 });

describe("a fetch call with a bounded token", () => {
  it("and a webhook registers within the bounds, for the token's owner", async () => {
    const id = uniqueId();
    const auth = await bounded({ req: id, ep: ["v3"], org: ["https://example.com"], ddl: 60 });
    expect((await post(fetchPath(id), { webhook: HOOK }, { auth })).status).toBe(200);
    const job = await stored(await idOf(id));
    expect(job?.owner).toBe("phone");
    expect((job?.deadlineAt ?? 0) - (job?.registeredAt ?? 0)).toBe(60_000);
    expect((await post(fetchPath(id), { webhook: HOOK }, { auth })).status).toBe(200);
  });

  it("and a webhook is refused outside of them, and nothing comes of it", async () => {
    const id = uniqueId();
    const refused = async (bounds: Parameters<typeof bounded>[0], webhook: string, message: RegExp) => {
      expectRefusal(await post(fetchPath(id), { webhook }, { auth: await bounded(bounds) }), 403, message);
      expect(await storageOf(await idOf(id))).toEqual(EMPTY);
    };
    await refused({ req: "1" }, HOOK, /^request_id is outside/);
    await refused({ ep: ["v6/video"] }, HOOK, /^endpoint is outside/);
    await refused({ org: ["https://example.com"] }, OTHER, /^webhook is outside/);
    await refused({ dst: "app" }, HOOK, /^webhook is outside/);
  });

  it("and no webhook asks the provider within the bounds alone", async () => {
    const id = uniqueId();
    fetched.on(pollOf(id), success);
    expect(
      (await post(fetchPath(id), {}, { auth: await bounded({ req: id, dst: "app" }) })).body.status,
    ).toBe("success");
    for (const bounds of [{ req: "1" }, { ep: ["v6/video"] }])
      expectRefusal(await post(fetchPath(id), {}, { auth: await bounded(bounds) }), 403, /is outside/);
    expect(fetched.sent).toHaveLength(1);
  });

  it("does not learn whether another owner has a job that it may not register", async () => {
    const [taken, free] = [uniqueId(), uniqueId()];
    await post(fetchPath(taken), { webhook: HOOK }, { auth: await bounded({}, { own: "tablet" }) });
    const answer = async (id: string, auth: string, body: Record<string, unknown> = {}) => {
      const { status, text } = await post(fetchPath(id), body, { auth });
      return [status, text.replace(id, "…")];
    };
    for (const auth of [
      await bounded({ req: "1" }),
      await bounded({ ep: ["v6/video"] }),
      await bounded({}, { scope: "jobs:read" }),
    ]) {
      expect((await answer(taken, auth))[0]).toBe(403);
      expect(await answer(taken, auth)).toEqual(await answer(free, auth));
      expect(await answer(taken, auth, { provider_key: null })).toEqual(
        await answer(free, auth, { provider_key: null }),
      );
    }
    expect(fetched.sent).toEqual([]);
  });

  it("gets nothing of another owner's job, neither from us nor from the provider", async () => {
    const id = uniqueId();
    const tablet = await bounded({}, { own: "tablet" });
    await post(fetchPath(id), { webhook: HOOK }, { auth: tablet });
    const auth = await bounded();
    for (const webhook of [undefined, HOOK, OTHER])
      expectRefusal(await post(fetchPath(id), { webhook }, { auth }), 403, /^The token is bound/);
    // Canceled, it knows nothing; its request is still another's.
    await call("POST", `/v1/jobs/${await idOf(id)}/cancel`);
    expectRefusal(await post(fetchPath(id), {}, { auth }), 403, /^The token is bound/);
    expect(fetched.sent).toEqual([]);
  });
});

describe("a generation call with a bounded token", () => {
  it("registers its request for the token's owner, with no longer a deadline than it may have", async () => {
    const id = uniqueId();
    fetched.on(PROVIDER + GENERATE, queued(id));
    const auth = await bounded({ ep: ["v6/images"], org: ["https://example.com"], ddl: 90 });
    const { body } = await post(GENERATE, { webhook: HOOK }, { auth });
    const job = await stored(body.job_id);
    expect(job).toMatchObject({ owner: "phone", callbackUrl: HOOK });
    expect((job?.deadlineAt ?? 0) - (job?.registeredAt ?? 0)).toBe(90_000);
    expect((await call("GET", `/v1/jobs/${body.job_id}`, { auth })).status).toBe(200);
  });

  it.each([
    [{ dst: "app" }, HOOK, /^webhook is outside/],
    [{ org: ["https://example.com"] }, OTHER, /^webhook is outside/],
    [{ ep: ["v6/video"] }, HOOK, /^endpoint is outside/],
    [{ req: "1" }, undefined, /^The token is bound/],
  ] as const)("is not forwarded outside of its bounds: %j", async (bounds, webhook, message) => {
    const auth = await bounded(bounds as Parameters<typeof bounded>[0]);
    expectRefusal(await post(GENERATE, { webhook }, { auth }), 403, message);
    expect(fetched.sent).toEqual([]);
  });

  it("is forwarded without a webhook, and watched by nobody, where the token is bound to a destination", async () => {
    fetched.on(PROVIDER + GENERATE, queued(uniqueId()));
    const { status, body } = await post(GENERATE, { webhook: "" }, { auth: await bounded({ dst: "app" }) });
    expect([status, body.job_id]).toEqual([200, undefined]);
  });

  it("that manages something is closed", async () => {
    expectRefusal(
      await post("/api/v6/enterprise/restart_server", {}, { auth: await bounded() }),
      403,
      /bound/,
    );
    expect(fetched.sent).toEqual([]);
  });

  it("shares its Idempotency-Key with nobody but its owner", async () => {
    fetched.on(PROVIDER + GENERATE, queued(uniqueId()), queued(uniqueId()));
    const headers = { "idempotency-key": "same" };
    const ask = async (own: string) =>
      (await post(GENERATE, { prompt: "a" }, { auth: await bounded({}, { own }), headers })).body.id;
    const [first, again, other] = [await ask("phone"), await ask("phone"), await ask("tablet")];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it("takes over an id that the provider has given anew, once the job that had it is over", async () => {
    const id = uniqueId();
    const tablet = await bounded({}, { own: "tablet" });
    const ask = async (auth: string) => (await post(GENERATE, { webhook: HOOK }, { auth })).body.job_id;
    fetched.on(PROVIDER + GENERATE, queued(id), queued(id), queued(id));
    const job = await ask(tablet);
    // While it is at work it is the other's, and stays so.
    await ask(await bounded());
    expect((await stored(job))?.owner).toBe("tablet");
    await call("POST", `/v1/jobs/${job}/cancel`);
    await ask(await bounded());
    expect((await stored(job))?.owner).toBe("phone");
  });
});

describe("a revoked token", () => {
  it("is refused as key, as is one that came from it", async () => {
    for (const auth of [await token({ jti: "gone" }), await bounded({}, { par: ["root", "gone"] })]) {
      const body = { key: auth, provider_key: OWN_KEY };
      const answer = await callWith({ REVOKED_TOKENS: "gone" }, "POST", fetchPath("1"), { auth: null, body });
      expectRefusal(answer, 401, /revoked/);
    }
  });
});
