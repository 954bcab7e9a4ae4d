/**
 * Attacks on what a token says, each signed with the right key, and on how it is written.
 */
import type { Claims } from "../../../src/crypto/token.ts";
import { forge, type Part, part, Raw, type Signer } from "./forge.ts";
import { type Attack, BAD, goodClaims, HS256, NONE, seconds, type Victim } from "./victim.ts";

export async function claims({ master, tenant, revoked }: Victim, right: Signer): Promise<Attack[]> {
  const made: Attack[] = [];
  const header = { ...HS256, kid: master.kid };
  const add = async (group: string, what: string, payload: Part, faults = NONE) =>
    made.push({ group, what, token: await forge(header, payload, right), faults });
  const changed = async (
    group: string,
    name: keyof Claims | "nbf",
    values: readonly unknown[],
    faults = NONE,
  ) => {
    for (const value of values)
      await add(
        group,
        `${name} ${JSON.stringify(value)?.slice(0, 40)}`,
        goodClaims(tenant, { [name]: value }),
        faults,
      );
  };
  const now = seconds();
  const text = (exp: string): Raw =>
    new Raw(JSON.stringify(goodClaims(tenant, { exp: 0 })).replace('"exp":0', `"exp":${exp}`));
  await changed("time", "exp", [now, now - 1, now - 3_600, 0, -1, -1e308, 0.5, now - 0.001], ["expired"]);
  await changed("time", "exp", [undefined, null, String(now + 3_600), "", true, [now + 3_600], { s: now }]);
  for (const exp of ["-1e999", "1e-400"]) await add("time", `exp ${exp}`, text(exp), ["expired"]);
  for (const exp of ["NaN", "Infinity", "+1", "0x7fffffff", "1_000", "9e9n", "01"])
    await add("time", `exp ${exp}`, text(exp));
  await changed("time", "nbf", [now + 3_600, now + 600, 1e308, "0", null, true, [0]]);
  await changed("time", "iat", [undefined, null, String(now), true, [now]]);
  await changed("tenant", "sub", [
    undefined,
    null,
    "",
    7,
    true,
    [tenant],
    { sub: tenant },
    `${tenant} `,
    ` ${tenant}`,
  ]);
  await changed("tenant", "sub", [
    `../${tenant}`,
    `${tenant}/../x`,
    `${tenant}/x`,
    `${tenant}\u0000`,
    `${tenant}\n`,
    "*",
  ]);
  await changed("tenant", "sub", [
    "аcme",
    "ａcme",
    "acme\u200b",
    "acmé",
    "𝐚cme",
    "a".repeat(65),
    "a:b",
    "a,b",
    "%61cme",
  ]);
  await changed("rights", "scope", [undefined, null, 7, true, ["jobs:read"], { "jobs:read": true }]);
  await changed("rights", "own", [null, 7, ["x"], true]);
  await changed("rights", "bnd", [{ req: "1" }, {}, null, "req", [], { nobody: 1 }]);
  for (const bnd of [{ ep: "v3" }, { req: 1 }, { ddl: "60" }, { org: null }, { unheard_of: 1 }, null])
    await add("rights", `bounds ${JSON.stringify(bnd)}`, goodClaims(tenant, { own: "phone", bnd }));
  await changed("revocation", "jti", [undefined, null, 7, true, ["attacked"]]);
  await changed("revocation", "par", [null, "x", [7], {}, [[revoked]]]);
  await add("revocation", "its own jti", goodClaims(tenant, { jti: revoked }), ["revoked"]);
  await add("revocation", "its parent's", goodClaims(tenant, { own: "a", par: [revoked] }), ["revoked"]);
  await add("revocation", "an ancestor's", goodClaims(tenant, { par: ["x", revoked, "y"] }), ["revoked"]);
  await add("revocation", "revoked and expired", goodClaims(tenant, { jti: revoked, exp: now - 1 }), [
    "expired",
  ]);
  for (const payload of ["null", "[]", "7", '"acme"', "{", "", "{}", "true"])
    await add("payload", payload, new Raw(payload));
  await add("payload", "no UTF-8", new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]));
  await add("payload", "a list of claims", [goodClaims(tenant)]);
  await add(
    "payload",
    "claims of the prototype",
    new Raw(`{"__proto__":${JSON.stringify(goodClaims(tenant))}}`),
  );
  const twice = JSON.stringify(goodClaims(tenant)).replace(/\}$/, ',"sub":""}');
  await add("payload", "sub twice, the last one empty", new Raw(twice));
  return made;
}

export async function shapes({ master, tenant }: Victim, right: Signer): Promise<Attack[]> {
  const header = { ...HS256, kid: master.kid };
  const good = await forge(header, goodClaims(tenant), right);
  const other = await forge(header, goodClaims("globex", { jti: "other" }), right);
  const [head = "", body = "", mac = ""] = good.split(".");
  const [, otherBody = "", otherMac = ""] = other.split(".");
  const widened = (changes: Readonly<Record<string, unknown>>): string =>
    `${head}.${part(goodClaims(tenant, changes))}.${mac}`;
  const edited: readonly (readonly [what: string, token: string])[] = [
    ["another tenant", `${head}.${part(goodClaims("globex"))}.${mac}`],
    ["a longer life", widened({ exp: seconds() + 9_999_999 })],
    ["more rights", widened({ scope: "provider:admin jobs:read jobs:write" })],
    ["another jti", widened({ jti: "fresh" })],
    ["another's payload", `${head}.${otherBody}.${mac}`],
    ["another's signature", `${head}.${body}.${otherMac}`],
    ["an expired payload", widened({ exp: 1 })],
    ["a header that says more", `${part({ ...header, x: 1 })}.${body}.${mac}`],
    ["the header in another order", `${part({ kid: master.kid, typ: "JWT", alg: "HS256" })}.${body}.${mac}`],
    ["half a signature", `${head}.${body}.${mac.slice(0, 21)}`],
    ["a longer signature", `${head}.${body}.${mac.slice(0, -1)}AAAA`],
    ["the signature twice", `${head}.${body}.${mac}${mac}`],
    ["a reversed signature", `${head}.${body}.${[...mac].reverse().join("")}`],
  ];
  const broken: readonly (readonly [what: string, token: string])[] = [
    ["four parts", `${good}.${mac}`],
    ["five parts", `${head}.${body}.${mac}.${mac}.${mac}`],
    ["a dot behind it", `${good}.`],
    ["a dot in front", `.${good}`],
    ["two dots between", `${head}..${body}.${mac}`],
    ["no header", `.${body}.${mac}`],
    ["no payload", `${head}..${mac}`],
    ["two parts", `${head}.${body}`],
    ["one part", head],
    ["dots alone", ".."],
    ["the parts in another order", `${body}.${head}.${mac}`],
    ["padding", `${good}=`],
    ["padding inside", `${head}=.${body}.${mac}`],
    ["double padding", `${head}==.${body}==.${mac}==`],
    ["plain base64", `${head}.${body}+/.${mac}`],
    ["a space inside", `${head}. ${body}.${mac}`],
    ["a space behind it", `${good} `],
    ["a space in front", ` ${good}`],
    ["a line break behind it", `${good}\n`],
    ["CRLF and a header", `${good}\r\nx-injected: 1`],
    ["a tab", `${head}.\t${body}.${mac}`],
    ["a zero byte", `${good}\u0000`],
    ["a zero-width space", `${good}\u200b`],
    ["full-width dots", `${head}．${body}．${mac}`],
    ["letters of another script", `е${good.slice(1)}`],
    ["percent-encoding", good.replaceAll(".", "%2E")],
    ["quotes", `"${good}"`],
    ["the scheme twice", `Bearer ${good}`],
    ["two tokens", `${good},${other}`],
    ["JSON", JSON.stringify({ protected: head, payload: body, signature: mac })],
    ["one character too many", await forge(header, goodClaims(tenant, { pad: "x".repeat(6_000) }), right)],
    ["100 KB of header", await forge({ ...header, pad: "x".repeat(75_000) }, goodClaims(tenant), right)],
    ["1 MB", `${head}.${"A".repeat(1_000_000)}.${mac}`],
    ["a thousand dots", ".".repeat(1_000)],
    ["the provider's own key", "sk-provider-key-0123456789"],
  ];
  return [
    ...edited.map(([what, token]) => ({ group: "edited", what, token, faults: [...BAD, ...NONE] })),
    ...broken.map(([what, token]) => ({ group: "shape", what, token, faults: NONE })),
  ];
}
