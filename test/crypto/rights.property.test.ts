import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_ANCESTORS, narrow, type Wish } from "../../src/crypto/rights.ts";
import type { Claims } from "../../src/crypto/token.ts";
import { deeds, ENDPOINTS, NAMES, originOf, SCOPES, TIMES } from "../support/rights.ts";

const some = (values: readonly string[]) => fc.subarray([...values], { minLength: 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const name = fc.constantFrom(...NAMES);
const wish: fc.Arbitrary<Wish> = fc.record({
  scopes: some(SCOPES),
  exp: fc.constantFrom(...TIMES),
  own: maybe(name),
  any: maybe(fc.boolean()),
  dst: maybe(name),
  org: maybe(some(NAMES.map(originOf))),
  ep: maybe(some(ENDPOINTS)),
  req: maybe(name),
  ddl: maybe(fc.constantFrom(...TIMES)),
});

const ROOT: Claims = { sub: "acme", scope: SCOPES.join(" "), exp: 300, iat: 0, jti: "root" };

/** The tokens that came of a chain of wishes, the refused ones left out. */
function chainOf(wishes: readonly Wish[]): Claims[] {
  const chain = [ROOT];
  for (const [i, wish] of wishes.entries()) {
    const made = narrow(chain.at(-1) ?? ROOT, wish, { iat: 0, jti: `t${i}` });
    if (typeof made !== "string") chain.push(made);
  }
  return chain;
}

describe("a chain of minted tokens", () => {
  it("never lets a token do what one of its ancestors may not", () => {
    let longest = 0;
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 12 }), (wishes) => {
        const chain = chainOf(wishes);
        longest = Math.max(longest, chain.length);
        for (const [i, child] of chain.slice(1).entries()) {
          const allowed = deeds(chain[i] ?? ROOT);
          expect([...deeds(child)].filter((deed) => !allowed.has(deed))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
    // Or it has proved nothing.
    expect(longest).toBeGreaterThan(3);
  });

  it("names every ancestor, the eldest first, and keeps tenant and owner", () => {
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 12 }), (wishes) => {
        const chain = chainOf(wishes);
        for (const [i, token] of chain.entries()) {
          expect(token.par ?? []).toEqual(chain.slice(0, i).map(({ jti }) => jti));
          expect(token.sub).toBe("acme");
          const owner = chain[i - 1]?.own;
          if (owner !== undefined) expect(token.own).toBe(owner);
        }
      }),
    );
  });

  it("grants all that was asked for, or refuses", () => {
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 3 }), wish, (wishes, last) => {
        const parent = chainOf(wishes).at(-1) ?? ROOT;
        const made = narrow(parent, last, { iat: 0, jti: "last" });
        if (typeof made === "string") return;
        const { scopes, exp, own, any: _, ...bounds } = last;
        expect(made.scope).toBe(scopes.join(" "));
        expect(made.exp).toBe(Math.min(exp, parent.exp));
        if (own !== undefined) expect(made.own).toBe(own);
        for (const [name, value] of Object.entries(bounds))
          if (value !== undefined) expect(made.bnd?.[name as keyof typeof bounds]).toEqual(value);
      }),
    );
  });

  it(`ends after ${MAX_ANCESTORS} ancestors`, () => {
    const plain: Wish = { scopes: SCOPES, exp: 300 };
    const chain = chainOf(Array.from({ length: MAX_ANCESTORS + 3 }, () => plain));
    expect(chain).toHaveLength(MAX_ANCESTORS + 1);
    expect(narrow(chain.at(-1) ?? ROOT, plain, { iat: 0, jti: "x" })).toBe("ancestors");
  });
});

describe("a child", () => {
  const mint = (parent: Partial<Claims>, wish: Partial<Wish>) =>
    narrow({ ...ROOT, ...parent }, { scopes: ["jobs:read"], exp: 200, ...wish }, { iat: 0, jti: "child" });
  const bound = (bnd: Claims["bnd"]) => ({ own: "a", bnd });

  it.each([
    ["a scope", { scope: "jobs:read" }, { scopes: ["jobs:write"] }, "scope"],
    ["a part of a scope's name", { scope: "jobs:readers" }, {}, "scope"],
    ["another owner", { own: "a" }, { own: "b" }, "owner"],
    ["another destination", bound({ dst: "a" }), { dst: "b" }, "destination"],
    ["a destination for origins", bound({ org: [originOf("a")] }), { dst: "a" }, "destination"],
    ["origins for a destination", bound({ dst: "a" }), { org: [originOf("a")] }, "callback_origins"],
    ["an origin", bound({ org: ["a"] }), { org: ["a", "b"] }, "callback_origins"],
    ["an endpoint", bound({ ep: ["a"] }), { ep: ["b"] }, "endpoints"],
    ["another request", bound({ req: "a" }), { req: "b" }, "request_id"],
    ["any request", bound({ req: "a" }), { any: true }, "any_request"],
    ["a longer deadline", bound({ ddl: 100 }), { ddl: 101 }, "max_deadline_seconds"],
  ] as const)("is refused more than its parent has: %s", (_, parent, wish, excess) => {
    expect(mint(parent as Partial<Claims>, wish as Partial<Wish>)).toBe(excess);
  });

  it("may have as much as its parent has, and has its bounds where it names none", () => {
    const bnd = { org: ["a"], ep: ["a", "b"], req: "a", ddl: 100 };
    const same = { own: "a", bnd, par: ["root"] };
    expect(mint(bound(bnd), { ...bnd, own: "a" })).toMatchObject(same);
    expect(mint(bound(bnd), {})).toMatchObject(same);
  });

  it("is its own owner when it is the first that is bound, and none is named", () => {
    expect(mint({}, { req: "a" })).toMatchObject({ own: "child", bnd: { req: "a" } });
    expect(mint({}, { own: "b" })).toMatchObject({ own: "b" });
    expect(mint({}, { own: "b" })).toMatchObject({ bnd: undefined });
  });

  it("without any bound is as free as its parent", () => {
    expect(mint({}, { any: true })).toEqual({
      ...ROOT,
      scope: "jobs:read",
      exp: 200,
      jti: "child",
      par: ["root"],
    });
  });
});
