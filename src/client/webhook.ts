/**
 * Checks that a callback is Pollhook's: a Standard Webhooks signature (https://www.standardwebhooks.com), not too old.
 * The comparison is WebCrypto's own, which takes the same time wherever a difference stands.
 */
import { PollhookError } from "./error.ts";
import type { EventFormat, JobError, JsonObject } from "./types.ts";

/** How far the sender's clock and ours may be apart, the way included. */
const TOLERANCE_SECONDS = 5 * 60;
/** Of one message; a rotation has a few. What is longer was made to cost us time. */
const MAX_SIGNATURES = 16;

/** A request as a server has it; `body` is what came, byte for byte: text that was parsed is of no use. */
export type WebhookRequest =
  | Request
  | {
      readonly headers:
        | { get(name: string): string | null }
        | Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: string | Uint8Array | ArrayBuffer;
    };

/**
 * A `whsec_…`, or several while one replaces the other. Those of a list that are `undefined`, `null` or empty are passed
 * over: a rotation that is not under way. One that is anything else is an error, also beside a good one: it shows when it
 * is put there, and not on the day on which the other one ends.
 */
export type WebhookSecret = string | readonly (string | null | undefined)[];

export interface VerifyOptions {
  /** Epoch ms; the present unless given. */
  readonly now?: number;
}

interface EventData {
  readonly job_id: string;
  readonly endpoint: string;
  readonly request_id: string;
  readonly output: unknown;
  readonly proxy_links: unknown;
  /** The provider's last answer. */
  readonly provider: JsonObject | null;
  readonly error: JobError | null;
  readonly metadata: JsonObject;
  readonly registered_at: string;
  readonly finished_at: string;
  readonly polls: number;
}

/** What a callback in the format `standard` says. */
export type WebhookEvent =
  | {
      readonly type: "job.succeeded" | "job.expired";
      readonly timestamp: string;
      readonly data: EventData & { readonly error: null };
    }
  | {
      readonly type: "job.failed";
      readonly timestamp: string;
      readonly data: EventData & { readonly error: JobError };
    }
  | { readonly type: "ping"; readonly timestamp: string; readonly data: { readonly destination: string } };

/** `id` is the same in every attempt of an event: use it to drop duplicates. */
export type VerifiedEvent = WebhookEvent & { readonly id: string };

/** A callback that is genuine, whatever its format. */
export interface VerifiedText {
  readonly id: string;
  /** When the attempt was made, in seconds since 1970. */
  readonly timestamp: number;
  /** The body as it came: every digit of a big integer is there. */
  readonly body: string;
}

/**
 * The event of a genuine callback in the format `standard`. Rejects with a `PollhookError` whose code begins with
 * `webhook_`: answer 401. Where that is `webhook_secret_invalid`, no request would pass.
 * @example
 * const event = await verifyWebhook(request, env.POLLHOOK_SECRET);
 * if (event.type === "job.succeeded") console.log(event.data.output);
 */
export async function verifyWebhook(
  request: WebhookRequest,
  secret: WebhookSecret,
  options: VerifyOptions = {},
): Promise<VerifiedEvent> {
  const { id, body } = await verifyWebhookText(request, secret, options);
  const event = parse(body);
  if (typeof event.type === "string" && typeof event.data === "object" && event.data !== null)
    return { ...(event as unknown as WebhookEvent), id };
  throw refusal("body_unreadable", `The body is genuine, but no event in the format "${STANDARD}".`);
}

const STANDARD: EventFormat = "standard";

/**
 * The same for any format, with the body as text: for `"format": "provider"`, or where big integers matter.
 * @example const { id, body } = await verifyWebhookText({ headers: request.headers, body: raw }, secret)
 */
export async function verifyWebhookText(
  request: WebhookRequest,
  secret: WebhookSecret,
  { now = Date.now() }: VerifyOptions = {},
): Promise<VerifiedText> {
  const secrets = secretsOf(secret);
  const { headers } = request;
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signatures = signaturesOf(headerOf(headers, "webhook-signature"));
  if (!/^\d{1,12}$/.test(timestamp)) throw refusal("timestamp_refused", "webhook-timestamp is no time.");
  const age = Math.floor(now / 1000) - Number(timestamp);
  // A clock that is no number must not let everything pass.
  if (!(Math.abs(age) <= TOLERANCE_SECONDS))
    throw refusal(
      "timestamp_refused",
      `It was sent ${Math.abs(age)} s ${age > 0 ? "ago" : "ahead of this clock"}.`,
    );
  const bytes = await bytesOf(request);
  const keys = await Promise.all(secrets.map(importSecret));
  const content = join(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  if (!(await isSigned(content, signatures, keys)))
    throw refusal(
      "signature_refused",
      "No signature fits: another secret, or a body that is not as it was sent.",
    );
  return { id, timestamp: Number(timestamp), body: new TextDecoder().decode(bytes) };
}

type Bytes = Uint8Array<ArrayBuffer>;
/** A `CryptoKey`, for which not every runtime's types have that name. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const refusal = (
  fault: "header_missing" | "timestamp_refused" | "signature_refused" | "secret_invalid" | "body_unreadable",
  detail: string,
): PollhookError => new PollhookError({ code: `webhook_${fault}`, detail });

function headerOf(headers: WebhookRequest["headers"], name: string): string {
  const found = isHeaders(headers)
    ? headers.get(name)
    : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const value = Array.isArray(found) && found.length === 1 ? found[0] : found;
  if (typeof value === "string" && value !== "") return value;
  throw refusal("header_missing", `The header ${name} is missing.`);
}

const isHeaders = (headers: WebhookRequest["headers"]): headers is { get(name: string): string | null } =>
  typeof headers.get === "function";

/** Those of the first version, decoded; others may stand beside them. */
function signaturesOf(header: string): Bytes[] {
  const texts = header.split(" ").filter((text) => text.startsWith("v1,"));
  return texts.slice(0, MAX_SIGNATURES).flatMap((text) => decode(text.slice(3)) ?? []);
}

async function isSigned(
  content: Bytes,
  signatures: readonly Bytes[],
  keys: readonly Key[],
): Promise<boolean> {
  const pairs = keys.flatMap((key) => signatures.map((signature) => [key, signature] as const));
  const fits = pairs.map(([key, signature]) => crypto.subtle.verify("HMAC", key, signature, content));
  return (await Promise.all(fits)).includes(true);
}

/** The bytes of each secret that there is. Callers without types give what their environment has: at times, nothing. */
function secretsOf(given: unknown): Bytes[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const secrets = list.filter((secret) => secret != null && !(typeof secret === "string" && !secret.trim()));
  if (secrets.length === 0) throw refusal("secret_invalid", "No secret was given: is its variable set?");
  return secrets.map((secret) => {
    if (typeof secret !== "string")
      throw refusal("secret_invalid", `A secret is text, and no ${typeof secret}.`);
    const bytes = decode(secret.trim().replace(/^whsec_/, ""));
    if (!bytes || bytes.length === 0) throw refusal("secret_invalid", "A secret is whsec_ and base64.");
    return bytes;
  });
}

const importSecret = (secret: Bytes): Promise<Key> =>
  crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);

/** The bytes of base64; `null` for what is none. */
function decode(text: string): Bytes | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

async function bytesOf(request: WebhookRequest): Promise<Uint8Array> {
  if ("arrayBuffer" in request) {
    if (request.bodyUsed)
      throw refusal("body_unreadable", "The body was read before; verify a clone() of the request.");
    return new Uint8Array(await request.arrayBuffer());
  }
  const { body } = request;
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw refusal(
    "body_unreadable",
    "Give the body as it came, as text or bytes, and not what it was parsed to.",
  );
}

function join(first: Uint8Array, second: Uint8Array): Bytes {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function parse(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw refusal("body_unreadable", "The body is genuine, but no JSON object.");
}
