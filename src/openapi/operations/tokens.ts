/**
 * The operations on tokens and secrets, and whether the server runs.
 */
import { SECRET } from "../examples.ts";
import { type Operation, only, WITH_BODY, WITH_TOKEN } from "../operation.ts";

export const TOKEN_OPERATIONS: readonly Operation[] = [
  {
    id: "mintToken",
    method: "post",
    path: "/v1/tokens",
    tag: "tokens",
    summary: "Mint a token that may do less",
    description:
      "For an app on a phone, say. Nothing is stored; `REVOKED_TOKENS` ends a token and all that came from it.",
    scope: "tokens:write",
    body: {
      schema: "TokenRequest",
      required: true,
      examples: only({
        scope: "jobs:read jobs:write",
        expires_in: 3600,
        owner: "user-7",
        request_id: "13443927",
        endpoints: ["v4/dreambooth"],
        destination: "app",
        max_deadline_seconds: 600,
      }),
    },
    answers: {
      200: {
        description: "The token, shown this once.",
        schema: "MintedToken",
        examples: only({ token: "eyJ…", expires_at: "2026-11-20T13:00:00.000Z" }),
      },
    },
    problems: [...WITH_TOKEN, ...WITH_BODY],
    says: {
      invalid_value: ["expires_in must be a whole number of seconds from 60 to 2592000.", "expires_in"],
    },
  },
  {
    id: "readSigningSecret",
    method: "get",
    path: "/v1/signing-secret",
    tag: "tokens",
    summary: "Read the signing secret",
    description: "Verify with it what a callback receives (Standard Webhooks).",
    scope: "secrets:read",
    answers: {
      200: {
        description: "The secret.",
        schema: "SigningSecret",
        examples: only({ secret: SECRET, previous: [] }),
      },
    },
    problems: WITH_TOKEN,
  },
];

export const SERVICE_OPERATIONS: readonly Operation[] = [
  {
    id: "checkHealth",
    method: "get",
    path: "/healthz",
    tag: "service",
    summary: "See whether it runs",
    description: "`503` while the configuration is unusable; the log says what to set.",
    scope: null,
    answers: { 200: { description: "It runs.", schema: "Health", examples: only({ status: "ok" }) } },
    problems: ["unavailable", "internal_error"],
  },
];
