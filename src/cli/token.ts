/**
 * Prints one token on standard output and nothing else: `npm run -s token -- --tenant acme`. Signs with MASTER_KEYS
 * from the environment or else from `.dev.vars`, so that what it mints fits the Worker that runs with the same.
 */
import { existsSync, readFileSync } from "node:fs";
import { parseArgs, parseEnv } from "node:util";
import { parseMasterKeys } from "../crypto/keys.ts";
import { DEFAULT_SCOPES, isTenant, mintToken, SCOPES } from "../crypto/token.ts";

const DEFAULT_LIFE_SECONDS = 30 * 86_400;

const USAGE = `Usage: npm run -s token -- --tenant NAME [--scope "jobs:read jobs:write"] [--expires-in SECONDS]

  --tenant      whose jobs the token is for: 1 to 64 of A-Z a-z 0-9 _ . @ -
  --scope       what it may do, of: ${SCOPES.join(" ")}  (default: all but provider:admin)
  --expires-in  seconds from now (default: ${DEFAULT_LIFE_SECONDS}, 30 days)
`;

function fail(message: string): never {
  process.stderr.write(`token: ${message}\n`);
  process.exit(1);
}

function readArguments() {
  try {
    const options = {
      tenant: { type: "string" },
      scope: { type: "string", default: DEFAULT_SCOPES.join(" ") },
      "expires-in": { type: "string", default: String(DEFAULT_LIFE_SECONDS) },
      help: { type: "boolean", short: "h" },
    } as const;
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function masterKeysText(): string | undefined {
  if (process.env.MASTER_KEYS) return process.env.MASTER_KEYS;
  return existsSync(".dev.vars") ? parseEnv(readFileSync(".dev.vars", "utf8")).MASTER_KEYS : undefined;
}

const args = readArguments();
if (args.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const { tenant } = args;
if (tenant === undefined || !isTenant(tenant)) fail(`--tenant is missing or malformed\n\n${USAGE}`);
const scopes = args.scope.split(" ").filter((scope) => scope !== "");
const unknown = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
if (unknown !== undefined || scopes.length === 0)
  fail(`--scope must be of: ${SCOPES.join(" ")}, separated by spaces`);
const expiresIn = Number(args["expires-in"]);
if (!Number.isSafeInteger(expiresIn) || expiresIn < 1)
  fail("--expires-in must be a positive whole number of seconds");

const problems: string[] = [];
const [newest] = parseMasterKeys(masterKeysText(), problems);
if (!newest || problems.length > 0)
  fail(`${problems.join("; ")} (looked in the environment, then in .dev.vars, which \`npm start\` writes)`);

const iat = Math.floor(Date.now() / 1000);
const claims = { sub: tenant, scope: scopes.join(" "), exp: iat + expiresIn, iat, jti: crypto.randomUUID() };
process.stdout.write(`${await mintToken(claims, newest)}\n`);
