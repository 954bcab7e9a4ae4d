/**
 * A registration's body: its schema, and the way from there to what the job object stores. Everything is checked
 * here, before anything is written.
 */
import * as v from "valibot";
import { type Config, isProviderKey, serverKeyFor } from "../config.ts";
import { outside, type Reach } from "../crypto/rights.ts";
import type { Claims } from "../crypto/token.ts";
import type { Registration } from "../job/registering.ts";
import { MAX_DEADLINE_SECONDS, makeRegistration } from "../job/registering.ts";
import { rawMember } from "../json.ts";
import { isEndpoint, isRequestId } from "../provider/endpoints.ts";
import { isPlainObject } from "../provider/fields.ts";
import { tokenBound } from "./auth.ts";
import type { JsonBody } from "./body.ts";
import { callbackFields, type FindDestination, readCallback } from "./callback.ts";
import { nameRequest } from "./naming.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { between, parseBody, whole } from "./schema.ts";

export const MIN_DEADLINE_SECONDS = 30;
export const MAX_METADATA_BYTES = 4 * 1024;

/** Of the metadata, how much lists can be filtered by. */
const MAX_INDEXED = 3;
const MAX_INDEXED_CHARS = 256;
const NAME_HELP = "must be a name of metadata, of 1 to 64 characters";
const INDEX_HELP = `must be a list of up to ${MAX_INDEXED} names of metadata, each of 1 to 64 characters`;
const ETA_HELP = `must be a number of seconds from 0 to ${MAX_DEADLINE_SECONDS}`;
const ID_HELP = "must be a number or a string of 1 to 128 of the characters A-Z a-z 0-9 _ -";

export const PROVIDER_KEY_HELP = "must be 1 to 256 printable ASCII characters without spaces";

export const requestId = v.pipe(
  v.union([v.string(), v.number()], ID_HELP),
  v.check((id) => typeof id === "string" || (Number.isInteger(id) && id >= 0), ID_HELP),
  v.check(
    (id) => typeof id === "string" || Number.isSafeInteger(id),
    "has lost digits as a number; send it as a string",
  ),
  v.transform(String),
  v.check(isRequestId, ID_HELP),
);

export const endpoint = v.pipe(
  v.string("must be a string"),
  v.check(isEndpoint, 'must be the path in front of /fetch, without /api, such as "v3" or "v6/video"'),
);

const plainObject = v.custom<Record<string, unknown>>(isPlainObject, "must be a JSON object");

/** The body of `POST /v1/jobs`. `null` is the same as absent. */
export const RegistrationBody = v.strictObject({
  endpoint: v.nullish(endpoint),
  request_id: v.nullish(requestId),
  fetch_url: v.nullish(v.string("must be a string")),
  response: v.nullish(plainObject),
  ...callbackFields,
  eta: v.nullish(between(0, MAX_DEADLINE_SECONDS, ETA_HELP)),
  key: v.nullish(v.pipe(v.string("must be a string"), v.check(isProviderKey, PROVIDER_KEY_HELP))),
  deadline_seconds: v.nullish(whole(MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS, " of seconds")),
  format: v.nullish(v.picklist(["standard", "provider"], 'must be "standard" or "provider"')),
  metadata: v.nullish(plainObject),
  index: v.nullish(
    v.pipe(
      v.array(v.pipe(v.string(NAME_HELP), v.minLength(1, NAME_HELP), v.maxLength(64, NAME_HELP)), INDEX_HELP),
      v.maxLength(MAX_INDEXED, INDEX_HELP),
    ),
  ),
});

/** With the bounds of its token, if it has any. */
export interface Caller extends Reach {
  readonly tenant: string;
  /** The host that the registration was sent to, with its port if any. */
  readonly host: string;
}

export const callerOf = (claims: Claims, { url }: Request): Caller => ({
  ...claims,
  tenant: claims.sub,
  host: new URL(url).host,
});

/** Checks `body` and seals the key. What comes back can be stored as it is. */
export async function readRegistration(
  body: JsonBody,
  caller: Caller,
  config: Config,
  find: FindDestination,
): Promise<Registration | Problem> {
  const input = parseBody(RegistrationBody, body.json);
  if (isProblem(input)) return input;

  const metadata = input.metadata ? (rawMember(body.bytes, "metadata") ?? "{}") : "{}";
  if (new TextEncoder().encode(metadata).length > MAX_METADATA_BYTES)
    return problem("invalid_value", `metadata may have ${MAX_METADATA_BYTES} bytes of JSON at most.`, {
      field: "metadata",
    });

  const index = [...new Set(input.index ?? [])];
  const unfit = index.find((name) => !isIndexable(input.metadata ?? {}, name));
  if (unfit !== undefined)
    return problem(
      "invalid_value",
      `index names metadata that is no number and no string of up to ${MAX_INDEXED_CHARS} characters.`,
      { field: "index" },
    );

  const { own, bnd = {} } = caller;
  const isNamed = input.callback_url != null || input.destination != null;
  const to = isNamed ? input : { destination: bnd.dst };
  const callback = await readCallback(to, caller.host, config, find, bnd);
  if (isProblem(callback)) return callback;
  if (bnd.ddl !== undefined && (input.deadline_seconds ?? 0) > bnd.ddl) return tokenBound("deadline_seconds");

  const key = input.key ?? serverKeyFor(config, caller.tenant);
  const named = nameRequest(
    {
      endpoint: input.endpoint ?? null,
      requestId: input.request_id ?? null,
      fetchUrl: input.fetch_url ?? null,
      response: input.response ? (rawMember(body.bytes, "response") ?? null) : null,
    },
    { ...config, key },
  );
  if (isProblem(named)) return named;
  const unbound = outside(bnd, named);
  if (unbound !== null) return tokenBound(unbound);
  // Whoever holds a bounded token is not trusted to say how the request ended: the provider is asked.
  const finalAnswer = own === undefined ? named.finalAnswer : null;
  if (key === null && !finalAnswer)
    return problem("invalid_value", "key is needed: this server has no provider key for you.", {
      field: "key",
    });

  return makeRegistration(
    {
      ...named,
      ...callback,
      owner: own,
      finalAnswer,
      tenant: caller.tenant,
      host: caller.host,
      format: input.format ?? (callback.destination ? null : "standard"),
      metadata,
      index,
      etaSeconds: input.eta ?? named.etaSeconds,
      deadlineSeconds: input.deadline_seconds ?? null,
      maxDeadlineSeconds: bnd.ddl,
      key: input.key ?? null,
    },
    config,
  );
}

/** Only what stands at the top level, as one value. */
function isIndexable(metadata: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
  return typeof value === "number" || (typeof value === "string" && value.length <= MAX_INDEXED_CHARS);
}
