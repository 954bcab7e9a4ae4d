/**
 * SHA-256 and HMAC-SHA256 at once, where `crypto.subtle` would give the turn away for each of its steps.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export const sha256 = (text: string): Uint8Array => createHash("sha256").update(text).digest();

export const hmacSha256 = (secret: Uint8Array, content: Uint8Array | string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createHmac("sha256", secret).update(content).digest());

/** Compared in constant time. */
export const isHmacSha256 = (mac: Uint8Array, secret: Uint8Array, content: string): boolean =>
  mac.length === 32 && timingSafeEqual(mac, hmacSha256(secret, content));
