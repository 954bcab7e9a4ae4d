/**
 * Ids. A job's is derived from its identity, so that registering twice finds the first; so is a repeatable call's. An
 * event's is random.
 */

import { sha256 } from "../crypto/hash.ts";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const ID_BYTES = 20;
const JOB_ID = /^job_[a-z2-7]{32}$/;

const encoder = new TextEncoder();

/** Whether the text can be a job's id at all. */
export const isJobId = (text: string): boolean => JOB_ID.test(text);

/** One of `count` shares of all jobs, each as large as the others: an id is a digest, any of its characters is chance. */
export const shareOf = (id: string, count: number): number =>
  [...id.slice(4, 10)].reduce((sum, char) => sum * 32 + BASE32.indexOf(char), 0) % count;

/** `job_` + the first 160 bits of SHA-256 over the length-prefixed parts, in base32. */
export const jobId = async (tenant: string, endpoint: string, requestId: string): Promise<string> =>
  `job_${await digestOf([tenant, endpoint, requestId])}`;

/** `msg_` + 160 random bits. */
export const newEventId = (): string => `msg_${random()}`;

/** `op_` + 160 random bits. */
export const newOperationId = (): string => `op_${random()}`;

/**
 * `gen_` + the digest of tenant, `Idempotency-Key` and, if the caller is bound to one, owner; or + 160 random bits: names
 * the object of a generation call.
 */
export const generationName = async (
  tenant: string,
  idempotencyKey: string | null,
  owner?: string,
): Promise<string> => {
  if (idempotencyKey === null) return `gen_${random()}`;
  return `gen_${await digestOf([tenant, idempotencyKey, ...(owner === undefined ? [] : [owner])])}`;
};

/** Names the limiter of a provider key at an origin; the key cannot be had from it. */
export const limiterName = async (origin: string, key: string): Promise<string> =>
  `lim_${await digestOf(["limiter", origin, key])}`;

async function digestOf(parts: readonly string[]): Promise<string> {
  // Prefixed by their lengths, so that no two identities are written alike.
  const identity = parts.map((part) => `${encoder.encode(part).length}:${part}`).join("");
  return base32(sha256(identity).subarray(0, ID_BYTES));
}

const random = (): string => base32(crypto.getRandomValues(new Uint8Array(ID_BYTES)));

/** 5 bytes become 8 characters (RFC 4648, lower case); `bytes.length` must be a multiple of 5. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return text;
}
