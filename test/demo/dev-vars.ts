/**
 * The local secrets: `.dev.vars`, git-ignored, written once with fresh random keys and read by `wrangler dev` and
 * by `npm run token`. An existing file is left as it is.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { type MasterKey, parseMasterKeys } from "../../src/crypto/keys.ts";
import { DEFAULT_SCOPES, isTenant, mintToken } from "../../src/crypto/token.ts";
import { ROOT } from "./worker-process.ts";

const FILE = join(ROOT, ".dev.vars");

/** Makes sure that there are master keys, and answers with them; `written` when they are new. */
export function ensureDevVars(): { masterKeys: MasterKey[]; written: boolean } {
  const written = !existsSync(FILE);
  if (written) {
    const key = `local:${randomBytes(32).toString("base64")}`;
    writeFileSync(
      FILE,
      `# Secrets for local work, made by the first start; wrangler dev and "npm run token" read them.\nMASTER_KEYS="${key}"\n`,
      { mode: 0o600 },
    );
  }
  const problems: string[] = [];
  const masterKeys = parseMasterKeys(parseEnv(readFileSync(FILE, "utf8")).MASTER_KEYS, problems);
  if (problems.length > 0)
    throw new Error(`.dev.vars: ${problems.join("; ")}; or delete the file for fresh ones`);
  return { masterKeys, written };
}

/** A token with every scope, for `tenant`. */
export async function localToken(masterKeys: readonly MasterKey[], tenant: string): Promise<string> {
  const [newest] = masterKeys;
  if (!newest || !isTenant(tenant)) throw new Error("no master key, or not a tenant's name");
  const iat = Math.floor(Date.now() / 1000);
  const life = 30 * 86_400;
  const claims = {
    sub: tenant,
    scope: DEFAULT_SCOPES.join(" "),
    exp: iat + life,
    iat,
    jti: crypto.randomUUID(),
  };
  return mintToken(claims, newest);
}
