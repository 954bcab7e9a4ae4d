/**
 * `npm run build`: makes dist/self-hosted, with which Pollhook runs on plain workerd, and says how.
 */
import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import ipaddr from "ipaddr.js";
import { assemble } from "./assemble.ts";

const DEFAULT_FOLDER = "dist/self-hosted";
const DEFAULT_ALLOW = "public";

const USAGE = `Usage: npm run build -- [options]

Makes a folder with which Pollhook runs on plain workerd.

  --out <folder>  where to; ${DEFAULT_FOLDER} unless given
  --allow <list>  which addresses callbacks and the provider may be at, with commas between them: ${DEFAULT_ALLOW} unless
                  given; "public,private" for what is in a network of one's own too, "public,10.1.0.0/16" for a part of it
  --help          this text
`;

/** workerd's own words for groups of addresses. */
const WORDS = ["public", "private", "local", "network"];

/** As workerd reads one: all four parts of an IPv4 address, in decimal. */
const isBlock = (text: string): boolean =>
  ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text);

function fail(message: string): never {
  process.stderr.write(`build: ${message}\n\n${USAGE}`);
  process.exit(1);
}

function readArguments() {
  try {
    const options = {
      out: { type: "string", default: DEFAULT_FOLDER },
      allow: { type: "string", default: DEFAULT_ALLOW },
      help: { type: "boolean", short: "h" },
    } as const;
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const args = readArguments();
if (args.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const allow = args.allow.split(",").map((item) => item.trim());
const unknown = allow.find((item) => !WORDS.includes(item) && !isBlock(item));
if (unknown !== undefined) fail(`--allow: "${unknown}" is neither a word of workerd's nor a CIDR block`);
const config = relative("", await assemble({ folder: resolve(args.out), allow }));
process.stdout.write(`Made ${config}. With the environment variables of the README it runs:

  mkdir -p data
  export MASTER_KEYS="k1:$(openssl rand -base64 32)"   # to be kept: without it, what is stored cannot be used any more
  npx workerd serve ${config}
`);
