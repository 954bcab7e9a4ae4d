/**
 * What every table of attacks needs: whose tokens they are, and a token of which nothing is wrong.
 */
import type { MasterKey } from "../../../src/crypto/keys.ts";
import type { TokenFault } from "../../../src/crypto/token.ts";

export interface Attack {
  readonly group: string;
  readonly what: string;
  readonly token: string;
  /** Why it must be refused: the answer is worded by that and by nothing else. */
  readonly faults: readonly TokenFault[];
}

export interface Victim {
  /** The one whose tokens are attacked, and an older one that is listed too. */
  readonly master: MasterKey;
  readonly older: MasterKey;
  readonly tenant: string;
  /** A `jti` that is revoked. */
  readonly revoked: string;
}

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** The claims of a token that opens everything. */
export const goodClaims = (sub: string, changes: Readonly<Record<string, unknown>> = {}): object => ({
  sub,
  scope:
    "jobs:read jobs:write generations:write tokens:write secrets:read destinations:read destinations:write",
  exp: seconds() + 3_600,
  iat: seconds(),
  jti: "attacked",
  ...changes,
});

export const HS256 = { alg: "HS256", typ: "JWT" };
export const BAD: readonly TokenFault[] = ["bad_signature"];
export const NONE: readonly TokenFault[] = ["malformed"];
