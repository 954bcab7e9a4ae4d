/**
 * A receiver that holds every request until it is told what to answer: an attempt is under way for as long as a test needs
 * it to be.
 */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { BODY_CAP_BYTES, listen, plainHeaders, readBody, send, splitTarget } from "../../simulator/wire.ts";

export interface HeldRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const LIMIT_MS = 60_000;
const LOOK_MS = 20;

export class HeldReceiver {
  readonly requests: HeldRequest[] = [];
  readonly origin: string;
  readonly close: () => Promise<void>;
  readonly #held: Map<string, ServerResponse>;

  private constructor(origin: string, close: () => Promise<void>, held: Map<string, ServerResponse>) {
    this.origin = origin;
    this.close = close;
    this.#held = held;
  }

  static async start(): Promise<HeldReceiver> {
    const held = new Map<string, ServerResponse>();
    const { origin, close } = await listen(async (request, response) => {
      const { path } = splitTarget(request);
      const body = await readBody(request, BODY_CAP_BYTES);
      if (body.kind !== "whole") return void response.destroy();
      held.set(path, response);
      response.on("close", () => held.delete(path));
      receiver.requests.push({ path, headers: plainHeaders(request), body: body.bytes.toString() });
    }, 0);
    const receiver = new HeldReceiver(origin, close, held);
    return receiver;
  }

  isHolding(path: string): boolean {
    return this.#held.has(path);
  }

  to(path: string): HeldRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Resolves when a request to this path is under way, or the time is up. */
  async holding(path: string): Promise<void> {
    const limit = Date.now() + LIMIT_MS;
    while (!this.isHolding(path) && Date.now() < limit) await sleep(LOOK_MS);
  }

  /** Answers what is held there. */
  release(path: string, status: number): void {
    const response = this.#held.get(path);
    this.#held.delete(path);
    if (response) send(response, status);
  }
}
