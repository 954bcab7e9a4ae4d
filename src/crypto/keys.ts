/**
 * Every key is derived from a master key by HKDF-SHA256, one label for each use, so that none of them reveals
 * another and rotation means: put a new master key in front of the list.
 */
import { decodeBase64 } from "hono/utils/encode";

export interface MasterKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const MASTER_KEYS_HELP =
  'set the secret MASTER_KEYS to "<key id>:<base64 of 32 random bytes>", several separated by commas, newest first';

/** What a derived key is for; a tenant's webhook key carries the tenant behind a fixed prefix. */
export type KeyLabel = "seal" | "token" | "hint" | `webhook/${string}`;

/** Bounds the cache: an isolate serves many tenants. */
const MAX_CACHED_KEYS = 1000;

const encoder = new TextEncoder();
const cache = new WeakMap<MasterKey, Map<KeyLabel, Promise<Uint8Array<ArrayBuffer>>>>();

/** 32 bytes for this use. Derivation is cached as long as the master key object lives. */
export function deriveKey(master: MasterKey, label: KeyLabel): Promise<Uint8Array<ArrayBuffer>> {
  let keys = cache.get(master);
  if (!keys) {
    keys = new Map();
    cache.set(master, keys);
  }
  let key = keys.get(label);
  if (!key) {
    if (keys.size >= MAX_CACHED_KEYS) keys.clear();
    key = hkdf(master.bytes, `pollhook/v1/${label}`);
    keys.set(label, key);
  }
  return key;
}

async function hkdf(secret: Uint8Array<ArrayBuffer>, info: string): Promise<Uint8Array<ArrayBuffer>> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const params = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encoder.encode(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(params, base, 256));
}

/** Parses `kid:base64,…`; pushes one problem a fault. */
export function parseMasterKeys(text: string | undefined, problems: string[]): MasterKey[] {
  const keys: MasterKey[] = [];
  const items = (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  if (items.length === 0) problems.push(`MASTER_KEYS is missing: ${MASTER_KEYS_HELP}`);
  for (const [index, item] of items.entries()) {
    const where = `MASTER_KEYS, entry ${index + 1}`;
    const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/.exec(item);
    const [, kid, encoded] = match ?? [];
    const bytes = encoded === undefined ? null : decodeKey(encoded);
    if (kid === undefined || bytes === null) problems.push(`${where} is malformed: ${MASTER_KEYS_HELP}`);
    else if (bytes.length !== 32)
      problems.push(`${where} holds ${bytes.length} bytes, not 32: ${MASTER_KEYS_HELP}`);
    else if (keys.some((key) => key.kid === kid))
      problems.push(`${where} repeats a key id: each must be unique`);
    else keys.push({ kid, bytes });
  }
  return keys;
}

function decodeKey(encoded: string): Uint8Array<ArrayBuffer> | null {
  try {
    return new Uint8Array(decodeBase64(encoded.replace(/-/g, "+").replace(/_/g, "/")));
  } catch {
    return null;
  }
}
