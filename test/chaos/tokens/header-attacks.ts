/**
 * Attacks on how a token says that it is signed: its algorithm, its key, the key's id, and whatever else a header can ask a
 * reader to do.
 */
import { deriveKey } from "../../../src/crypto/keys.ts";
import type { TokenFault } from "../../../src/crypto/token.ts";
import { toBase64, toBase64Url } from "../../support/bytes.ts";
import { filled, forge, hmac, newPair, type Part, Raw, type Signer, unsigned } from "./forge.ts";
import { type Attack, BAD, goodClaims, HS256, NONE, type Victim } from "./victim.ts";

const KID_MAX = 4_000;

export async function algorithms({ master, tenant }: Victim, right: Signer): Promise<Attack[]> {
  const group = "algorithm";
  const secret = await deriveKey(master, "token");
  const made: Attack[] = [];
  const add = async (what: string, header: Part, sign: Signer) =>
    made.push({ group, what, token: await forge(header, goodClaims(tenant), sign), faults: NONE });
  const named = (alg: unknown): Part => ({ typ: "JWT", kid: master.kid, alg });
  for (const alg of ["none", "None", "NONE", "nOnE", "", " none", "null"]) {
    await add(`${JSON.stringify(alg)}, unsigned`, named(alg), unsigned);
    await add(`${JSON.stringify(alg)}, signed`, named(alg), right);
  }
  for (const alg of ["hs256", "Hs256", "HS256 ", " HS256", "HS-256", "HMAC-SHA256", "HS256\u0000", "ＨＳ256"])
    await add(JSON.stringify(alg), named(alg), right);
  for (const alg of [null, 256, true, ["HS256"], ["HS256", "none"], { alg: "HS256" }, undefined])
    await add(`${JSON.stringify(alg)}`, named(alg), right);
  await add("two, the last is none", new Raw(`{"alg":"HS256","kid":"${master.kid}","alg":"none"}`), right);
  await add("in capitals", { ALG: "HS256", kid: master.kid }, right);
  await add("HS384 with the right key", named("HS384"), hmac(secret, "SHA-384"));
  await add("HS512 with the right key", named("HS512"), hmac(secret, "SHA-512"));
  for (const alg of ["RS256", "PS256", "ES256", "EdDSA"] as const) {
    const pair = await newPair(alg);
    await add(`${alg} with a pair of one's own`, named(alg), pair.sign);
    await add(`${alg}, HMAC with the public text`, named(alg), hmac(pair.publicText));
    await add(`${alg}, HMAC with the right key`, named(alg), right);
    const confused = { ...HS256, kid: master.kid };
    const token = await forge(confused, goodClaims(tenant), hmac(pair.publicText));
    made.push({ group, what: `HS256 with the public text of ${alg}`, token, faults: BAD });
  }
  for (const hash of ["SHA-1", "SHA-384", "SHA-512"])
    made.push({
      group,
      what: `HS256 that is HMAC with ${hash}`,
      token: await forge({ ...HS256, kid: master.kid }, goodClaims(tenant), hmac(secret, hash)),
      faults: BAD,
    });
  return made;
}

export async function keys({ master, older, tenant }: Victim): Promise<Attack[]> {
  const webhook = await deriveKey(master, `webhook/${tenant}`);
  const stranger = { kid: master.kid, bytes: new Uint8Array(32).fill(0x5a) };
  const signers: readonly (readonly [what: string, sign: Signer])[] = [
    ["an empty one", hmac("")],
    ["a zero byte", hmac("\u0000")],
    ["32 zero bytes", hmac(new Uint8Array(32))],
    ["the key id", hmac(master.kid)],
    ["a word", hmac("secret")],
    ["the name of the project", hmac("pollhook")],
    ["the label", hmac("pollhook/v1/token")],
    ["the master key itself", hmac(master.bytes)],
    ["the master key in base64", hmac(toBase64(master.bytes))],
    ["the tenant's signing secret", hmac(webhook)],
    ["the tenant's signing secret as text", hmac(`whsec_${toBase64(webhook)}`)],
    ["the base64 of the signing secret", hmac(toBase64(webhook))],
    ["the signing secret of another tenant", hmac(await deriveKey(master, "webhook/token"))],
    ["the key that seals", hmac(await deriveKey(master, "seal"))],
    ["the key of hints", hmac(await deriveKey(master, "hint"))],
    ["the older master key's", hmac(await deriveKey(older, "token"))],
    ["another deployment's", hmac(await deriveKey(stranger, "token"))],
    ["the right key in base64", hmac(toBase64(await deriveKey(master, "token")))],
    ["the right key's first half", hmac((await deriveKey(master, "token")).slice(0, 16))],
    ["none: no signature", unsigned],
    ["none: zeros", filled(32)],
    ["none: ones", filled(32, 255)],
  ];
  return Promise.all(
    signers.map(async ([what, sign]) => ({
      group: "key",
      what,
      token: await forge({ ...HS256, kid: master.kid }, goodClaims(tenant), sign),
      faults: BAD,
    })),
  );
}

export async function keyIds({ master, older, tenant }: Victim, right: Signer): Promise<Attack[]> {
  const made: Attack[] = [];
  const add = async (what: string, header: Part, faults: readonly TokenFault[], sign = right) =>
    made.push({ group: "key id", what, token: await forge(header, goodClaims(tenant), sign), faults });
  const { kid } = master;
  const unknown = [
    ...[
      "",
      " ",
      `${kid} `,
      ` ${kid}`,
      kid.toUpperCase(),
      `${kid}\u0000`,
      `${kid},${older.kid}`,
      "*",
      "0",
      "-1",
      "null",
      "undefined",
    ],
    ...[
      "../../../dev/null",
      "/dev/null",
      "..\\..\\k",
      "file:///dev/null",
      "https://example.com/jwks.json",
      "jndi:ldap://x",
    ],
    ...[
      "' OR '1'='1",
      "x' UNION SELECT 'AA==' --",
      "; DROP TABLE keys",
      "__proto__",
      "constructor",
      "prototype",
      "toString",
    ],
    ...["hasOwnProperty", "length", "k".repeat(KID_MAX), "𝐜1", `${kid}:${toBase64(new Uint8Array(32))}`],
  ].filter((id) => id !== kid);
  for (const id of unknown)
    await add(JSON.stringify(id).slice(0, 40), { ...HS256, kid: id }, ["unknown_key"]);
  for (const id of [undefined, null, 1, 0, true, [kid], { kid }, [[kid]]])
    await add(`no text: ${JSON.stringify(id)}`, { ...HS256, kid: id }, NONE);
  await add("of the older key", { ...HS256, kid: older.kid }, BAD);
  const twice = (first: string, last: string) => new Raw(`{"alg":"HS256","kid":"${first}","kid":"${last}"}`);
  await add("two, the last unknown", twice(kid, "x"), ["unknown_key"]);
  await add("two, the last right, signed with an empty key", twice("x", kid), BAD, hmac(""));
  await add("in the payload alone", { ...HS256 }, NONE);
  return made;
}

export async function headers({ master, tenant }: Victim, right: Signer): Promise<Attack[]> {
  const { kid } = master;
  const made: Attack[] = [];
  const add = async (
    what: string,
    header: Part,
    faults: readonly TokenFault[],
    sign: Signer,
    payload?: Part,
  ) =>
    made.push({
      group: "header",
      what,
      token: await forge(header, payload ?? goodClaims(tenant), sign),
      faults,
    });
  const own = "an attacker's own secret of 32 b.";
  const oct = { kty: "oct", k: toBase64Url(new TextEncoder().encode(own)), alg: "HS256", kid };
  const leading: readonly (readonly [what: string, members: object])[] = [
    ["jwk", { jwk: oct }],
    ["jwk of an empty key", { jwk: { kty: "oct", k: "" } }],
    ["jku", { jku: "https://example.com/jwks.json" }],
    ["jku to the loopback", { jku: "http://127.0.0.1/jwks.json" }],
    ["x5u", { x5u: "https://example.com/key.pem" }],
    ["x5c", { x5c: ["MIIB"] }],
    ["x5t", { x5t: "AAAA" }],
    ["b64 false", { b64: false }],
    ["epk", { epk: oct }],
    ["p2c", { alg: "HS256", p2c: 2_147_483_647, p2s: "AAAA" }],
  ];
  for (const [what, members] of leading) await add(what, { ...HS256, kid, ...members }, BAD, hmac(own));
  for (const crit of [["b64"], [], ["alg"], "b64", null, true])
    await add(`crit ${JSON.stringify(crit)}`, { ...HS256, kid, crit, b64: false }, NONE, right);
  const packed = new Uint8Array([0x4b, 0x4c, 0x4a, 0x4e, 0x49, 0x05, 0x00]);
  await add("zip, with a packed payload", { ...HS256, kid, zip: "DEF" }, NONE, right, packed);
  for (const text of [
    "null",
    "[]",
    '"HS256"',
    "7",
    "{",
    "",
    "{}",
    `[{"alg":"HS256","kid":"${kid}"}]`,
    "\u0000",
  ])
    await add(`that is ${JSON.stringify(text)}`, new Raw(text), NONE, right);
  await add("that is no UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), NONE, right);
  await add("in a prototype", new Raw(`{"__proto__":{"alg":"HS256","kid":"${kid}"}}`), NONE, right);
  await add("of a JWE", { alg: "dir", enc: "A256GCM", kid }, NONE, right);
  return made;
}
