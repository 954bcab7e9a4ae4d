/**
 * A stand-in for ModelsLab, as a real HTTP server: its fetch endpoints, its generation calls, its errors, and
 * on request its worst days. This file starts it and holds its controls; `provider-api.ts` is what it says.
 */
import { assertValid, type Check, listOf } from "./checks.ts";
import { type ControlRoutes, control } from "./control.ts";
import { answerCall, type Call, type Generations } from "./provider-api.ts";
import { WebhookSender } from "./provider-webhook.ts";
import { type KeyLimit, limitCheck, RateLimits, type ShownLimit } from "./rate-limits.ts";
import { type QueuedRequest, RequestTable, requestCheck, type SimRequest } from "./request-table.ts";
import {
  BODY_CAP_BYTES,
  BoundedLog,
  LOG_LIMIT,
  listen,
  plainHeaders,
  readBody,
  splitTarget,
} from "./wire.ts";

export type { Misbehaviour } from "./misbehaviour.ts";
export type { Call, Generations, KeyLimit, QueuedRequest, ShownLimit, SimRequest };

export interface ProviderOptions {
  /** A port of 127.0.0.1; 0, the default, takes a free one. */
  port?: number;
  /** Keys it accepts; `["sim-provider-key"]` by default. Keys that requests name are accepted as well. */
  keys?: readonly string[];
  /** An unknown well-formed id comes into being at its first fetch, and is ready 4 s later. */
  invent?: boolean;
  /** The id of the first generation, 70000001 by default. */
  firstId?: number;
  /**
   * How long a generation call's request is queued, 3000 by default; 0 answers it with its success at once. Its
   * `webhook`, if it has one, is called when the request is ready.
   */
  generationMs?: number;
  /** Called once for each call, when it has been answered or is left hanging. */
  onCall?: (call: Call) => void;
}

export interface Provider {
  /** `http://127.0.0.1:port`. */
  origin: string;
  /** Queues a request. Throws a TypeError that names the field when it is malformed. */
  add(request: SimRequest): void;
  /** Limits the fetch calls of a key, or no longer. Throws likewise. */
  limit(limit: KeyLimit): void;
  /** The limits, each with what has become of its calls since it was set. */
  limits(): ShownLimit[];
  /** Changes how generation calls are served from now on. */
  serveGenerations(how: Partial<Generations>): void;
  requests(): QueuedRequest[];
  /** The last 50,000 calls, oldest first; control calls are not among them. */
  calls(): Call[];
  /** Forgets all requests, limits, calls and webhooks, and serves generation calls as at the start. */
  reset(): void;
  /** Stops at once, ending connections that hang. */
  close(): Promise<void>;
}

export const DEFAULT_PROVIDER_KEY = "sim-provider-key";
const DEFAULT_GENERATION_MS = 3000;

/** Starts a provider on the loopback. Rejects when the port is taken. */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const { port = 0, keys = [DEFAULT_PROVIDER_KEY], invent = false, onCall } = options;
  const { generationMs = DEFAULT_GENERATION_MS } = options;
  const table = new RequestTable({
    keys,
    invent,
    ...(options.firstId !== undefined && { firstId: options.firstId }),
  });
  const limits = new RateLimits();
  const log = new BoundedLog<Call>(LOG_LIMIT);
  const webhooks = new WebhookSender();
  const atStart: Generations = { queuedMs: generationMs, etaSeconds: null, answerMs: 0 };
  let generations = atStart;
  const reset = () => {
    table.clear();
    limits.clear();
    log.clear();
    webhooks.clear();
    generations = atStart;
  };
  const routes = controlRoutes({ table, limits, log, reset });

  const { origin, close } = await listen(async (request, response) => {
    const target = splitTarget(request);
    if (target.path.startsWith("/_sim")) return control(routes, request, response, target);
    const body = await readBody(request, BODY_CAP_BYTES);
    const call: Call = {
      at: Date.now(),
      method: request.method ?? "",
      path: request.url ?? "",
      headers: plainHeaders(request),
      body: body.kind === "whole" ? body.bytes.toString() : "",
      status: null,
    };
    log.push(call);
    if (body.kind !== "aborted") {
      const context = { table, limits, origin, generations, webhooks };
      call.status = await answerCall(context, call, target.path, response);
    }
    onCall?.(call);
  }, port);

  return {
    origin,
    add(request) {
      assertValid("request", request, requestCheck);
      table.add(request, Date.now());
    },
    limit(limit) {
      assertValid("limit", limit, limitCheck);
      limits.set(limit);
    },
    limits: () => limits.list(),
    serveGenerations(how) {
      generations = { ...generations, ...how };
    },
    requests: () => table.list(),
    calls: () => log.list(),
    reset,
    close() {
      webhooks.clear();
      return close();
    },
  };
}

const oneOrMore: Check = (value, field) =>
  Array.isArray(value) ? listOf(requestCheck)(value, field) : requestCheck(value, field);

interface Controlled {
  readonly table: RequestTable;
  readonly limits: RateLimits;
  readonly log: BoundedLog<Call>;
  readonly reset: () => void;
}

function controlRoutes({ table, limits, log, reset }: Controlled): ControlRoutes {
  return {
    "POST /_sim/requests": {
      check: oneOrMore,
      run(body) {
        const requests = (Array.isArray(body) ? body : [body]) as SimRequest[];
        for (const request of requests) table.add(request, Date.now());
        return { added: requests.length };
      },
    },
    "GET /_sim/requests": { run: () => table.list() },
    "PUT /_sim/limits": {
      check: limitCheck,
      run(body) {
        limits.set(body as KeyLimit);
        return limits.list();
      },
    },
    "GET /_sim/limits": { run: () => limits.list() },
    "GET /_sim/calls": { run: () => log.list() },
    "DELETE /_sim": {
      run() {
        reset();
        return null;
      },
    },
  };
}
