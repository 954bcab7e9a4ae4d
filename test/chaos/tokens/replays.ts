/**
 * Tokens that were good, were used, and so are remembered by whoever verified them; then they are revoked, their time is up,
 * or their master key is taken off the list. What came of them goes with them, and nothing else does.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenFault } from "../../../src/crypto/token.ts";
import type { PollhookNode } from "../node.ts";
import { isRefusal, type Knocker } from "./doors.ts";

export interface Replays {
  readonly checks: number;
  readonly complaints: readonly string[];
}

const TENANT = "replayed";
const SHORT_LIFE_SECONDS = 3;
const LIMIT_MS = 60_000;
const LOOK_MS = 100;
/** How often each token is used before, so that it is remembered. */
const USES = 3;

/** Ends and starts the node several times; leaves it running. `start` brings it up with these variables on top. */
export async function tryReplays(
  node: PollhookNode,
  start: (vars?: Readonly<Record<string, string>>) => Promise<void>,
  { knock }: Knocker,
): Promise<Replays> {
  const complaints: string[] = [];
  let checks = 0;
  const check = (what: string, holds: boolean, seen: unknown = "") => {
    checks++;
    if (!holds) complaints.push(`${what}: not so, but ${JSON.stringify(seen)}`);
  };
  const restart = async (vars?: Readonly<Record<string, string>>) => {
    await node.stop();
    await start(vars);
  };
  const opens = async (what: string, ...tokens: readonly string[]) => {
    for (const token of tokens)
      for (let use = 0; use < USES; use++) {
        const { status, text } = await knock("GET", "/v1/jobs", token);
        check(`${what} opens`, status === 200, text);
      }
  };
  const isShut = async (what: string, fault: TokenFault, ...tokens: readonly string[]) => {
    for (const token of tokens)
      for (const path of ["/v1/jobs", "/v1/signing-secret", "/v1/jobs"]) {
        const answered = await knock("GET", path, token);
        check(`${what} is ${fault}`, isRefusal(answered, [fault], token), answered);
      }
  };
  const childOf = async (parent: string): Promise<string> => {
    const { text } = await knock("POST", "/v1/tokens", parent, {
      scope: "jobs:read tokens:write secrets:read",
      expires_in: 3_600,
    });
    return (JSON.parse(text) as { token?: string }).token ?? "";
  };

  await restart();
  const stolen = await node.token(TENANT, { jti: "stolen" });
  const bystander = await node.token(TENANT, { jti: "bystander" });
  const child = await childOf(stolen);
  const grandchild = await childOf(child);
  await opens("a token that is not revoked yet", stolen, child, grandchild, bystander);
  await restart({ REVOKED_TOKENS: "other,stolen" });
  await isShut("a token that was revoked after its use", "revoked", stolen, child, grandchild);
  await opens("another token of the tenant", bystander);
  await restart({ REVOKED_TOKENS: jtiOf(child) });
  await opens("the parent of a revoked token", stolen);
  await isShut("a revoked child", "revoked", child, grandchild);

  // Of one process: whoever remembers that its signature fits must look at its time again.
  const exp = Math.floor(Date.now() / 1000) + SHORT_LIFE_SECONDS;
  const brief = await node.token(TENANT, { jti: "brief", exp });
  const outlived = await childOf(brief);
  const first = await knock("GET", "/v1/jobs", brief);
  check("a token opens before its end", first.status === 200 || Date.now() >= exp * 1000, first);
  const limit = Date.now() + LIMIT_MS;
  while (Date.now() < exp * 1000 + LOOK_MS && Date.now() < limit) await sleep(LOOK_MS);
  await isShut("a token that was used before its end", "expired", brief);
  if (outlived !== "") await isShut("its child, which asked for longer", "expired", outlived);

  node.rotate();
  await restart();
  await opens("a token of the older master key", stolen, child, grandchild);
  const fresh = await newest(node);
  await opens("a token of the newer one", fresh);
  node.masterKeys = node.masterKeys.slice(0, 1);
  await restart();
  await isShut("a token whose master key is gone", "unknown_key", stolen, child, grandchild, bystander);
  await opens("a token of the newer one", fresh);
  return { checks, complaints };
}

/** Signed with the newest key alone. */
async function newest(node: PollhookNode): Promise<string> {
  const all = node.masterKeys;
  node.masterKeys = all.slice(0, 1);
  const token = await node.token(TENANT, { jti: "fresh" });
  node.masterKeys = all;
  return token;
}

const jtiOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { jti: string }).jti;
