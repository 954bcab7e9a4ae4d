/**
 * Standard Webhooks signatures (https://www.standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over
 * `id.timestamp.body`. A tenant's secrets are derived from the master keys, so rotating a master key rotates
 * every secret, with an overlap for as long as both are listed.
 */
import { encodeBase64 } from "hono/utils/encode";
import { hmacSha256 } from "../crypto/hash.ts";
import { deriveKey, type MasterKey } from "../crypto/keys.ts";

/** The tenant's own secrets, newest first: one for each master key. */
export const tenantKeys = (
  masterKeys: readonly MasterKey[],
  tenant: string,
): Promise<Uint8Array<ArrayBuffer>[]> =>
  Promise.all(masterKeys.map((master) => deriveKey(master, `webhook/${tenant}`)));

/** The tenant's secrets as receivers configure them (`whsec_…`), newest first. */
export async function signingSecrets(
  masterKeys: readonly MasterKey[],
  tenant: string,
): Promise<readonly string[]> {
  return (await tenantKeys(masterKeys, tenant)).map((bytes) => `whsec_${encodeBase64(bytes.buffer)}`);
}

/** What stands in front of the body in the signed content. `timestamp` in seconds since 1970. */
export const signedPrefix = (id: string, timestamp: number): string => `${id}.${timestamp}.`;

/**
 * The `webhook-signature` header for `content` = {@link signedPrefix} + body: one `v1,` signature for each of `keys`,
 * in their order, separated by spaces.
 */
export function signatureHeader(
  content: Uint8Array<ArrayBuffer>,
  keys: readonly Uint8Array<ArrayBuffer>[],
): string {
  return keys.map((key) => `v1,${encodeBase64(hmacSha256(key, content).buffer)}`).join(" ");
}
