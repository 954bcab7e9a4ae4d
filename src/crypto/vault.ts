/**
 * Sealing of provider keys at rest: AES-256-GCM under the newest master key, opened with any listed one.
 * The job id is additional data, so a sealed key copied into another record does not open.
 */
import { decodeBase64, encodeBase64 } from "hono/utils/encode";
import { deriveKey, type MasterKey } from "./keys.ts";

const IV_BYTES = 12;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function aesKey(master: MasterKey, usage: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", await deriveKey(master, "seal"), "AES-GCM", false, [usage]);
}

/** Seals `secret` for `boundTo`. The result names its key id: `<kid>.<iv>.<ciphertext>`. */
export async function seal(secret: string, boundTo: string, newest: MasterKey): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const params = { name: "AES-GCM", iv, additionalData: encoder.encode(boundTo) };
  const sealed = await crypto.subtle.encrypt(params, await aesKey(newest, "encrypt"), encoder.encode(secret));
  return `${newest.kid}.${encodeBase64(iv.buffer)}.${encodeBase64(sealed)}`;
}

/** Opens what {@link seal} made; `null` when its master key is gone or anything about it was changed. */
export async function open(
  sealed: string,
  boundTo: string,
  masterKeys: readonly MasterKey[],
): Promise<string | null> {
  const [kid, iv, ciphertext, ...more] = sealed.split(".");
  const master = masterKeys.find((key) => key.kid === kid);
  if (!master || iv === undefined || ciphertext === undefined || more.length > 0) return null;
  try {
    const params = { name: "AES-GCM", iv: decodeBase64(iv), additionalData: encoder.encode(boundTo) };
    const key = await aesKey(master, "decrypt");
    return decoder.decode(await crypto.subtle.decrypt(params, key, decodeBase64(ciphertext)));
  } catch {
    return null;
  }
}
