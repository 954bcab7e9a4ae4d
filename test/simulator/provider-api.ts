/**
 * The provider's API: one call in, one answer out. Checks come in the provider's own order: the path, the
 * method, that the body is JSON, the key, the request. Its errors come with HTTP 200, as its older endpoints
 * send them; a `failure` or `raw` misbehaviour gives other codes.
 */
import type { ServerResponse } from "node:http";
import { misbehave } from "./misbehaviour.ts";
import * as answers from "./provider-answers.ts";
import { askedId, fetchEndpoint, fetchUrl, route } from "./provider-routes.ts";
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

export interface ApiContext {
  table: RequestTable;
  /** The provider's own, for `fetch_result`. */
  origin: string;
  /** How long a generation is queued; 0 answers it with its success at once. */
  generationMs: number;
}

/** Answers a call and returns the status that was sent, `null` for none. `path` is without the query string. */
export function answerCall(
  context: ApiContext,
  call: Call,
  path: string,
  response: ServerResponse,
): number | null {
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
  if (asked.kind === "generate") return say(generate(context, asked.path, { ...body, key }, call.at));

  const id = askedId(asked.endpoint, asked.pathId, body);
  const found =
    id === null ? null : context.table.poll({ endpoint: asked.endpoint, id, key }, context.origin, call.at);
  if (found === null) return say(answers.NOT_FOUND);
  if (found.misbehaviour === undefined) return say(found.text);
  return misbehave(response, found.misbehaviour, found.request, found.text);
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

/** Queues a new request for the key that asked, and answers as the provider does; `meta` echoes the parameters. */
function generate(
  { table, origin, generationMs }: ApiContext,
  path: string,
  body: Record<string, unknown> & { key: string },
  now: number,
): string {
  const endpoint = fetchEndpoint(path);
  const id = String(table.takeId());
  const { key, ...meta } = body;
  // v4/dreambooth names v3/dreambooth in its fetch_result, and has a fetch endpoint of its own too.
  const aliases = path.startsWith("v4/dreambooth") ? ["v4/dreambooth"] : [];
  table.add({ endpoint, id, key, readyAfterMs: generationMs }, now, aliases);
  const described = { endpoint, id };
  if (generationMs <= 0) {
    return answers.success(described, { generationTime: 1.0299999713897705, webhook_status: "", meta });
  }
  const eta = generationMs / 1000;
  return answers.processing(described, { eta, fetchResult: fetchUrl(origin, endpoint, id), meta });
}
