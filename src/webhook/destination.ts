/**
 * A named callback configuration. What is secret about it stands in one sealed text, which jobs copy as it is: URL,
 * headers and signing secrets. What decides when to send stands beside it.
 */
import { decodeBase64, encodeBase64 } from "hono/utils/encode";
import type { MasterKey } from "../crypto/keys.ts";
import { open, seal } from "../crypto/vault.ts";
import type { EventFormat } from "./event.ts";

/** The sealed part. */
export interface DestinationContent {
  readonly url: string;
  /** Sent with every attempt; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** `whsec_…` */
  readonly secret: string;
  /** Secrets that were rotated away and still sign until then (epoch ms), newest first. */
  readonly previous: readonly { readonly secret: string; readonly until: number }[];
}

/** What a job keeps of a destination that it has read. */
export interface DestinationCopy {
  /** A {@link DestinationContent}, sealed for its tenant and name. */
  readonly sealed: string;
  /** The URL's host, with a port that is not the default. */
  readonly host: string;
  /** Seconds to wait before attempts 2, 3, …; `null`: the default schedule. */
  readonly retrySchedule: readonly number[] | null;
}

/** What a job is told of a destination. */
export interface DestinationRead {
  readonly copy: DestinationCopy;
  readonly format: EventFormat;
}

/** What a destination may be called: it stands in paths. */
export const isDestinationName = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text);

/** Deliveries under way to one host, where the destination says nothing else. */
export const DEFAULT_MAX_IN_FLIGHT = 10;

const SECRET_PREFIX = "whsec_";
const SECRET_BYTES = 32;

const boundTo = (tenant: string, name: string): string => `destination/${tenant}/${name}`;

export const sealDestination = (
  content: DestinationContent,
  tenant: string,
  name: string,
  newest: MasterKey,
): Promise<string> => seal(JSON.stringify(content), boundTo(tenant, name), newest);

/** `null` when its master key is gone. */
export async function openDestination(
  sealed: string,
  tenant: string,
  name: string,
  masterKeys: readonly MasterKey[],
): Promise<DestinationContent | null> {
  const text = await open(sealed, boundTo(tenant, name), masterKeys);
  return text === null ? null : (JSON.parse(text) as DestinationContent);
}

/** `whsec_` + 32 random bytes. */
export const newSecret = (): string =>
  SECRET_PREFIX + encodeBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).buffer);

/** The bytes of a `whsec_…`; `null` for what is none (Standard Webhooks: 24 to 64 bytes in base64). */
export function secretBytes(secret: string): Uint8Array<ArrayBuffer> | null {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  if (encoded === undefined) return null;
  try {
    const bytes = new Uint8Array(decodeBase64(encoded));
    return bytes.length >= 24 && bytes.length <= 64 ? bytes : null;
  } catch {
    return null;
  }
}

/** What signs now, newest first. */
export const signingKeys = (
  { secret, previous }: DestinationContent,
  now: number,
): Uint8Array<ArrayBuffer>[] =>
  [secret, ...previous.filter(({ until }) => until > now).map(({ secret }) => secret)].flatMap(
    (text) => secretBytes(text) ?? [],
  );
