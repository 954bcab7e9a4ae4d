import { describe, expect, it } from "vitest";
import { registration, token } from "../support/api.ts";
import { callWith, expectProblem, objectCount } from "../support/http.ts";

/** A binding that lets so many calls of a key through. */
function limiterOf(most: number) {
  const keys: string[] = [];
  const limit = async ({ key }: { key: string }) => {
    keys.push(key);
    return { success: keys.filter((other) => other === key).length <= most };
  };
  return { RATE_LIMIT: { limit } as RateLimit, keys };
}

describe("the rate limit of a token", () => {
  it("refuses with 429 what is too much, before anything is done", async () => {
    const { RATE_LIMIT } = limiterOf(1);
    const auth = await token();
    const ask = () => callWith({ RATE_LIMIT }, "POST", "/v1/jobs", { auth, body: registration() });
    expect((await ask()).status).toBe(202);
    const objects = await objectCount();
    const answer = await ask();
    expectProblem(answer, { status: 429, code: "rate_limited" });
    expect(answer.headers.get("retry-after")).toBe("10");
    expect(await objectCount()).toBe(objects);
  });

  it("is each token's own, and each tenant's", async () => {
    const { RATE_LIMIT, keys } = limiterOf(1);
    for (const claims of [{ jti: "a" }, { jti: "b" }, { sub: "globex", jti: "a" }])
      expect((await callWith({ RATE_LIMIT }, "GET", "/v1/jobs", { auth: await token(claims) })).status).toBe(
        200,
      );
    expect(keys).toEqual(["acme a", "acme b", "globex a"]);
  });

  it("holds for the provider's own API too, in its shape", async () => {
    const { RATE_LIMIT } = limiterOf(0);
    const body = { key: await token() };
    const answer = await callWith({ RATE_LIMIT }, "POST", "/api/v3/fetch/1", { auth: null, body });
    expect(answer).toMatchObject({ status: 429, body: { status: "error" } });
    expect(answer.headers.get("retry-after")).toBe("10");
  });

  it("counts nobody who has no token", async () => {
    const { RATE_LIMIT, keys } = limiterOf(0);
    expect((await callWith({ RATE_LIMIT }, "GET", "/v1/jobs", { auth: null })).status).toBe(401);
    expect((await callWith({ RATE_LIMIT }, "GET", "/healthz", { auth: null })).status).toBe(200);
    expect(keys).toEqual([]);
  });

  it.each([
    ["is not bound", undefined],
    ["fails", { limit: () => Promise.reject(new Error("down")) }],
    [
      "throws",
      {
        limit: () => {
          throw new Error("down");
        },
      },
    ],
  ])("refuses nobody when it %s", async (_, RATE_LIMIT) => {
    const auth = await token();
    expect((await callWith({ RATE_LIMIT: RATE_LIMIT as never }, "GET", "/v1/jobs", { auth })).status).toBe(
      200,
    );
  });
});
