/**
 * Destinations behind the API: the tenant's object as it would run under other master keys, and all that it keeps.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { DestinationInput } from "../../src/tenant/destination-keeper.ts";
import { Tenant } from "../../src/tenant/tenant.ts";
import { openDestination } from "../../src/webhook/destination.ts";
import { type Answer, call, config, token } from "./api.ts";
import { callWith } from "./http.ts";

export const OLD_KEY = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
export const NEW_KEY = `k2:${btoa("b".repeat(32))}`;

export const tenantOf = (name = "acme") => env.TENANT.getByName(name);

/** One call into the tenant's object, as it is when it was started under these master keys. */
export const under = <T>(
  MASTER_KEYS: string,
  ask: (tenant: Tenant) => Promise<T>,
  name = "acme",
): Promise<T> =>
  runInDurableObject(tenantOf(name), (_, ctx) => ask(new Tenant(ctx, { ...env, MASTER_KEYS })));

type Method = (...args: unknown[]) => Promise<unknown>;

/** One call of a Worker and a tenant's object that both run under these master keys. */
export async function callUnder(
  MASTER_KEYS: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const stub = (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          (...args: unknown[]) =>
            under(MASTER_KEYS, (tenant) => (tenant[method as never] as Method).apply(tenant, args), name),
      },
    );
  const [kid = "", bytes = ""] = (MASTER_KEYS.split(",")[0] ?? "").split(":");
  const auth = await token({}, { kid, bytes: Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0)) });
  const TENANT = { getByName: stub } as unknown as typeof env.TENANT;
  return callWith({ MASTER_KEYS, TENANT }, method, path, { auth, ...(body !== undefined && { body }) });
}

/** The whole content of the tenant's object as text, bytes read as Latin-1. */
export const dumpOf = (name = "acme"): Promise<string> =>
  runInDurableObject(tenantOf(name), async (_, { storage }) => {
    const tables = [
      ...storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE sql IS NOT NULL"),
    ]
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("_cf"));
    const rows = tables.map((name) => [...storage.sql.exec(`SELECT * FROM ${name}`)]);
    return JSON.stringify([rows, [...storage.kv.list()]], (_key, value) =>
      value instanceof ArrayBuffer ? String.fromCharCode(...new Uint8Array(value)) : value,
    );
  });

/** What is stored of it, opened. */
export async function opened(name: string, tenant = "acme") {
  const stored = await tenantOf(tenant).findDestination(name);
  const content = stored && (await openDestination(stored.sealed, tenant, name, config.masterKeys));
  if (!content) throw new Error(`${name} cannot be opened`);
  return content;
}

export const inputOf = (overrides: Partial<DestinationInput> = {}): DestinationInput => ({
  url: "https://example.com/hook",
  host: "example.com",
  format: "standard",
  retrySchedule: null,
  maxInFlight: 10,
  maxPerSecond: null,
  headers: null,
  secret: null,
  ...overrides,
});

export const put = (name: string, body: Record<string, unknown> = {}): Promise<Answer> =>
  call("PUT", `/v1/destinations/${name}`, { body: { url: "https://example.com/hook", ...body } });
export const get = (name: string): Promise<Answer> => call("GET", `/v1/destinations/${name}`);
export const post = (name: string, action: string, body?: unknown): Promise<Answer> =>
  call("POST", `/v1/destinations/${name}/${action}`, body === undefined ? {} : { body });
