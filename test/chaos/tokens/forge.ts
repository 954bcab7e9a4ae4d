/**
 * A hand that writes tokens of any shape with WebCrypto alone: any header and payload, as values or as raw JSON text, and any
 * way of signing them, also those of other algorithms. Runs in workerd and in Node.
 */
import { toBase64Url } from "../../support/bytes.ts";

const encoder = new TextEncoder();

/** JSON text as it stands, where a value is not enough: members twice, numbers that no value is. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Raw | Uint8Array | object | null;
/** The signature over what stands in front of it. */
export type Signer = (content: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

export const part = (value: Part): string =>
  toBase64Url(
    value instanceof Uint8Array
      ? value
      : encoder.encode(value instanceof Raw ? value.text : JSON.stringify(value)),
  );

export async function forge(header: Part, payload: Part, sign: Signer): Promise<string> {
  const content = `${part(header)}.${part(payload)}`;
  return `${content}.${toBase64Url(await sign(new Uint8Array(encoder.encode(content))))}`;
}

export const hmac =
  (secret: Uint8Array<ArrayBuffer> | string, hash = "SHA-256"): Signer =>
  async (content) => {
    const bytes = typeof secret === "string" ? new Uint8Array(encoder.encode(secret)) : secret;
    // WebCrypto takes no empty key; an HMAC pads with zeros, so this is the same.
    const raw: Uint8Array<ArrayBuffer> = bytes.length === 0 ? new Uint8Array(1) : bytes;
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
  };

export const unsigned: Signer = async () => new Uint8Array(0);
/** So many bytes of no meaning. */
export const filled =
  (bytes: number, value = 0): Signer =>
  async () =>
    new Uint8Array(bytes).fill(value);

export interface KeyPair {
  readonly sign: Signer;
  /** As it is published: what a verifier that is confused takes for a secret. */
  readonly publicText: string;
  readonly jwk: object;
}

/** A pair of the attacker's own. */
export async function newPair(kind: "RS256" | "PS256" | "ES256" | "EdDSA"): Promise<KeyPair> {
  const rsa = { modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
  const algorithms = {
    RS256: { make: { name: "RSASSA-PKCS1-v1_5", ...rsa }, use: { name: "RSASSA-PKCS1-v1_5" } },
    PS256: { make: { name: "RSA-PSS", ...rsa }, use: { name: "RSA-PSS", saltLength: 32 } },
    ES256: { make: { name: "ECDSA", namedCurve: "P-256" }, use: { name: "ECDSA", hash: "SHA-256" } },
    EdDSA: { make: { name: "Ed25519" }, use: { name: "Ed25519" } },
  } as const;
  const { make, use } = algorithms[kind];
  const pair = (await crypto.subtle.generateKey(make, true, ["sign", "verify"])) as CryptoKeyPair;
  const spki = new Uint8Array((await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer);
  const lines = btoa(String.fromCharCode(...spki)).replace(/.{64}/g, "$&\n");
  return {
    sign: async (content) => new Uint8Array(await crypto.subtle.sign(use, pair.privateKey, content)),
    publicText: `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`,
    jwk: (await crypto.subtle.exportKey("jwk", pair.publicKey)) as object,
  };
}
