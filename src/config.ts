/**
 * The only file that reads env. `readConfig` checks everything once and answers with what to set, in words
 * that name the variable and never repeat its value.
 */
import { type MasterKey, parseMasterKeys } from "./crypto/keys.ts";
import { isTenant } from "./crypto/token.ts";
import { isEndpoint } from "./provider/endpoints.ts";

/** Secrets and vars; every one but `MASTER_KEYS` is optional. */
export interface Variables {
  readonly MASTER_KEYS?: string;
  readonly PROVIDER_KEY?: string;
  readonly PROVIDER_KEY_TENANTS?: string;
  readonly DEFAULT_ENDPOINT?: string;
  readonly PUBLIC_URL?: string;
  readonly PROVIDER_ORIGINS?: string;
  readonly ALLOW_PRIVATE_TARGETS?: string;
  readonly RETENTION_HOURS?: string;
  readonly MAX_OUTPUT_BYTES?: string;
  readonly PROVIDER_WEBHOOKS?: string;
  readonly REVOKED_TOKENS?: string;
  readonly ALLOWED_ORIGINS?: string;
  readonly JOB_SHARDS?: string;
  readonly SECONDS_PER_POLL?: string;
}

/** An object, so that one left out does not compile. */
export const VARIABLES = {
  MASTER_KEYS: true,
  PROVIDER_KEY: true,
  PROVIDER_KEY_TENANTS: true,
  DEFAULT_ENDPOINT: true,
  PUBLIC_URL: true,
  PROVIDER_ORIGINS: true,
  ALLOW_PRIVATE_TARGETS: true,
  RETENTION_HOURS: true,
  MAX_OUTPUT_BYTES: true,
  PROVIDER_WEBHOOKS: true,
  REVOKED_TOKENS: true,
  ALLOWED_ORIGINS: true,
  JOB_SHARDS: true,
  SECONDS_PER_POLL: true,
} as const satisfies Record<keyof Variables, true>;

export interface Config {
  /** Newest first; at least one. */
  readonly masterKeys: readonly [MasterKey, ...MasterKey[]];
  readonly providerKey: string | null;
  readonly providerKeyTenants: "*" | ReadonlySet<string>;
  readonly defaultEndpoint: string;
  readonly publicUrl: string | null;
  /** The first is the default. */
  readonly providerOrigins: readonly [string, ...string[]];
  readonly allowPrivateTargets: boolean;
  readonly retentionMs: number;
  readonly maxOutputBytes: number;
  /** Whether generation calls ask the provider to hint at their end; that needs `publicUrl` too. */
  readonly providerWebhooks: boolean;
  /** `jti`s; whatever was minted from one of these is refused too. */
  readonly revokedTokens: ReadonlySet<string>;
  /** Whose pages may call the API from a browser, beside our own. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** Newest first; numbers of objects that a tenant's jobs share, 0 for one for each job. */
  readonly jobShards: readonly number[];
  /** How many seconds sooner an end must be seen for a poll to be worth it. */
  readonly secondsPerPoll: number;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

const DEFAULT_ORIGINS = "https://modelslab.com,https://stablediffusionapi.com";
const ORIGINS_HELP = "PROVIDER_ORIGINS must be origins such as https://modelslab.com, separated by commas";
const DEFAULT_RETENTION_HOURS = 168;
const MAX_RETENTION_HOURS = 8760;
const HOUR_MS = 3_600_000;
const DEFAULT_OUTPUT_BYTES = 8 * 1024 * 1024;
/** An event holds the output twice and an isolate has 128 MB. */
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024;
const LEAST_OUTPUT_BYTES = 1024;
const MOST_SHARDS = 1024;
/** Where a job is not found in the newest place, each of the older ones is asked. */
const MOST_PLACES = 4;
const OWN_OBJECTS = [0] as const;
const DEFAULT_SECONDS_PER_POLL = 1;

const cache = new WeakMap<object, ConfigResult>();

/** The checked configuration of this isolate; the same `env` object is read once. */
export function readConfig(env: Variables): ConfigResult {
  let result = cache.get(env);
  if (!result) {
    result = parseConfig(env);
    cache.set(env, result);
  }
  return result;
}

/** How long an ended job is kept; the default while the configuration cannot be used. */
export function retentionMsOf(env: Variables): number {
  const result = readConfig(env);
  return result.ok ? result.config.retentionMs : DEFAULT_RETENTION_HOURS * HOUR_MS;
}

/** Where jobs live. Throws while the configuration cannot be used: nobody may take a job for none that cannot be looked for. */
export function jobShardsOf(env: Variables): readonly number[] {
  const result = readConfig(env);
  if (!result.ok) throw new Error("The configuration cannot be used.");
  return result.config.jobShards;
}

/** What a poll is worth; the default while the configuration cannot be used. */
export function secondsPerPollOf(env: Variables): number {
  const result = readConfig(env);
  return result.ok ? result.config.secondsPerPoll : DEFAULT_SECONDS_PER_POLL;
}

/** Checks all variables and reports every problem at once. */
export function parseConfig(variables: Variables): ConfigResult {
  const problems: string[] = [];
  const env = readTexts(variables, problems);
  const allowPrivateTargets = parseBoolean(env, "ALLOW_PRIVATE_TARGETS", false, problems);
  const providerWebhooks = parseBoolean(env, "PROVIDER_WEBHOOKS", true, problems);
  const [firstKey, ...otherKeys] = parseMasterKeys(env.MASTER_KEYS, problems);
  const [firstOrigin, ...otherOrigins] = parseOrigins(env.PROVIDER_ORIGINS, allowPrivateTargets, problems);
  const defaultEndpoint = env.DEFAULT_ENDPOINT || "v3";
  if (!isEndpoint(defaultEndpoint)) problems.push('DEFAULT_ENDPOINT must be an endpoint such as "v3"');
  const publicUrl = env.PUBLIC_URL || null;
  if (publicUrl !== null && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? ""))
    problems.push("PUBLIC_URL must be an absolute http(s) URL");
  const providerKey = env.PROVIDER_KEY || null;
  if (providerKey !== null && !isProviderKey(providerKey))
    problems.push("PROVIDER_KEY must be 1 to 256 printable ASCII characters without spaces");
  const providerKeyTenants = parseTenants(env.PROVIDER_KEY_TENANTS, problems);
  const revokedTokens = list(env.REVOKED_TOKENS ?? "");
  if (!revokedTokens.every((jti) => /^[\x21-\x7e]{1,128}$/.test(jti)))
    problems.push("REVOKED_TOKENS must be the jti of tokens, not whole tokens, separated by commas");
  const allowedOrigins = list(env.ALLOWED_ORIGINS ?? "");
  if (!allowedOrigins.every(isPageOrigin))
    problems.push("ALLOWED_ORIGINS must be origins such as https://app.example.com, separated by commas");
  const retentionHours = parseNumber(
    env,
    "RETENTION_HOURS",
    { fallback: DEFAULT_RETENTION_HOURS, least: 0.001, most: MAX_RETENTION_HOURS },
    problems,
  );
  const maxOutputBytes = parseNumber(
    env,
    "MAX_OUTPUT_BYTES",
    { fallback: DEFAULT_OUTPUT_BYTES, least: LEAST_OUTPUT_BYTES, most: MOST_OUTPUT_BYTES },
    problems,
  );
  const jobShards = parseShards(env.JOB_SHARDS, problems);
  const secondsPerPoll = parseNumber(
    env,
    "SECONDS_PER_POLL",
    { fallback: DEFAULT_SECONDS_PER_POLL, least: 0.01, most: 60 },
    problems,
  );
  if (problems.length > 0 || !firstKey || !firstOrigin) return { ok: false, problems };
  return {
    ok: true,
    config: {
      masterKeys: [firstKey, ...otherKeys],
      providerKey,
      providerKeyTenants,
      defaultEndpoint,
      publicUrl,
      providerOrigins: [firstOrigin, ...otherOrigins],
      allowPrivateTargets,
      retentionMs: Math.round(retentionHours * HOUR_MS),
      maxOutputBytes: Math.floor(maxOutputBytes),
      providerWebhooks,
      revokedTokens: new Set(revokedTokens),
      allowedOrigins: new Set(allowedOrigins),
      jobShards,
      secondsPerPoll,
    },
  };
}

/** What may be a provider key: what fits a JSON string and a header without escapes or surprises. */
export const isProviderKey = (text: string): boolean => /^[\x21-\x7e]{1,256}$/.test(text);

/** The server's own provider key, if this tenant may use it. */
export function serverKeyFor(config: Config, tenant: string): string | null {
  const { providerKeyTenants } = config;
  return providerKeyTenants === "*" || providerKeyTenants.has(tenant) ? config.providerKey : null;
}

/** The values as text: what stands in wrangler's `[vars]` without quotes comes as a number or a boolean. */
function readTexts(variables: Variables, problems: string[]): Variables {
  const texts: Record<string, string> = {};
  for (const name of Object.keys(VARIABLES) as (keyof Variables)[]) {
    const value: unknown = variables[name];
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      texts[name] = String(value);
    else if (value !== undefined && value !== null) problems.push(`${name} must be text in quotes`);
  }
  return texts;
}

const list = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** As a browser writes it: of a page, or of an app's web view, whose scheme may be its own. */
const isPageOrigin = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:[\]-]+$/.test(text);

function parseTenants(text: string | undefined, problems: string[]): "*" | ReadonlySet<string> {
  // Emptied, it means nobody: a list that is shortened must not end in everybody.
  const tenants = list(text ?? "*");
  if (tenants.includes("*")) return "*";
  if (!tenants.every(isTenant))
    problems.push('PROVIDER_KEY_TENANTS must be "*" or the names of tenants, separated by commas');
  return new Set(tenants);
}

function parseOrigins(text: string | undefined, allowHttp: boolean, problems: string[]): string[] {
  const origins: string[] = [];
  const items = list(text || DEFAULT_ORIGINS);
  if (items.length === 0) problems.push(ORIGINS_HELP);
  for (const item of items) {
    const url = URL.parse(item);
    if (url?.pathname !== "/" || url.search || url.hash || url.username || url.password)
      problems.push(ORIGINS_HELP);
    else if (url.protocol !== "https:" && !(allowHttp && url.protocol === "http:"))
      problems.push("PROVIDER_ORIGINS must be https (http only together with ALLOW_PRIVATE_TARGETS=true)");
    else origins.push(url.origin);
  }
  return origins;
}

function parseShards(text: string | undefined, problems: string[]): readonly number[] {
  const items = list(text ?? "");
  const shards = items.length === 0 ? OWN_OBJECTS : items.map(Number);
  const isUsable = items.every((item) => /^\d{1,4}$/.test(item) && Number(item) <= MOST_SHARDS);
  if (!isUsable || shards.length > MOST_PLACES || new Set(shards).size < shards.length)
    problems.push(
      `JOB_SHARDS must be a number from 0 to ${MOST_SHARDS}, or up to ${MOST_PLACES} different ones, newest first, separated by commas`,
    );
  return shards;
}

function parseBoolean(env: Variables, name: keyof Variables, fallback: boolean, problems: string[]): boolean {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  if (text !== "true" && text !== "false") problems.push(`${name} must be "true" or "false"`);
  return text === "true";
}

function parseNumber(
  env: Variables,
  name: keyof Variables,
  { fallback, least, most }: { fallback: number; least: number; most: number },
  problems: string[],
): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  problems.push(`${name} must be a number from ${least} to ${most}`);
  return fallback;
}
