/**
 * Standard Webhooks signatures (https://www.standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over
 * `id.timestamp.body`. A tenant's secrets are derived from the master keys, so rotating a master key rotates
 * every secret, with an overlap for as long as both are listed.
 */
import { encodeBase64 } from "hono/utils/encode";
import { deriveKey, type MasterKey } from "../crypto/keys.ts";

const secretBytes = (master: MasterKey, tenant: string): Promise<Uint8Array<ArrayBuffer>> =>
  deriveKey(master, `webhook/${tenant}`);

/** The tenant's secrets as receivers configure them (`whsec_…`), newest first. */
export async function signingSecrets(
  masterKeys: readonly MasterKey[],
  tenant: string,
): Promise<readonly string[]> {
  return Promise.all(
    masterKeys.map(async (master) => `whsec_${encodeBase64((await secretBytes(master, tenant)).buffer)}`),
  );
}

/** What stands in front of the body in the signed content. `timestamp` in seconds since 1970. */
export const signedPrefix = (id: string, timestamp: number): string => `${id}.${timestamp}.`;

/**
 * The `webhook-signature` header for `content` = {@link signedPrefix} + body: one `v1,` signature per master key,
 * newest first, separated by spaces.
 */
export async function signatureHeader(
  content: Uint8Array<ArrayBuffer>,
  masterKeys: readonly MasterKey[],
  tenant: string,
): Promise<string> {
  const signatures = masterKeys.map(async (master) => {
    const params = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", await secretBytes(master, tenant), params, false, [
      "sign",
    ]);
    return `v1,${encodeBase64(await crypto.subtle.sign("HMAC", key, content))}`;
  });
  return (await Promise.all(signatures)).join(" ");
}
