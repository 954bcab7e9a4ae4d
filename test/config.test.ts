import { describe, expect, it } from "vitest";
import {
  type Config,
  type ConfigResult,
  isProviderKey,
  parseConfig,
  readConfig,
  retentionMsOf,
  secondsPerPollOf,
  serverKeyFor,
  type Variables,
} from "../src/config.ts";

const KEY = btoa("0123456789abcdef0123456789abcdef");
const VALID: Variables = { MASTER_KEYS: `k1:${KEY}` };

const parse = (overrides: Variables = {}): ConfigResult => parseConfig({ ...VALID, ...overrides });

function configOf(overrides: Variables = {}): Config {
  const result = parse(overrides);
  if (!result.ok) throw new Error(result.problems.join("; "));
  return result.config;
}

function problemsOf(overrides: Variables): readonly string[] {
  const result = parse(overrides);
  return result.ok ? [] : result.problems;
}

describe("the defaults", () => {
  it("are those of the documentation, with only MASTER_KEYS set", () => {
    const { masterKeys, ...rest } = configOf();
    expect(masterKeys.map(({ kid }) => kid)).toEqual(["k1"]);
    expect(rest).toEqual({
      providerKey: null,
      providerKeyTenants: "*",
      defaultEndpoint: "v3",
      publicUrl: null,
      providerOrigins: ["https://modelslab.com", "https://stablediffusionapi.com"],
      allowPrivateTargets: false,
      retentionMs: 168 * 3_600_000,
      providerWebhooks: true,
      revokedTokens: new Set(),
      allowedOrigins: new Set(),
      jobShards: [0],
      secondsPerPoll: 1,
      maxOutputBytes: 8_388_608,
    });
  });

  it("stand for variables that are empty", () => {
    const empty: Variables = {
      PROVIDER_KEY: "",
      DEFAULT_ENDPOINT: "",
      PUBLIC_URL: "",
      PROVIDER_ORIGINS: "",
      ALLOW_PRIVATE_TARGETS: "",
      RETENTION_HOURS: "",
      MAX_OUTPUT_BYTES: "",
      PROVIDER_WEBHOOKS: "",
      REVOKED_TOKENS: "",
      ALLOWED_ORIGINS: "",
      JOB_SHARDS: "",
      SECONDS_PER_POLL: "",
    };
    expect(configOf(empty)).toEqual(configOf());
  });
});

describe("a value that fits is taken", () => {
  const cases: readonly (readonly [Variables, Partial<Config>])[] = [
    [{ PROVIDER_KEY: "sk-1" }, { providerKey: "sk-1" }],
    [{ PROVIDER_KEY: "~".repeat(256) }, { providerKey: "~".repeat(256) }],
    [{ PROVIDER_KEY_TENANTS: "*" }, { providerKeyTenants: "*" }],
    [{ PROVIDER_KEY_TENANTS: " acme , globex," }, { providerKeyTenants: new Set(["acme", "globex"]) }],
    [{ PROVIDER_KEY_TENANTS: "acme,*" }, { providerKeyTenants: "*" }],
    [{ DEFAULT_ENDPOINT: "v1/enterprise/flux" }, { defaultEndpoint: "v1/enterprise/flux" }],
    [{ PUBLIC_URL: "https://hooks.example.com" }, { publicUrl: "https://hooks.example.com" }],
    [{ PUBLIC_URL: "http://localhost:8787" }, { publicUrl: "http://localhost:8787" }],
    [{ PROVIDER_ORIGINS: "https://a.example" }, { providerOrigins: ["https://a.example"] }],
    [
      { PROVIDER_ORIGINS: " https://A.example/ , https://b.example:8443,https://c.example:443," },
      { providerOrigins: ["https://a.example", "https://b.example:8443", "https://c.example"] },
    ],
    [
      { PROVIDER_ORIGINS: "http://127.0.0.1:9000", ALLOW_PRIVATE_TARGETS: "true" },
      { providerOrigins: ["http://127.0.0.1:9000"], allowPrivateTargets: true },
    ],
    [{ PROVIDER_WEBHOOKS: "true" }, { providerWebhooks: true }],
    [{ PROVIDER_WEBHOOKS: "false" }, { providerWebhooks: false }],
    [{ REVOKED_TOKENS: " a-1, b ," }, { revokedTokens: new Set(["a-1", "b"]) }],
    [
      { ALLOWED_ORIGINS: "https://a.example, http://localhost:5173,capacitor://localhost" },
      { allowedOrigins: new Set(["https://a.example", "http://localhost:5173", "capacitor://localhost"]) },
    ],
    [{ JOB_SHARDS: "8" }, { jobShards: [8] }],
    [{ JOB_SHARDS: " 1024, 8,1 ,0," }, { jobShards: [1024, 8, 1, 0] }],
    [{ ALLOW_PRIVATE_TARGETS: "true" }, { allowPrivateTargets: true }],
    [{ ALLOW_PRIVATE_TARGETS: "false" }, { allowPrivateTargets: false }],
    [{ RETENTION_HOURS: "1" }, { retentionMs: 3_600_000 }],
    [{ RETENTION_HOURS: "0.5" }, { retentionMs: 1_800_000 }],
    [{ RETENTION_HOURS: "0.001" }, { retentionMs: 3_600 }],
    [{ RETENTION_HOURS: "8760" }, { retentionMs: 8_760 * 3_600_000 }],
    [{ MAX_OUTPUT_BYTES: "1024" }, { maxOutputBytes: 1_024 }],
    [{ MAX_OUTPUT_BYTES: "16777216" }, { maxOutputBytes: 16_777_216 }],
    [{ MAX_OUTPUT_BYTES: "2000.9" }, { maxOutputBytes: 2_000 }],
    [{ SECONDS_PER_POLL: "0.01" }, { secondsPerPoll: 0.01 }],
    [{ SECONDS_PER_POLL: "60" }, { secondsPerPoll: 60 }],
  ];

  it.each(cases)("%j", (variables, expected) => {
    expect(configOf(variables)).toEqual({ ...configOf(), ...expected });
  });

  it("also where wrangler hands over a number or a boolean that was written without quotes", () => {
    const unquoted: Record<string, unknown> = {
      RETENTION_HOURS: 24,
      ALLOW_PRIVATE_TARGETS: true,
      PROVIDER_KEY: 123456,
    };
    expect(configOf(unquoted)).toMatchObject({
      retentionMs: 24 * 3_600_000,
      allowPrivateTargets: true,
      providerKey: "123456",
    });
  });
});

describe("a value that does not fit is a problem that names its variable and does not repeat it", () => {
  const cases: readonly (readonly [name: keyof Variables, value: string, help: RegExp])[] = [
    ["PROVIDER_KEY", "two words", /1 to 256 printable ASCII/],
    ["PROVIDER_KEY", "schlüssel", /1 to 256 printable ASCII/],
    ["PROVIDER_KEY", "~".repeat(257), /1 to 256 printable ASCII/],
    ["PROVIDER_KEY", "trailing-newline\n", /1 to 256 printable ASCII/],
    ["PROVIDER_KEY_TENANTS", "acme;globex", /names of tenants, separated by commas/],
    ["PROVIDER_KEY_TENANTS", "acme corp", /names of tenants, separated by commas/],
    ["DEFAULT_ENDPOINT", "/v3", /"v3"/],
    ["DEFAULT_ENDPOINT", "v3/fetch", /"v3"/],
    ["DEFAULT_ENDPOINT", "v3/../admin", /"v3"/],
    ["PUBLIC_URL", "hooks.example.com", /absolute http\(s\) URL/],
    ["PUBLIC_URL", "ftp://hooks.example.com", /absolute http\(s\) URL/],
    ["PROVIDER_ORIGINS", "models.example", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", "https://a.example/api", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", "https://a.example?x=1", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", "https://a.example/#x", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", "https://user:pass@a.example", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", "https://ok.example,not an origin", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", ",", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", " ", /https:\/\/modelslab\.com/],
    ["PROVIDER_ORIGINS", "http://a.example", /https .*ALLOW_PRIVATE_TARGETS=true/],
    ["PROVIDER_ORIGINS", "ftp://a.example", /must be https/],
    ["ALLOW_PRIVATE_TARGETS", "yes", /"true" or "false"/],
    ["ALLOW_PRIVATE_TARGETS", "TRUE", /"true" or "false"/],
    ["ALLOW_PRIVATE_TARGETS", "1", /"true" or "false"/],
    ["RETENTION_HOURS", "0", /from 0\.001 to 8760/],
    ["RETENTION_HOURS", "0.0009", /from 0\.001 to 8760/],
    ["RETENTION_HOURS", "8760.1", /from 0\.001 to 8760/],
    ["RETENTION_HOURS", "-1", /from 0\.001 to 8760/],
    ["RETENTION_HOURS", "1e2", /from 0\.001 to 8760/],
    ["SECONDS_PER_POLL", "0", /from 0\.01 to 60/],
    ["SECONDS_PER_POLL", "0.009", /from 0\.01 to 60/],
    ["SECONDS_PER_POLL", "60.1", /from 0\.01 to 60/],
    ["SECONDS_PER_POLL", "a second", /from 0\.01 to 60/],
    ["RETENTION_HOURS", "a week", /from 0\.001 to 8760/],
    ["RETENTION_HOURS", "Infinity", /from 0\.001 to 8760/],
    ["MAX_OUTPUT_BYTES", "1023", /from 1024 to 16777216/],
    ["MAX_OUTPUT_BYTES", "16777217", /from 1024 to 16777216/],
    ["MAX_OUTPUT_BYTES", "8 MiB", /from 1024 to 16777216/],
    ["MAX_OUTPUT_BYTES", "0x2000", /from 1024 to 16777216/],
    ["REVOKED_TOKENS", "two words", /must be the jti of tokens/],
    ["REVOKED_TOKENS", "e".repeat(129), /not whole tokens/],
    ["JOB_SHARDS", "-1", /from 0 to 1024/],
    ["JOB_SHARDS", "1025", /from 0 to 1024/],
    ["JOB_SHARDS", "1.5", /from 0 to 1024/],
    ["JOB_SHARDS", "eight", /from 0 to 1024/],
    ["JOB_SHARDS", "8,8", /different ones/],
    ["JOB_SHARDS", "1,2,3,4,5", /up to 4/],
    ["ALLOWED_ORIGINS", "*", /https:\/\/app\.example\.com/],
    ["ALLOWED_ORIGINS", "null", /https:\/\/app\.example\.com/],
    ["ALLOWED_ORIGINS", "https://a.example/", /https:\/\/app\.example\.com/],
    ["ALLOWED_ORIGINS", "https://*.a.example", /https:\/\/app\.example\.com/],
  ];

  it.each(cases)("%s=%j", (name, value, help) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} `));
    expect(problems[0]).toMatch(help);
    // What is no number, word or separator of the help itself.
    if (value.trim().length > 3) expect(problems[0]).not.toContain(value);
  });

  it.each([
    "PROVIDER_KEY",
    "PROVIDER_KEY_TENANTS",
    "DEFAULT_ENDPOINT",
    "PUBLIC_URL",
    "PROVIDER_ORIGINS",
    "ALLOW_PRIVATE_TARGETS",
    "RETENTION_HOURS",
    "MAX_OUTPUT_BYTES",
  ])("%s as a list or a table", (name) => {
    for (const value of [["https://a.example"], { a: 1 }]) {
      const problems = problemsOf({ [name]: value });
      expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name} must be text`))]);
    }
  });

  it("reports all of them at once", () => {
    const problems = problemsOf({
      MASTER_KEYS: "",
      PROVIDER_KEY: " ",
      PROVIDER_KEY_TENANTS: "a b",
      DEFAULT_ENDPOINT: "fetch",
      PUBLIC_URL: "here",
      PROVIDER_ORIGINS: "there",
      ALLOW_PRIVATE_TARGETS: "maybe",
      RETENTION_HOURS: "long",
      MAX_OUTPUT_BYTES: "many",
      PROVIDER_WEBHOOKS: "sometimes",
      REVOKED_TOKENS: "a b",
      ALLOWED_ORIGINS: "*",
      JOB_SHARDS: "many",
    });
    expect(problems.map((problem) => /^[A-Z_]+/.exec(problem)?.[0]).sort()).toEqual([
      "ALLOWED_ORIGINS",
      "ALLOW_PRIVATE_TARGETS",
      "DEFAULT_ENDPOINT",
      "JOB_SHARDS",
      "MASTER_KEYS",
      "MAX_OUTPUT_BYTES",
      "PROVIDER_KEY",
      "PROVIDER_KEY_TENANTS",
      "PROVIDER_ORIGINS",
      "PROVIDER_WEBHOOKS",
      "PUBLIC_URL",
      "RETENTION_HOURS",
      "REVOKED_TOKENS",
    ]);
  });
});

describe("isProviderKey", () => {
  it("takes 1 to 256 printable characters", () => {
    for (const text of ["a", "!", "~", 'a"b\\c', "a".repeat(256)]) expect(isProviderKey(text)).toBe(true);
    for (const text of ["", " ", "a b", "a\n", "\u007f", "ü", "a".repeat(257)])
      expect(isProviderKey(text)).toBe(false);
  });
});

describe("serverKeyFor", () => {
  it("gives the key to the tenants that may use it", () => {
    const open = configOf({ PROVIDER_KEY: "sk-1" });
    expect(serverKeyFor(open, "anyone")).toBe("sk-1");
    const closed = configOf({ PROVIDER_KEY: "sk-1", PROVIDER_KEY_TENANTS: "acme,globex" });
    expect(serverKeyFor(closed, "acme")).toBe("sk-1");
    expect(serverKeyFor(closed, "globex")).toBe("sk-1");
    for (const tenant of ["anyone", "Acme", "acm", "", "acme,globex", "*"])
      expect(serverKeyFor(closed, tenant)).toBeNull();
  });

  it("gives none where there is none", () => {
    expect(serverKeyFor(configOf(), "acme")).toBeNull();
    expect(serverKeyFor(configOf({ PROVIDER_KEY_TENANTS: "acme" }), "acme")).toBeNull();
  });

  it.each(["", " ", ","])("gives the key to nobody when the list of tenants holds nobody: %j", (tenants) => {
    expect(
      serverKeyFor(configOf({ PROVIDER_KEY: "sk-1", PROVIDER_KEY_TENANTS: tenants }), "acme"),
    ).toBeNull();
  });
});

describe("readConfig", () => {
  const bindings = (variables: Variables): Variables => ({ ...variables });

  it("reads the same environment once", () => {
    const env = bindings(VALID);
    expect(readConfig(env)).toBe(readConfig(env));
    expect(readConfig(bindings(VALID))).not.toBe(readConfig(env));
  });

  it("keeps ended jobs for the configured time, or the default while the configuration is unusable", () => {
    expect(retentionMsOf(bindings({ ...VALID, RETENTION_HOURS: "2" }))).toBe(2 * 3_600_000);
    expect(retentionMsOf(bindings({ RETENTION_HOURS: "2" }))).toBe(168 * 3_600_000);
  });

  it("says what a poll is worth, and the default while the rest cannot be used", () => {
    expect(secondsPerPollOf(bindings({ ...VALID, SECONDS_PER_POLL: "4" }))).toBe(4);
    expect(secondsPerPollOf(bindings({ SECONDS_PER_POLL: "4" }))).toBe(1);
  });
});
