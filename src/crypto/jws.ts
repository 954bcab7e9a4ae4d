/**
 * Compact JWS with HMAC-SHA256 and nothing else (RFC 7515; RFC 7518, 3.2): one algorithm, so that no header can choose
 * another. The HMAC is the platform's; a library that knows all algorithms weighs 2.5 KiB of the Worker more. Tests hold
 * it against such a library, in both directions.
 */
import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import { hmacSha256, isHmacSha256 } from "./hash.ts";

/** Longer than any token of ours; a header of that size is not taken apart. */
const MAX_CHARS = 8 * 1024;
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

const toText = (bytes: ArrayBuffer): string => encodeBase64Url(bytes).replace(/=+$/, "");
const part = (value: object): string => toText(new Uint8Array(encoder.encode(JSON.stringify(value))).buffer);

/** The token, with `kid` in its header. */
export function signJws(payload: object, kid: string, secret: Uint8Array): string {
  const signed = `${part({ alg: "HS256", typ: "JWT", kid })}.${part(payload)}`;
  return `${signed}.${toText(hmacSha256(secret, signed).buffer)}`;
}

/** A token taken apart; nothing in it is to be believed before {@link verifyJws}. */
export interface Jws {
  readonly kid: string;
  readonly payload: Record<string, unknown>;
  readonly signed: string;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** `null` for what is no token of this kind: another algorithm, no key id, or what a reader must know and we do not. */
export function parseJws(token: string): Jws | null {
  const [, head, body, mac] = token.length > MAX_CHARS ? [] : (COMPACT.exec(token) ?? []);
  if (head === undefined || body === undefined || mac === undefined) return null;
  try {
    const [header, payload] = [objectIn(head), objectIn(body)];
    if (header?.alg !== "HS256" || typeof header.kid !== "string" || "crit" in header || !payload)
      return null;
    const signature = bytesIn(mac);
    // Base64 leaves bits over: a token is written in one way.
    if (toText(signature.buffer) !== mac) return null;
    return { kid: header.kid, payload, signed: `${head}.${body}`, signature };
  } catch {
    return null;
  }
}

/** Whether it was signed with this secret. */
export const verifyJws = ({ signed, signature }: Jws, secret: Uint8Array): boolean =>
  isHmacSha256(signature, secret, signed);

const bytesIn = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(decodeBase64Url(text));

function objectIn(text: string): Record<string, unknown> | null {
  const value: unknown = JSON.parse(decoder.decode(bytesIn(text)));
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : null;
}
