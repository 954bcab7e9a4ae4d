/**
 * The provider's API: one call in, one answer out. Checks come in the provider's own order: the path, the
 * method, that the body is JSON, the key, its rate limit, the request. Its errors come with HTTP 200, as its older endpoints
 * send them; a `failure` or `raw` misbehaviour gives other codes.
 */
import type { ServerResponse } from "node:http";
import { misbehave } from "./misbehaviour.ts";
import * as answers from "./provider-answers.ts";
import { askedId, fetchEndpoint, fetchUrl, route } from "./provider-routes.ts";
import { type WebhookSender, webhookUrl } from "./provider-webhook.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { RequestTable } from "./request-table.ts";
import { JSON_HEADERS, send } from "./wire.ts";

/** One call that the provider received, in the order of arrival. */
export interface Call {
  /** Epoch ms. */
  at: number;
  method: string;
  /** The request target: path, and query string if there was one. */
  path: string;
  headers: Record<string, string>;
  body: string;
  /** What it was answered; `null` for nothing. */
  status: number | null;
}

/** How generation calls are served. */
export interface Generations {
  /** How long a request is queued; 0 answers it with its success at once. */
  queuedMs: number;
  /** The `eta` that is announced; `null` for the truth. */
  etaSeconds: number | null;
  /** How long the call itself takes; the request is queued when the call comes in. */
  answerMs: number;
}

export interface ApiContext {
  table: RequestTable;
  limits: RateLimits;
  /** The provider's own, for `fetch_result`. */
  origin: string;
  generations: Generations;
  webhooks: WebhookSender;
}

/**
 * Answers a call and returns the status that was sent, `null` for none; a promise when that takes its time. `path` is
 * without the query string.
 */
export function answerCall(
  context: ApiContext,
  call: Call,
  path: string,
  response: ServerResponse,
): number | null | Promise<number | null> {
  const say = (text: string, status = 200) => send(response, status, JSON_HEADERS, text);

  const asked = route(path);
  if (asked.kind === "unknown") return say(answers.failure("error", { message: "Not Found" }), 404);
  if (call.method !== "POST") {
    const refusal = answers.failure("error", { message: "Method Not Allowed" });
    return send(response, 405, { ...JSON_HEADERS, allow: "POST" }, refusal);
  }
  const body = jsonBody(call);
  if (body === null) return say(answers.INVALID_REQUEST);
  const { key } = body;
  if (!context.table.acceptsKey(key)) return say(answers.INVALID_KEY);
  if (asked.kind === "generate") {
    const text = generate(context, asked.path, { ...body, key }, call.at);
    const { answerMs } = context.generations;
    return answerMs > 0 ? later(answerMs, response, () => say(text)) : say(text);
  }

  const limit = context.limits.exceeded(key, call.at);
  if (limit !== null) {
    const { retryAfterSeconds: wait } = limit;
    const headers = wait === undefined ? {} : { "retry-after": String(wait) };
    return send(response, 429, { ...JSON_HEADERS, ...headers }, answers.rateLimited(wait ?? null));
  }
  const id = askedId(asked.endpoint, asked.pathId, body);
  const found =
    id === null ? null : context.table.poll({ endpoint: asked.endpoint, id, key }, context.origin, call.at);
  if (found === null) return say(answers.NOT_FOUND);
  if (found.misbehaviour === undefined) return say(found.text);
  return misbehave(response, found.misbehaviour, found.request, found.text);
}

/** Answers after a while; `null` when the caller did not wait for it. */
function later(ms: number, response: ServerResponse, answer: () => number): Promise<number | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(answer()), ms);
    response.on("close", () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
}

/** The body as an object, or `null` when the provider would call the request invalid. */
function jsonBody(call: Call): Record<string, unknown> | null {
  const mediaType = call.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") return null;
  try {
    const value: unknown = JSON.parse(call.body);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/**
 * Queues a new request for the key that asked, and answers as the provider does; `meta` echoes the parameters. The
 * webhook goes out when the request is ready, whether the call has been answered or not.
 */
function generate(
  { table, origin, generations, webhooks }: ApiContext,
  path: string,
  body: Record<string, unknown> & { key: string },
  now: number,
): string {
  const endpoint = fetchEndpoint(path);
  const id = String(table.takeId());
  const { key, ...meta } = body;
  // v4/dreambooth names v3/dreambooth in its fetch_result, and has a fetch endpoint of its own too.
  const aliases = path.startsWith("v4/dreambooth") ? ["v4/dreambooth"] : [];
  const { queuedMs } = generations;
  table.add({ endpoint, id, key, readyAfterMs: queuedMs }, now, aliases);
  const described = { endpoint, id };
  const webhook = webhookUrl(body);
  // An absent track_id is left out by JSON.stringify.
  if (webhook !== null)
    webhooks.send(webhook, answers.success(described, { track_id: body.track_id }), queuedMs);
  if (queuedMs <= 0) {
    return answers.success(described, { generationTime: 1.0299999713897705, webhook_status: "", meta });
  }
  const eta = generations.etaSeconds ?? queuedMs / 1000;
  return answers.processing(described, { eta, fetchResult: fetchUrl(origin, endpoint, id), meta });
}
