/**
 * The provider and the receiver of the load, as a process: bare servers that show the faults that a job's plan has, and
 * a ledger of what they saw. The ones in `test/simulator` check and record far more than so many jobs a second allow.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { answer } from "../../bench/throughput/child.ts";
import { listen, plainHeaders, readBody, send } from "../../simulator/wire.ts";
import { Ledger, type Taken, type Timing } from "./ledger.ts";
import { LARGE_BYTES, type Mix, outputOf, type Plan, planOf } from "./plan.ts";

export type PeersQuestion =
  | { readonly kind: "origins" }
  | { readonly kind: "setup"; readonly mix: Mix; readonly secrets: Readonly<Record<string, string>> }
  | { readonly kind: "begin"; readonly timing: Timing }
  | { readonly kind: "progress" }
  | { readonly kind: "take"; readonly timing: Timing };

export interface Origins {
  readonly provider: string;
  readonly receiver: string;
}

/** Since the process began. */
export interface Progress {
  readonly accepted: number;
  readonly verified: number;
}

export type PeersAnswer = Origins | Progress | Taken | null;

const FETCH_PATH = /^\/api\/v3\/fetch\/(\d+)$/;
const HOOK_PATH = /^\/hook\/([\w-]+)$/;
/** Polls that are answered with 500 where they are. */
const ERRORS = 2;
const SLOW_POLL_MS = 2_000;
const SLOW_POST_MS = 2_500;
const RETRY_AFTER_SECONDS = 2;
/** An event has the output twice. */
const BODY_CAP_BYTES = 4 * LARGE_BYTES;
const JSON_TYPE = { "content-type": "application/json" };
const PADDING = "A".repeat(LARGE_BYTES);

interface Setup {
  readonly mix: Mix;
  readonly ledger: Ledger;
}

let setup: Setup | null = null;

async function provide(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await readBody(request, BODY_CAP_BYTES);
  const id = Number(FETCH_PATH.exec(request.url ?? "")?.[1]);
  const readyAt = setup?.ledger.readyAt(id) ?? null;
  if (!setup || readyAt === null) {
    send(response, 404, JSON_TYPE, '{"status":"error","message":"Request not found"}');
    return;
  }
  const plan = planOf(id, setup.mix);
  const seen = setup.ledger.of(id);
  seen.polls++;
  switch (plan.provider) {
    case "error":
      if (seen.polls > ERRORS) break;
      send(response, 500, JSON_TYPE, '{"status":"error","message":"Server error"}');
      return;
    case "rate_limited": {
      if (seen.polls > 1) break;
      const body = { status: "error", message: "Rate limit exceeded", retry_after: RETRY_AFTER_SECONDS };
      send(response, 429, JSON_TYPE, JSON.stringify(body));
      return;
    }
    case "slow":
      if (seen.polls === 1) await sleep(SLOW_POLL_MS);
      break;
    case "reset":
      if (seen.polls > 1) break;
      request.socket.resetAndDestroy();
      return;
    case "not_json":
      if (seen.polls > 1) break;
      send(response, 200, { "content-type": "text/html" }, "<html><body>Just a moment…</body></html>");
      return;
    case "none":
      break;
    default:
      plan.provider satisfies never;
  }
  const isReady = Date.now() >= readyAt;
  if (isReady) seen.toldAt ||= Date.now();
  send(
    response,
    200,
    JSON_TYPE,
    isReady ? finalAnswer(id, plan) : JSON.stringify({ status: "processing", id }),
  );
}

function finalAnswer(id: number, { isFailed, isLarge }: Plan): string {
  if (isFailed) return JSON.stringify({ status: "failed", id, message: "It went wrong." });
  const output = [outputOf(id), ...(isLarge ? [PADDING] : [])];
  return JSON.stringify({ status: "success", id, output });
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const read = await readBody(request, BODY_CAP_BYTES);
  const destination = HOOK_PATH.exec(request.url ?? "")?.[1];
  // A POST that was cut off is none, and comes again.
  if (read.kind !== "whole" || destination === undefined || !setup) return void request.socket.destroy();
  const { ledger, mix } = setup;
  const delivery = { destination, headers: plainHeaders(request), body: read.bytes.toString() };
  const posted = ledger.posted(delivery);
  if (!posted) {
    send(response, 404);
    return;
  }
  const { seen, plan } = posted;
  if (seen.posts === 1)
    switch (plan.receiver) {
      case "error":
        send(response, 500, {}, "out of order");
        return;
      case "retry_after":
        send(response, 503, { "retry-after": String(RETRY_AFTER_SECONDS) });
        return;
      case "reset":
        request.socket.resetAndDestroy();
        return;
      case "hang":
        await sleep(mix.hangMs);
        request.socket.resetAndDestroy();
        return;
      case "slow":
        await sleep(SLOW_POST_MS);
        break;
      case "none":
        break;
      default:
        plan.receiver satisfies never;
    }
  // What nobody waits for any more has not been accepted.
  if (response.destroyed) return;
  ledger.accept(seen);
  send(response, 204);
}

const servers = Promise.all([listen(provide, 0), listen(receive, 0)]);

answer<PeersQuestion, PeersAnswer>(async (question) => {
  const ledger = setup?.ledger;
  switch (question.kind) {
    case "setup":
      setup = { mix: question.mix, ledger: new Ledger(question.mix, question.secrets) };
      return null;
    case "begin":
      ledger?.begin(question.timing);
      return null;
    case "progress":
      return { accepted: ledger?.accepted ?? 0, verified: ledger?.verified ?? 0 };
    case "take":
      if (!ledger) throw new Error("The peers have not been set up.");
      return ledger.take(question.timing);
    case "origins": {
      const [provider, receiver] = await servers;
      return { provider: provider.origin, receiver: receiver.origin };
    }
    default:
      throw new Error(`There is no ${question satisfies never}.`);
  }
});
