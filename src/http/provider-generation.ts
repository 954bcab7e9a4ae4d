/**
 * Every other call of the provider's API, forwarded with the provider's key in place of the token. Where it carries a
 * `webhook`, that is taken out, and the request that the answer names is registered.
 */
import { makeHint } from "../crypto/hint.ts";
import { outside } from "../crypto/rights.ts";
import type { Claims } from "../crypto/token.ts";
import type { Forwarded } from "../generation/generation.ts";
import type { Intent } from "../generation/lifecycle.ts";
import { generationName } from "../job/ids.ts";
import { editMembers, joinParts, rawMember } from "../json.ts";
import { describe, logError } from "../log.ts";
import { parseAnswer } from "../provider/answer.ts";
import { endpointOf, locate, readQueued } from "../provider/generation.ts";
import { missingScope, tokenBound } from "./auth.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { answer, faultProblem, leadingToUs } from "./provider-answer.ts";
import { type Callback, KEY_NEEDED, type ProviderApiCall, readInput } from "./provider-input.ts";

const ASK_FIRST =
  "It is not known whether the provider took the call: look there before you repeat it, under another Idempotency-Key.";

export async function forward(
  call: ProviderApiCall,
  { path, generates }: { readonly path: string; readonly generates: boolean },
): Promise<Response | Problem> {
  const { claims, body, caller, config, env } = call;
  const refused =
    missingScope(claims, generates ? "generations:write" : "provider:admin") ??
    outOfBounds(claims, path, generates);
  if (refused) return refused;
  const idempotencyKey = readIdempotencyKey(call.request);
  if (isProblem(idempotencyKey)) return idempotencyKey;
  const input = readInput(body, caller, config);
  if (isProblem(input)) return input;
  const { providerKey, ownKey, callback } = input;
  if (providerKey === null) return KEY_NEEDED;

  const name = await generationName(caller.tenant, idempotencyKey, caller.own);
  const intent: Intent = {
    name,
    tenant: caller.tenant,
    digest: await digestOf(path, body.bytes),
    repeatable: idempotencyKey !== null,
    path,
    body: await bodyForProvider(call, callback, providerKey, name),
    providerKey,
    ownKey,
    watch: callback && {
      callbackUrl: callback.url,
      format: callback.format,
      metadata: callback.metadata,
      host: caller.host,
      owner: caller.own,
      maxDeadlineSeconds: caller.bnd?.ddl,
    },
  };
  // Not asked again should the object be lost: nobody knows how far it came.
  const forwarded = env.GENERATION.getByName(name).forward(intent) as unknown as Promise<Forwarded>;
  call.keepAlive(forwarded);
  try {
    return toResponse(await forwarded, call, path);
  } catch (error) {
    logError("generation.failed", { generation: name, error: describe(error) });
    return problem("outcome_unknown", ASK_FIRST);
  }
}

/** What a bounded token may not forward: a generation outside of its endpoints, or any of one request's; all that manages. */
function outOfBounds({ own, bnd = {} }: Claims, path: string, generates: boolean): Problem | null {
  if (own === undefined) return null;
  // A generation is always a new request.
  if (!generates || bnd.req !== undefined) return tokenBound();
  return outside(bnd, { endpoint: endpointOf(path), requestId: "" }) && tokenBound("endpoint");
}

function toResponse(
  forwarded: Forwarded,
  { config, origin }: ProviderApiCall,
  path: string,
): Response | Problem {
  if (forwarded.kind === "other_call")
    return problem(
      "idempotency_conflict",
      "The Idempotency-Key was used for another call within the last 24 hours; take a new one.",
    );
  if (forwarded.kind === "unknown") return problem("outcome_unknown", ASK_FIRST);
  const { outcome, body, jobId } = forwarded;
  if (outcome.kind === "fault") return faultProblem(outcome.fault, ASK_FIRST, outcome.headers);
  const parsed = body && parseAnswer(body, null);
  if (!parsed) return faultProblem("not_json", ASK_FIRST);
  const place = locate(readQueued(parsed, config.providerOrigins), path);
  return answer(leadingToUs(parsed.bytes, origin, place, jobId), outcome.status, outcome.headers);
}

/**
 * What the provider gets: its key for the token, nothing of ours, and for the caller's webhook a hint URL that leads to
 * this call's object; where the provider cannot call us, none.
 */
async function bodyForProvider(
  { body, config }: ProviderApiCall,
  callback: Callback | null,
  providerKey: string,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const edits = new Map<string, string | null>([
    ["key", JSON.stringify(providerKey)],
    ["provider_key", null],
    ["webhook_format", null],
  ]);
  // Once, where it is repeated: of two, the provider might read the one that we did not.
  const own = rawMember(body.bytes, "webhook");
  if (own !== undefined) edits.set("webhook", own);
  if (callback) {
    const base = config.providerWebhooks ? config.publicUrl : null;
    const hint = base && `${new URL(base).origin}/hints/${await makeHint(name, config.masterKeys[0])}`;
    edits.set("webhook", hint && JSON.stringify(hint));
  }
  return joinParts(editMembers(body.bytes, edits), body.bytes).bytes;
}

/** Tells one call from another, whichever token they came with. */
async function digestOf(path: string, bytes: Uint8Array): Promise<string> {
  const withoutToken = joinParts(editMembers(bytes, new Map([["key", null]])), bytes, `${path}\n`).bytes;
  const digest = await crypto.subtle.digest("SHA-256", withoutToken);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function readIdempotencyKey(request: Request): string | null | Problem {
  const key = request.headers.get("idempotency-key");
  if (key === null || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  return problem(
    "invalid_value",
    "Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.",
    {
      field: "Idempotency-Key",
    },
  );
}
