/** The corpus of callback URLs through every route that takes one. All of it: `npm run chaos -- --only targets`. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROUTES, tryAccepted, tryRefused } from "../chaos/targets/routes.ts";
import { call, token } from "../support/api.ts";
import { objectCount } from "../support/http.ts";
import { ScriptedFetch } from "../support/scripted-fetch.ts";
import { ACCEPTED } from "../webhook/targets/accepted.ts";
import { REFUSED } from "../webhook/targets/refused.ts";
import { counts, sampled } from "../webhook/targets/verdicts.ts";

const OF_EACH_GROUP = 3;
/** Many calls in one test; a limit, never a measure. */
const LIMIT_MS = 120_000;

let fetched: ScriptedFetch;
beforeEach(() => {
  fetched = new ScriptedFetch();
});
afterEach(() => {
  expect(fetched.sent).toEqual([]);
  fetched.restore();
});

const callerOf = async (sub: string) => {
  const auth = await token({ sub });
  return {
    token: auth,
    ask: (method: string, path: string, body?: unknown) =>
      call(method, path, {
        auth: path.startsWith("/api") ? null : auth,
        ...(body !== undefined && { body }),
      }),
  };
};

describe("a callback that may not be called", { timeout: LIMIT_MS }, () => {
  it("is refused by every route with its field named, and nothing is stored or sent", async () => {
    const cases = sampled(REFUSED, OF_EACH_GROUP);
    const objects = await objectCount();
    const { routes, complaints } = await tryRefused(await callerOf("refused-corpus"), cases);
    expect(complaints).toEqual([]);
    expect(routes.size).toBe(ROUTES.length + 1);
    // The two jobs that were there before.
    expect(await objectCount()).toBe(objects + 2);
    expect(cases.length).toBeGreaterThanOrEqual(2 * counts(REFUSED).size);
  });
});

describe("a callback that may be called", { timeout: LIMIT_MS }, () => {
  it("is accepted, alone and in a batch, and shown as WHATWG writes it", async () => {
    const { complaints } = await tryAccepted(
      await callerOf("accepted-corpus"),
      sampled(ACCEPTED, OF_EACH_GROUP),
    );
    expect(complaints).toEqual([]);
  });
});
