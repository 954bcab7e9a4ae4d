/**
 * Tokens that are bound, written as `POST /v1/tokens` writes them.
 */
import { decode } from "hono/jwt";
import type { Bounds } from "../../src/crypto/rights.ts";
import type { Claims } from "../../src/crypto/token.ts";
import { type Answer, call, token } from "./api.ts";

/** A token of this owner, with these bounds. */
export const bounded = (bnd: Bounds = {}, overrides: Partial<Claims> = {}): Promise<string> =>
  token({ own: "phone", bnd, par: ["backend"], ...overrides });

/** What the API mints; the least that it takes, unless `body` says otherwise. */
export const mint = (body: Record<string, unknown> = {}, auth?: string): Promise<Answer> =>
  call("POST", "/v1/tokens", {
    body: { scope: "jobs:read", expires_in: 600, ...body },
    ...(auth !== undefined && { auth }),
  });

export const claimsOf = (token: string): Claims => decode(token).payload as unknown as Claims;
