/**
 * The provider's fetch endpoints, answered by us. With a `webhook` the request is registered; without, the answer is
 * what its job knows, and where there is no job, the provider's own, asked once.
 */
import { outside } from "../crypto/rights.ts";
import type { Claims } from "../crypto/token.ts";
import { jobId } from "../job/ids.ts";
import { putRows } from "../job/index-client.ts";
import { registerJob, withJob } from "../job/placement.ts";
import { makeRegistration } from "../job/registering.ts";
import { exchange, faultOf, headersToHandOn } from "../provider/client.ts";
import { fetchCall } from "../provider/endpoints.ts";
import { missingScope, tokenBound } from "./auth.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { answer, faultProblem, known, leadingToUs, type Place } from "./provider-answer.ts";
import {
  type Callback,
  KEY_NEEDED,
  type ProviderApiCall,
  readInput,
  readRequestId,
} from "./provider-input.ts";

/** As long as a poll may take. */
const ASK_TIMEOUT_MS = 10_000;

export async function fetchRequest(
  call: ProviderApiCall,
  { endpoint, requestId }: { readonly endpoint: string; readonly requestId: string | null },
): Promise<Response | Problem> {
  const { body, caller, config } = call;
  const id = readRequestId(requestId, body);
  if (isProblem(id)) return id;
  const place = { endpoint, requestId: id };
  const input = readInput(body, caller, config);
  if (isProblem(input)) return input;
  const { callback, providerKey, ownKey } = input;
  if (callback)
    return providerKey === null ? KEY_NEEDED : register(call, place, callback, ownKey ? providerKey : null);
  // A job answers also where there is no key to ask the provider with.
  const known = await fromJob(call, place);
  if (known !== null && known !== "other_owner") return known;
  if (providerKey === null) return KEY_NEEDED;
  const refused = refusalToAsk(call.claims, place);
  if (refused) return refused;
  // Only who may register the request learns from the refusal that somebody has.
  return known === null ? askOnce(call, place, providerKey) : tokenBound();
}

async function register(
  { env, claims, caller, config, origin, keepAlive }: ProviderApiCall,
  place: Place,
  { url, format, metadata }: Callback,
  key: string | null,
): Promise<Response | Problem> {
  const refused = refusalToAsk(claims, place);
  if (refused) return refused;
  const { tenant, host, own, bnd } = caller;
  const registration = await makeRegistration(
    {
      ...place,
      tenant,
      host,
      owner: own,
      origin: null,
      callbackUrl: url,
      format,
      metadata,
      etaSeconds: null,
      deadlineSeconds: null,
      maxDeadlineSeconds: bnd?.ddl,
      key,
      finalAnswer: null,
    },
    config,
  );
  const registered = await registerJob(env, registration);
  if (registered.kind === "other_owner") return tokenBound();
  const { kind, view, row } = registered;
  if (row) keepAlive(putRows(env, claims.sub, [row]));
  if (kind !== "conflict") return known(view, origin);
  const what = view.fields.callback_url === url ? "webhook_format" : "webhook";
  return problem("already_registered", `The request is registered already, with another ${what}.`, {
    field: what,
  });
}

/** `null` where there is no job, or one that was canceled and so knows nothing. */
async function fromJob(
  { env, claims, origin }: ProviderApiCall,
  { endpoint, requestId }: Place,
): Promise<Response | Problem | "other_owner" | null> {
  const refused = missingScope(claims, "jobs:read");
  if (refused) return refused;
  const id = await jobId(claims.sub, endpoint, requestId);
  const found = await withJob(env, claims.sub, id, (job) => job.read(claims.sub, id, 0, { own: claims.own }));
  if (found.kind === "other_owner") return found.kind;
  return found.kind === "found" && found.view.fields.outcome !== "canceled"
    ? known(found.view, origin)
    : null;
}

/** The provider's answer as it came, status code included. */
async function askOnce(
  { config, origin }: ProviderApiCall,
  place: Place,
  providerKey: string,
): Promise<Response | Problem> {
  const [provider] = config.providerOrigins;
  const asked = fetchCall(provider, place.endpoint, place.requestId, providerKey);
  const limits = { timeoutMs: ASK_TIMEOUT_MS, maxBytes: config.maxOutputBytes };
  const seen = await exchange(asked, providerKey, limits);
  const fault = faultOf(seen);
  if (fault !== null || seen.kind === "none" || !seen.answer)
    return faultProblem(
      fault ?? "not_json",
      "Fetch again in a moment.",
      seen.kind === "answer" ? headersToHandOn(seen.headers) : {},
    );
  return answer(leadingToUs(seen.answer.bytes, origin, place), seen.status, headersToHandOn(seen.headers));
}

/**
 * The refusal of a token that may not register this request; `null` of one that may. The provider's ids are sequential, so
 * that to ask for any of them takes that right, too.
 */
function refusalToAsk(claims: Claims, place: Place): Problem | null {
  const unbound = outside(claims.bnd ?? {}, place);
  return missingScope(claims, "jobs:write") ?? (unbound && tokenBound(unbound));
}
