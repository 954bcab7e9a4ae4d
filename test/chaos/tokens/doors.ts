/**
 * Tokens tried on the routes that they might open: as a bearer, and as `key` in the provider's own form. A refusal says what
 * the API documents and nothing else, and never repeats what came.
 */
import type { TokenFault } from "../../../src/crypto/token.ts";
import { inLanes } from "../../support/lanes.ts";
import type { Attack } from "./victim.ts";

export interface Answered {
  readonly status: number;
  readonly challenge: string | null;
  readonly text: string;
}
export interface Knocker {
  /** One call, whatever token it carries; `bearer: null` sends no header. */
  knock(method: string, path: string, bearer: string | null, body?: object): Promise<Answered>;
}

export interface Doors {
  readonly tried: number;
  /** Answers that were no refusal. */
  readonly opened: number;
  readonly complaints: readonly string[];
}

const LANES = 8;
/** What a header can carry; a server may refuse a longer one before the Worker sees it. */
const SENDABLE = /^[\x21-\x7e]+$/;
const LONG_HEADER_CHARS = 16_000;
const TOO_LONG: readonly number[] = [400, 413, 414, 431, 0];
/** Of the body of a fetch call. */
const MOST_FETCH_CHARS = 64_000;
/** All that a caller is ever told of a token; written out, as these words are the API's. */
const SAID: Readonly<Record<TokenFault, string>> = {
  malformed: "The token is not one of Pollhook's; mint one with `npm run -s token`.",
  unknown_key: "The token was signed with a key that is not in use any more; mint a new one.",
  bad_signature: "The token's signature does not fit; mint a new one.",
  expired: "The token has expired; mint a new one.",
  revoked: "The token, or one that it came from, was revoked.",
};
const KEY_MALFORMED =
  "key must be a Pollhook token, and what came is none. The provider's own key goes into provider_key, if the server has none for you.";

const REGISTRATION = {
  endpoint: "v3",
  request_id: "forged",
  eta: 6_000,
  callback_url: "https://example.com/hook",
};

/** Method, path, and a body that would be accepted; `job` is one of the tenant's. */
export const bearerDoors = (
  job: string,
): readonly (readonly [method: string, path: string, body?: object])[] => [
  ["GET", "/v1/jobs"],
  ["POST", "/v1/jobs", REGISTRATION],
  ["GET", `/v1/jobs/${job}`],
  ["POST", "/v1/jobs/batch", { jobs: [REGISTRATION] }],
  ["POST", `/v1/jobs/${job}/cancel`],
  ["POST", `/v1/jobs/${job}/redeliver`],
  ["DELETE", `/v1/jobs/${job}`],
  ["GET", "/v1/events"],
  ["GET", "/v1/stats"],
  ["PUT", "/v1/destinations/forged", { url: "https://example.com/hook" }],
  ["POST", "/v1/tokens", { scope: "jobs:read", expires_in: 3_600 }],
  ["GET", "/v1/signing-secret"],
];

/** In the provider's form. */
export const keyDoors: readonly (readonly [path: string, body: object])[] = [
  ["/api/v3/fetch/forged", { webhook: "https://example.com/hook" }],
  ["/api/v6/images/text2img", { prompt: "forged" }],
];

/** Each attack on each of these doors. */
export async function tryDoors(
  { knock }: Knocker,
  attacks: readonly Attack[],
  bearers: ReturnType<typeof bearerDoors>,
  keys: typeof keyDoors,
): Promise<Doors> {
  let tried = 0;
  let opened = 0;
  const complaints = await inLanes(attacks, LANES, async ({ group, what, token, faults }) => {
    const lines: string[] = [];
    const judge = (door: string, { status, text }: Answered, isRight: boolean) => {
      tried++;
      if (status >= 200 && status < 400) opened++;
      if (!isRight) lines.push(`${group}, ${what}: ${door} answers ${status} ${text.slice(0, 200)}`);
    };
    if (SENDABLE.test(token))
      for (const [method, path, body] of bearers) {
        const answered = await knock(method, path, token, body);
        const isCut = token.length > LONG_HEADER_CHARS && TOO_LONG.includes(answered.status);
        judge(`${method} ${path}`, answered, isCut || isRefusal(answered, faults, token));
      }
    for (const [path, body] of keys) {
      const answered = await knock("POST", path, null, { key: token, ...body });
      const isCut = path.includes("fetch") && token.length > MOST_FETCH_CHARS && answered.status === 413;
      judge(path, answered, isCut || isRefusalAsProvider(answered, faults, token));
    }
    return lines;
  });
  return { tried, opened, complaints: complaints.flat() };
}

/** A whole problem, in documented words. */
export function isRefusal(
  { status, challenge, text }: Answered,
  faults: Attack["faults"],
  token: string,
): boolean {
  const isExpired = faults.includes("expired");
  const expected = faults.map((fault) =>
    JSON.stringify({
      type: `urn:pollhook:problem:${isExpired ? "token_expired" : "token_invalid"}`,
      status: 401,
      detail: SAID[fault],
      code: isExpired ? "token_expired" : "token_invalid",
    }),
  );
  const { title: _, ...said } = asObject(text);
  return (
    status === 401 &&
    challenge === 'Bearer realm="pollhook", error="invalid_token"' &&
    expected.includes(JSON.stringify(said)) &&
    !repeats(text, token)
  );
}

function isRefusalAsProvider({ status, text }: Answered, faults: Attack["faults"], token: string): boolean {
  const expected = faults.map((fault) =>
    JSON.stringify({ status: "error", message: fault === "malformed" ? KEY_MALFORMED : SAID[fault] }),
  );
  return status === 401 && expected.includes(JSON.stringify(asObject(text))) && !repeats(text, token);
}

const repeats = (text: string, token: string): boolean =>
  token.split(".").some((part) => part.length > 8 && text.includes(part));

function asObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
