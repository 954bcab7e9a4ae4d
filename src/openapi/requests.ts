/**
 * What may be sent: the schemas that the server validates with, each field described. A pattern or limit that stands here
 * stands for a check of the server; test/openapi holds the two against each other.
 */

import { SCOPES } from "../crypto/token.ts";
import { BatchBody } from "../http/batch.ts";
import { BulkBody } from "../http/bulk.ts";
import type { callbackFields } from "../http/callback.ts";
import { DestinationBody, RotateBody } from "../http/destination-input.ts";
import { Filter } from "../http/job-filter.ts";
import { RedeliverBody } from "../http/jobs.ts";
import { OurFields } from "../http/provider-input.ts";
import { MAX_METADATA_BYTES, RegistrationBody } from "../http/registration.ts";
import { TokenBody } from "../http/tokens.ts";
import { DEFAULT_MAX_IN_FLIGHT } from "../webhook/destination.ts";
import { bodySchema, type Field, type JsonSchema, orNull } from "./json-schema.ts";

/** `isEndpoint` */
export const ENDPOINT: JsonSchema = {
  type: "string",
  pattern: "^(?!.*/fetch(/|$))v\\d{1,3}(/[A-Za-z0-9_-]{1,64}){0,3}$",
  examples: ["v4/dreambooth"],
};
/** `isRequestId` */
const ID_PATTERN = "^[A-Za-z0-9_-]{1,128}$";
export const REQUEST_ID: JsonSchema = {
  anyOf: [
    { type: "string", pattern: ID_PATTERN },
    { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  ],
};
export const REQUEST_ID_TEXT: JsonSchema = { type: "string", pattern: ID_PATTERN };
/** `isDestinationName` */
export const DESTINATION_NAME: JsonSchema = { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" };
/** `secretBytes` */
const SECRET: JsonSchema = { type: "string", pattern: "^whsec_[A-Za-z0-9+/]+={0,2}$", maxLength: 94 };
/** A time with a zone. The server takes one without seconds too, which RFC 3339 does not know. */
const TIME: JsonSchema = {
  type: "string",
  format: "date-time",
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$",
  examples: ["2026-11-20T00:00:00Z"],
};
/** `isProviderKey` */
const PROVIDER_KEY: JsonSchema = { type: "string", pattern: "^[\\x21-\\x7e]{1,256}$" };
const OBJECT: JsonSchema = { type: "object", additionalProperties: true };

const CALLBACK: { readonly [Name in keyof typeof callbackFields]: Field } = {
  callback_url: {
    description:
      "Where the event goes: a public https URL on port 443 or 1024 and above, of 2048 characters at most, without credentials. A fragment is dropped.",
  },
  destination: {
    description: "In place of `callback_url`: the name of a destination.",
    is: DESTINATION_NAME,
  },
};

const LISTED = (item: JsonSchema): JsonSchema => ({ type: "array", items: item, minItems: 1, maxItems: 16 });

/** The conditions of a list, as its query has them and as the body of an operation on many jobs has them. */
export const FILTER = bodySchema(Filter, "The conditions; a job must meet all of them.", {
  status: { description: "How far it is." },
  outcome: { description: "How the request ended." },
  endpoint: { description: "The provider's path in front of `/fetch`.", is: ENDPOINT },
  request_id: { description: "The provider's id of the request.", is: REQUEST_ID },
  destination: { description: "The name of a destination." },
  host: { description: "Of the callback, as its URL has it, with a port that is not the default." },
  created_after: { description: "Registered behind this time.", is: TIME },
  created_before: { description: "Registered before this time.", is: TIME },
});
const METADATA_VALUE: JsonSchema = {
  anyOf: [
    { type: "string", maxLength: 256 },
    { type: "number", description: "A whole number past 2^53 has lost digits: send it as a string." },
  ],
};

const nullable = (properties: JsonSchema): JsonSchema =>
  Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, orNull(schema as JsonSchema)]),
  );

export const REQUESTS = {
  Registration: bodySchema(
    RegistrationBody,
    "Names a request in one of three ways (`request_id`, `fetch_url` or `response`), and whom to call. `null` is the same as absent.",
    {
      endpoint: {
        description: "The provider's path in front of `/fetch`; `DEFAULT_ENDPOINT` unless given.",
        is: ENDPOINT,
      },
      request_id: {
        description:
          "The `id` of the provider's generation answer. A number past 2^53 has lost digits: send it as a string.",
        is: REQUEST_ID,
      },
      fetch_url: {
        description:
          "The provider's `fetch_result`, on one of `PROVIDER_ORIGINS`; without an id in it, `request_id` names the request.",
      },
      response: {
        description:
          "The provider's generation answer as it came; without a `fetch_result` in it, `endpoint` is needed too. One that is a `success` already is delivered without a poll.",
        is: OBJECT,
      },
      ...CALLBACK,
      eta: {
        description:
          "In how many seconds the request is to be ready, as the provider says; the response's unless given.",
      },
      key: {
        description:
          "Your key at the provider; the server's own unless given. Sealed at rest, erased when the outcome is known.",
        is: PROVIDER_KEY,
      },
      deadline_seconds: {
        description: "Then the request is asked for one last time, and expires; 3600 unless given.",
      },
      format: {
        description:
          "`standard`: a Standard Webhooks event. `provider`: the provider's own JSON. The destination's unless given, else `standard`.",
      },
      metadata: {
        description: `Handed back in the event as it came; ${MAX_METADATA_BYTES} bytes of JSON at most.`,
        is: OBJECT,
      },
      index: {
        description:
          "Names of top-level metadata, numbers or strings of up to 256 characters, that lists can be filtered by.",
      },
    },
  ),
  Batch: bodySchema(BatchBody, "Up to 1 MiB, each registration up to 64 KiB.", {
    jobs: {
      description: "Registrations; each is judged by itself.",
      is: { type: "array", items: { $ref: "#/components/schemas/Registration" }, minItems: 1, maxItems: 100 },
    },
  }),
  Redelivery: bodySchema(RedeliverBody, "Another callback than the job's, if it is to be another.", CALLBACK),
  Bulk: bodySchema(BulkBody, "Which jobs.", {
    filter: {
      description:
        "The conditions that a list takes as its query, at least one: `status`, `outcome`, `endpoint`, `request_id`, `destination`, `host`, `created_after`, `created_before`, and `metadata.<name>` for up to three names.",
      is: { $ref: "#/components/schemas/JobFilter" },
    },
    dry_run: { description: "Only counts the jobs that fit." },
  }),
  JobFilter: {
    ...FILTER,
    properties: nullable(FILTER.properties as JsonSchema),
    patternProperties: { "^metadata\\.": orNull(METADATA_VALUE) },
    // Nor is one enough that is `null`.
    not: { additionalProperties: { type: "null" } },
  },
  DestinationInput: bodySchema(
    DestinationBody,
    "A callback with a name. What no answer shows (`headers`, `secret`) stays as it was where it is left out.",
    {
      url: { description: "As `callback_url` of a registration." },
      headers: {
        description:
          "Sent with every attempt: up to 20, each of 4 KiB, 8 KiB in all; not hop-by-hop ones, `host`, `date`, `content-*`, `webhook-*` and the like. `{}` removes them. Needed anew when the URL moves to another host.",
        is: {
          type: "object",
          propertyNames: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$" },
          additionalProperties: {
            type: ["string", "null"],
            maxLength: 4096,
            pattern: "^([!-~]([ -~\\t]*[!-~])?)?$",
          },
        },
      },
      format: { description: "Of events whose registration says nothing of it; `standard` unless given." },
      retry_schedule: {
        description:
          "Seconds to wait before attempts 2, 3, … (each ± 20 %), 14 days in all; `[]` for a single attempt.",
        is: { type: "array", items: { type: "number", minimum: 0, maximum: 604_800 }, maxItems: 12 },
      },
      secret: {
        description:
          "`whsec_` and the base64 of 24 to 64 bytes; unless given, a new one is made for a new destination.",
        is: SECRET,
      },
      max_in_flight: {
        description: `Deliveries under way to the URL's host at one time; ${DEFAULT_MAX_IN_FLIGHT} unless given.`,
      },
      max_per_second: { description: "Deliveries that go out to it in a second; no limit unless given." },
    },
  ),
  SecretRotation: bodySchema(RotateBody, "How the old secret goes.", {
    overlap_seconds: { description: "How long the old secret signs beside the new one; a day unless given." },
    secret: { description: "The new one; one is made unless given.", is: SECRET },
  }),
  TokenRequest: bodySchema(
    TokenBody,
    "What the new token may do: never more than the caller's own. With an `owner` or any bound it is bounded; with neither it sees all of the tenant's jobs. A bound that is `null` is refused.",
    {
      scope: {
        description: "Scopes, separated by spaces.",
        is: {
          type: "string",
          pattern: `^ *(${SCOPES.join("|")})( +(${SCOPES.join("|")}))* *$`,
          examples: ["jobs:read jobs:write"],
        },
      },
      expires_in: { description: "Seconds; never longer than the caller's own token." },
      owner: {
        description:
          "Whose jobs it sees; with a bound but no owner, only its own. A new token with the same owner keeps them.",
        is: { type: "string", pattern: "^[A-Za-z0-9_.@-]{1,64}$" },
      },
      destination: {
        description: "The one destination that events may go to, and the default.",
        is: DESTINATION_NAME,
      },
      callback_origins: {
        description: "Where callbacks may lead; not together with `destination`.",
        is: LISTED({ type: "string", pattern: "^https?://[^/]+$", maxLength: 128 }),
      },
      endpoints: { description: "What it may register.", is: LISTED(ENDPOINT) },
      request_id: {
        description:
          "The one request that it may register. One id can name a request at several endpoints: give both.",
        is: REQUEST_ID,
      },
      any_request: {
        description:
          "The provider's ids are sequential, so `jobs:write` needs a `request_id`, or `true` here.",
      },
      max_deadline_seconds: { description: "The longest deadline, and the default if that is longer." },
    },
  ),
  ProviderFields: bodySchema(
    OurFields,
    "What Pollhook reads of a call in the provider's own form; everything else is the provider's. `null` and `\"\"` are the same as absent.",
    {
      webhook: {
        description: "Where the result goes, by the rules of `callback_url`.",
        is: { type: ["string", "null"] },
      },
      track_id: { description: "Handed back with the result.", is: { type: ["string", "number", "null"] } },
      webhook_format: {
        description: "What the webhook gets; `provider` unless given.",
        is: { type: ["string", "null"], enum: ["standard", "provider", "", null] },
      },
      provider_key: {
        description: "Your key at the provider; the server's own unless given.",
        is: { type: ["string", "null"], pattern: "^[\\x21-\\x7e]{0,256}$" },
      },
    },
  ),
} as const satisfies Record<string, JsonSchema>;
