import fc from "fast-check";
import { expect, it } from "vitest";
import { call, token } from "../support/api.ts";
import { claimsOf, mint } from "../support/bounded.ts";
import { deeds, ENDPOINTS, NAMES, originOf, SCOPES, TIMES } from "../support/rights.ts";

const some = (values: readonly string[]) => fc.subarray([...values], { minLength: 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 1, nil: undefined });
const name = fc.constantFrom(...NAMES);
const body = fc.record({
  // Without the right to mint every chain would be a short one.
  scope: fc.subarray(SCOPES).map((scopes) => ["tokens:write", ...scopes].join(" ")),
  expires_in: fc.constantFrom(...TIMES),
  owner: maybe(name),
  destination: maybe(name),
  callback_origins: maybe(some(NAMES.map(originOf))),
  endpoints: maybe(some(ENDPOINTS)),
  request_id: maybe(name),
  any_request: maybe(fc.boolean()),
  max_deadline_seconds: maybe(fc.constantFrom(...TIMES)),
});

it("hands out no token that may do what the one it was asked with may not", async () => {
  let minted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(body, { minLength: 2, maxLength: 8 }), async (bodies) => {
      let parent = await token({ scope: SCOPES.join(" ") });
      for (const body of bodies) {
        const { status, body: answer } = await mint(body, parent);
        expect([200, 403, 422]).toContain(status);
        if (status !== 200) continue;
        const [had, has] = [claimsOf(parent), claimsOf(answer.token)];
        expect(has.exp).toBeLessThanOrEqual(had.exp);
        // Ends of lives are of another day than those of the small world.
        const allowed = deeds({ ...had, exp: 0 });
        expect([...deeds({ ...has, exp: 0 })].filter((deed) => !allowed.has(deed))).toEqual([]);
        parent = answer.token;
        minted++;
      }
      expect((await call("GET", "/v1/jobs/x", { auth: parent })).status).not.toBe(401);
    }),
    { numRuns: 60 },
  );
  // Or it has proved nothing.
  expect(minted).toBeGreaterThan(20);
});
