/**
 * Pure: the provider's answers, in the words and shapes recorded from it. Its spelling is kept (`messege`
 * up to v5, `message` later; the bare "Request processing" answer is always `messege`), and so is the way
 * PHP writes JSON: slashes and everything beyond ASCII are escaped.
 */
import { createHash } from "node:crypto";
import { SEED_PAGES } from "../support/seed-pages.ts";

/** JSON as PHP's `json_encode` writes it by default. */
export function phpJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const JSON_TIPS =
  "1. Make sure you are passing Content-Type: application/json in header. 2. Make sure you are doing POST request with valid JSON. 3. Make sure your JSON does not have error, use jsonlint to validate json array";

export const INVALID_REQUEST = phpJson({ status: "error", message: "Invalid API Request", tip: JSON_TIPS });

export const INVALID_KEY = phpJson({
  status: "error",
  message: "Invalid Api Key",
  tip: `${JSON_TIPS}. 4. Make sure you have valid API key.`,
});

/** An id that does not exist, or was asked of the wrong endpoint or in the wrong form. */
export const NOT_FOUND = phpJson({
  status: "failed",
  id: "",
  message: "Request not found",
  output: "",
  tip: "Get 20x faster image generation using enterprise plan. Click here : https://modelslab.com/enterprise",
});

export const STILL_PROCESSING = phpJson({ status: "processing", messege: "Request processing", output: "" });

/** The rate limit of older endpoints, which comes with HTTP 200. */
export const SPAM_FILTER = phpJson({
  status: "error",
  message: "Rate limit exceeded",
  tips: "you are sending same request multiple times, spam filter is enabled, please wait for 30 seconds and try again",
});

/** `retryAfterSeconds` `null` leaves the field out. */
export function rateLimited(retryAfterSeconds: number | null): string {
  return phpJson({
    status: "error",
    message: "Rate limit exceeded. Maximum 5 queued requests allowed.",
    ...(retryAfterSeconds === null ? {} : { retry_after: retryAfterSeconds }),
  });
}

/** The documented words for a 5xx. */
export function serverError(status: number): string {
  const message =
    status === 503
      ? "Service temporarily unavailable. Please try again later."
      : "Internal server error. Please try again.";
  return phpJson({ status: "error", message });
}

/** `failed` comes with an empty id and output, `error` with the message alone. */
export function failure(status: "error" | "failed", said: Record<string, unknown>): string {
  return phpJson(status === "failed" ? { status, id: "", ...said, output: "" } : { status, ...said });
}

/** What a gateway in front of the provider says instead of JSON. */
export function htmlPage(status: number): string {
  return `<!DOCTYPE html>\n<html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>\n`;
}

/** An id as the provider writes it: a number wherever JavaScript can hold it exactly. */
export function wireId(id: string): number | string {
  return /^[1-9]\d*$/.test(id) && Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

interface Described {
  endpoint: string;
  id: string;
}

/** The fuller processing answer: of a generation, and of a fetch that carries an `eta`. */
export function processing(
  { endpoint, id }: Described,
  details: { eta: unknown; fetchResult: string; meta?: Record<string, unknown> },
): string {
  const legacy = /^v[345](\/|$)/.test(endpoint);
  const hint = "Try to fetch request after seconds estimated";
  return phpJson({
    status: "processing",
    tip: "Your image is processing in background, you can get this image using fetch API",
    eta: details.eta,
    ...(legacy ? { messege: hint, webhook_status: "" } : { message: hint }),
    fetch_result: details.fetchResult,
    id: wireId(id),
    output: [],
    meta: details.meta ?? {},
    future_links: [outputUrl({ endpoint, id })],
  });
}

/** A success as the documentation pages show it; interior has `proxy_links` as well. */
export function success({ endpoint, id }: Described, more: Record<string, unknown> = {}): string {
  const url = outputUrl({ endpoint, id });
  const proxy = url.replace(/^https:\/\/[^/]+/, "https://cdn2.stablediffusionapi.com");
  return phpJson({
    status: "success",
    id: wireId(id),
    output: [url],
    ...(endpoint.endsWith("/interior") ? { proxy_links: [proxy] } : {}),
    ...more,
  });
}

/** The example of the documentation page with this endpoint and id, byte for byte, if there is one. */
export function pageExample(endpoint: string, id: string): string | undefined {
  return SEED_PAGES.find((page) => page.endpoint === endpoint && page.requestId === id)?.response;
}

const EXTENSIONS: readonly (readonly [RegExp, string])[] = [
  [/video/, ".mp4"],
  [/voice|speech/, ".mp3"],
  [/3d/, ".glb"],
];

/** The same request always has the same file, so its `future_links` come true. */
function outputUrl({ endpoint, id }: Described): string {
  const hash = createHash("sha256").update(`${endpoint} ${id}`).digest("hex");
  const name = hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
  const extension = EXTENSIONS.find(([pattern]) => pattern.test(endpoint))?.[1] ?? "-0.png";
  return `https://pub-3626123a908346a7a8be8d9295f44e26.r2.dev/generations/${name}${extension}`;
}
