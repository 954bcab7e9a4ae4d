/**
 * The unguessable part of a hint URL: names the object that is to be woken, with a MAC over the name (HMAC-SHA256,
 * keyed from a master key). Whoever does not hold it from us cannot wake anything.
 */
import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import { deriveKey, type MasterKey } from "./keys.ts";

const encoder = new TextEncoder();

async function hmacKey(master: MasterKey, usage: "sign" | "verify"): Promise<CryptoKey> {
  const params = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", await deriveKey(master, "hint"), params, false, [usage]);
}

/** `<kid>.<name>.<MAC>`; `name` holds no dot. */
export async function makeHint(name: string, newest: MasterKey): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", await hmacKey(newest, "sign"), encoder.encode(name));
  return `${newest.kid}.${name}.${encodeBase64Url(mac).replace(/=+$/, "")}`;
}

/** The name in a hint that one of `masterKeys` made; `null` for anything else. */
export async function readHint(hint: string, masterKeys: readonly MasterKey[]): Promise<string | null> {
  const [kid, name, mac, ...more] = hint.split(".");
  const master = masterKeys.find((key) => key.kid === kid);
  if (!master || name === undefined || mac === undefined || more.length > 0) return null;
  try {
    const key = await hmacKey(master, "verify");
    const given = decodeBase64Url(mac);
    return (await crypto.subtle.verify("HMAC", key, given, encoder.encode(name))) ? name : null;
  } catch {
    return null;
  }
}
