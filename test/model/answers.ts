/**
 * What a provider and a receiver may answer, each with what it means by the design: the tables of how an answer is
 * classified, as data. Written from those tables, not from the code that reads them.
 */
import type { Script } from "../support/scripted-fetch.ts";
import { json, networkError, status } from "../support/scripted-fetch.ts";

export type PollMeaning =
  | { readonly kind: "pending" | "succeeded" | "empty" | "not_found" }
  | { readonly kind: "failed"; readonly reason: string }
  /** `waitSeconds`: what a rate limit asks for. */
  | { readonly kind: "transient"; readonly waitSeconds: number | null };

export interface PollAnswer {
  readonly means: PollMeaning;
  /** `key`: what a provider that repeats the request has to repeat. */
  readonly script: (key: string) => Script;
}

const OUTPUT = ["https://cdn.example/1.png"];
/** Above the size that leaves a job's row, below the cap of this test; over that cap. */
export const MAX_OUTPUT_BYTES = 65_536;
const BIG = "x".repeat(40_000);
const TOO_BIG = "x".repeat(MAX_OUTPUT_BYTES + 1);

const TRANSIENT: PollMeaning = { kind: "transient", waitSeconds: null };
const failed = (reason: string): PollMeaning => ({ kind: "failed", reason });
const limited = (waitSeconds: number): PollMeaning => ({ kind: "transient", waitSeconds });
const same = (means: PollMeaning, script: Script): PollAnswer => ({ means, script: () => script });

export const POLL_ANSWERS = {
  processing: same({ kind: "pending" }, json({ status: "processing", eta: "" })),
  "processing, eta 90": same({ kind: "pending" }, json({ status: "processing", eta: 90 })),
  "an unknown word": same({ kind: "pending" }, json({ status: "queued" })),
  success: same(
    { kind: "succeeded" },
    json(' {"status": "success", "id": 9007199254740993, "output": ["u"]}\n'),
  ),
  "a large success": same({ kind: "succeeded" }, json({ status: "success", output: [BIG] })),
  "a success that repeats the key": {
    means: { kind: "succeeded" },
    script: (key) => json({ status: "success", output: OUTPUT, meta: { key } }),
  },
  "success without output": same({ kind: "empty" }, json({ status: "success", output: [] })),
  "not found": same({ kind: "not_found" }, json({ status: "failed", message: "Request not found" })),
  failed: same(failed("provider_error"), json({ status: "failed", messege: "It broke." })),
  "failed, repeats the key": {
    means: failed("provider_error"),
    script: (key) => json({ status: "error", message: `no model for ${key}` }, { status: 400 }),
  },
  "failed at length": same(failed("unauthorized"), json({ status: "x", message: BIG }, { status: 401 })),
  "no such key": same(failed("unauthorized"), json({ status: "error", message: "Invalid API key" })),
  "no credits": same(failed("payment_required"), json({ status: "error", message: "No credits left" })),
  "too large": same(failed("output_too_large"), json({ status: "success", output: [TOO_BIG] })),
  "500 with a success": same(TRANSIENT, json({ status: "success", output: OUTPUT }, { status: 500 })),
  "503": same(TRANSIENT, status(503)),
  "a redirect": same(TRANSIENT, status(302, { location: "https://elsewhere.example/" })),
  "no connection": same(TRANSIENT, networkError),
  "no JSON": same(TRANSIENT, json("<html>")),
  "a list": same(TRANSIENT, json([1])),
  "429, wait 120": same(limited(120), status(429, { "retry-after": "120" })),
  "rate limit, wait 7": same(
    limited(7),
    json({ status: "error", message: "Rate limit exceeded", retry_after: 7 }),
  ),
} as const satisfies Record<string, PollAnswer>;

export type PollAnswerName = keyof typeof POLL_ANSWERS;

export type PostMeaning =
  | { readonly kind: "delivered" | "gone" }
  | { readonly kind: "failed"; readonly retryAfterSeconds: number };

export interface PostAnswer {
  readonly means: PostMeaning;
  readonly script: Script;
}

const FAILED: PostMeaning = { kind: "failed", retryAfterSeconds: 0 };

export const POST_ANSWERS = {
  "200": { means: { kind: "delivered" }, script: () => new Response("thanks") },
  "204": { means: { kind: "delivered" }, script: status(204) },
  "302": { means: FAILED, script: status(302, { location: "https://elsewhere.example/" }) },
  "404": { means: FAILED, script: status(404) },
  "410": { means: { kind: "gone" }, script: status(410) },
  "500": { means: FAILED, script: () => new Response("out of order", { status: 500 }) },
  "503, wait 120": {
    means: { kind: "failed", retryAfterSeconds: 120 },
    script: status(503, { "retry-after": "120" }),
  },
  "429, wait two days": {
    means: { kind: "failed", retryAfterSeconds: 172_800 },
    script: status(429, { "retry-after": "172800" }),
  },
  "no connection": { means: FAILED, script: networkError },
} as const satisfies Record<string, PostAnswer>;

export type PostAnswerName = keyof typeof POST_ANSWERS;
