/**
 * A callback receiver, as a real HTTP server: verifies what it gets with the Standard Webhooks library (not
 * with Pollhook's own code), records all of it, and answers as it is programmed, path by path or for all at once.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import * as check from "./checks.ts";
import { type ControlRoutes, control } from "./control.ts";
import { type Delivery, DeliveryLog } from "./delivery-log.ts";
import { type InFlight, InFlightCount } from "./in-flight.ts";
import { performStep, type ReceiverStep, stepCheck, stepsCheck } from "./receiver-step.ts";
import { BODY_CAP_BYTES, listen, plainHeaders, readBody, send, splitTarget } from "./wire.ts";

export type { Delivery, InFlight, ReceiverStep };

export interface ReceiverOptions {
  /** A port of 127.0.0.1; 0, the default, takes a free one. */
  port?: number;
  /** `whsec_…`; a delivery is verified when one of them verifies it. Without any, everything gets its 204. */
  secret?: string | readonly string[];
  /** Called once for each delivery, when it has been answered or is left hanging. */
  onDelivery?: (delivery: Delivery) => void;
}

export interface Receiver {
  /** `http://127.0.0.1:port`. */
  origin: string;
  /** `origin` and `/hook`, or `/hook/{name}`: where to have callbacks sent. */
  hookUrl(name?: string): string;
  /** Replaces the secrets. Throws when one is not base64. */
  setSecrets(secrets: readonly string[]): void;
  /** Replaces what is left of the path's steps. Throws a TypeError that names the field when malformed. */
  program(path: string, steps: readonly ReceiverStep[]): void;
  /** What every request gets that has no step of its path, from now on and until told otherwise. Throws likewise. */
  serve(step: ReceiverStep): void;
  /** How many requests are in flight, and were at most; to one path, or in all. */
  inFlight(path?: string): InFlight;
  /** The last 50,000 deliveries, oldest first; of one path, or of all. */
  deliveries(path?: string): Delivery[];
  /** The first delivery that matches, past ones included. Rejects after `timeoutMs`, saying what came instead. */
  waitFor(predicate: (delivery: Delivery) => boolean, timeoutMs?: number): Promise<Delivery>;
  /** The first `count` deliveries to a path, past ones included. Rejects likewise. */
  waitForCount(path: string, count: number, timeoutMs?: number): Promise<Delivery[]>;
  /** Forgets deliveries and steps, gives normal service, and goes back to the secrets it was started with. */
  reset(): void;
  /** Stops at once, ending connections that hang and waits. */
  close(): Promise<void>;
}

const DEFAULT_WAIT_MS = 10_000;
const NORMAL: ReceiverStep = { kind: "normal" };
const HOOK = /^\/hook(\/.*)?$/;

/** Starts a receiver on the loopback. Rejects when the port is taken. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { secret = [], port = 0, onDelivery } = options;
  const state = new ReceiverState(typeof secret === "string" ? [secret] : secret, onDelivery);
  const routes = controlRoutes(state);

  const { origin, close } = await listen(async (request, response) => {
    const target = splitTarget(request);
    if (target.path.startsWith("/_sim")) return control(routes, request, response, target);
    if (!HOOK.test(target.path)) return void send(response, 404);
    await state.receive(request, response, target);
  }, port);

  return {
    origin,
    hookUrl: (name) => `${origin}/hook${name === undefined ? "" : `/${name}`}`,
    setSecrets: (secrets) => state.setSecrets(secrets),
    program(path, steps) {
      check.assertValid("program", { path, steps }, programCheck);
      state.program(path, steps);
    },
    serve(step) {
      check.assertValid("serve", { step }, serviceCheck);
      state.serve(step);
    },
    inFlight: (path) => state.inFlight.of(path),
    deliveries: (path) => state.log.list(path),
    async waitFor(predicate, timeoutMs = DEFAULT_WAIT_MS) {
      const [delivery] = await state.log.wait(predicate, timeoutMs, 1);
      if (delivery === undefined) throw new Error("a wait ended without a delivery");
      return delivery;
    },
    waitForCount: (path, count, timeoutMs = DEFAULT_WAIT_MS) =>
      state.log.wait((delivery) => delivery.path === path, timeoutMs, count),
    reset: () => state.reset(),
    async close() {
      state.log.close();
      await close();
    },
  };
}

class ReceiverState {
  readonly inFlight = new InFlightCount();
  readonly log = new DeliveryLog();
  readonly #firstSecrets: readonly string[];
  readonly #onDelivery: ((delivery: Delivery) => void) | undefined;
  readonly #programs = new Map<string, ReceiverStep[]>();
  #service: ReceiverStep = NORMAL;
  #verifiers: readonly Webhook[] = [];

  constructor(secrets: readonly string[], onDelivery: ((delivery: Delivery) => void) | undefined) {
    this.#firstSecrets = secrets;
    this.#onDelivery = onDelivery;
    this.setSecrets(secrets);
  }

  setSecrets(secrets: readonly string[]): void {
    this.#verifiers = secrets.map((secret) => new Webhook(secret));
  }

  program(path: string, steps: readonly ReceiverStep[]): void {
    this.#programs.set(path, [...steps]);
  }

  serve(step: ReceiverStep): void {
    this.#service = step;
  }

  reset(): void {
    this.log.clear();
    this.inFlight.reset();
    this.#programs.clear();
    this.serve(NORMAL);
    this.setSecrets(this.#firstSecrets);
  }

  async receive(
    request: IncomingMessage,
    response: ServerResponse,
    target: { path: string; search: string },
  ): Promise<void> {
    const at = Date.now();
    response.on("close", this.inFlight.enter(target.path));
    const body = await readBody(request, BODY_CAP_BYTES);
    const bytes = body.kind === "whole" ? body.bytes : Buffer.alloc(0);
    const headers = plainHeaders(request);
    const verifyError =
      body.kind === "whole" ? this.#verify(bytes, headers) : `no body was read: ${body.kind}`;
    const delivery: Delivery = {
      at,
      ...target,
      method: request.method ?? "",
      headers,
      body: bytes.toString(),
      bodySha256: createHash("sha256").update(bytes).digest("hex"),
      verified: verifyError === null,
      ...(verifyError === null ? {} : { verifyError }),
      status: null,
    };

    const status = body.kind === "aborted" ? null : this.#answer(delivery, body.kind, response);
    if (status instanceof Promise) {
      this.log.push(delivery);
      delivery.status = await status;
      this.log.settled(delivery);
    } else {
      delivery.status = status;
      this.log.push(delivery);
    }
    this.#onDelivery?.(delivery);
  }

  #answer(
    delivery: Delivery,
    read: "whole" | "too-large",
    response: ServerResponse,
  ): number | null | Promise<number | null> {
    if (read === "too-large") return send(response, 413);
    if (delivery.method !== "POST") return send(response, 405, { allow: "POST" });
    const welcome = delivery.verified || this.#verifiers.length === 0;
    const step = this.#programs.get(delivery.path)?.shift() ?? this.#service;
    return performStep(response, step, () => send(response, welcome ? 204 : 401));
  }

  /** What is wrong with the signature by every secret, `null` when one verifies. */
  #verify(bytes: Buffer, headers: Record<string, string>): string | null {
    let wrong = "no secret configured";
    for (const verifier of this.#verifiers) {
      try {
        verifier.verify(bytes, headers, { jsonParse: false });
        return null;
      } catch (error) {
        wrong = error instanceof Error ? error.message : String(error);
      }
    }
    return wrong;
  }
}

const hookPath = check.matching(HOOK, "/hook/a");
const programCheck = check.object({ path: hookPath, steps: stepsCheck });
const serviceCheck = check.object({ step: stepCheck });

const secretText: check.Check = (value, field) => {
  const wrong = check.text(value, field);
  if (wrong !== null) return wrong;
  try {
    new Webhook(String(value));
    return null;
  } catch {
    return { field, message: "must be base64, usually after whsec_" };
  }
};

function controlRoutes(state: ReceiverState): ControlRoutes {
  return {
    "POST /_sim/secrets": {
      check: check.object({ secrets: check.listOf(secretText) }),
      run(body) {
        const { secrets } = body as { secrets: string[] };
        state.setSecrets(secrets);
        return { secrets: secrets.length };
      },
    },
    "POST /_sim/program": {
      check: programCheck,
      run(body) {
        const { path, steps } = body as { path: string; steps: ReceiverStep[] };
        state.program(path, steps);
        return { path, steps: steps.length };
      },
    },
    "PUT /_sim/service": {
      check: serviceCheck,
      run(body) {
        const { step } = body as { step: ReceiverStep };
        state.serve(step);
        return { step };
      },
    },
    "GET /_sim/in-flight": {
      run: (_body, query) => state.inFlight.of(query.get("path") ?? undefined),
    },
    "GET /_sim/deliveries": {
      run: (_body, query) => state.log.list(query.get("path") ?? undefined),
    },
    "DELETE /_sim": {
      run() {
        state.reset();
        return null;
      },
    },
  };
}
