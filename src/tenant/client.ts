/**
 * Calls of the tenant's object from jobs and from the Worker: bounded, and never thrown. What does not get through is
 * the caller's to make up for.
 */
import { describe, logError } from "../log.ts";
import type { Cursor } from "./query.ts";
import type { JobRow } from "./row.ts";
import type { Tenant } from "./tenant.ts";

/** Nobody waits longer than this for an index. */
const LIMIT_MS = 2_000;

export interface TenantBindings {
  readonly TENANT: DurableObjectNamespace<Tenant>;
}

/** Whether the tenant's index has these rows now. */
export const putRows = (env: TenantBindings, tenant: string, rows: readonly JobRow[]): Promise<boolean> =>
  bounded("put", () => env.TENANT.getByName(tenant).put([...rows]));

/** Whether the tenant's index has these jobs no more. */
export const removeRows = (env: TenantBindings, tenant: string, keys: readonly Cursor[]): Promise<boolean> =>
  bounded("remove", () => env.TENANT.getByName(tenant).remove([...keys]));

async function bounded(what: string, call: () => PromiseLike<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  try {
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), LIMIT_MS);
    });
    return await Promise.race([Promise.resolve(call()).then(() => true), late]);
  } catch (error) {
    logError("tenant.unreachable", { call: what, error: describe(error) });
    return false;
  } finally {
    clearTimeout(timer);
  }
}
