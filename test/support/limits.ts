/**
 * Provider keys that are limited, and the objects behind them.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { limiterName } from "../../src/job/ids.ts";
import { PROVIDER, uniqueId } from "./api.ts";

/** A key that no other test uses. */
export const newKey = (): string => `sk-limited-${uniqueId()}`;

export const limiterOf = async (key: string) => env.LIMITER.getByName(await limiterName(PROVIDER, key));

/** What the key's limiter keeps. */
export const limiterStorage = async (key: string) =>
  runInDurableObject(await limiterOf(key), async (_, { storage }) => ({
    rows: [...storage.kv.list()],
    alarm: await storage.getAlarm(),
  }));

export const evictLimiter = async (key: string): Promise<void> => evictDurableObject(await limiterOf(key));

/** The limiter as it is when so much time has passed. */
export async function ageLimiter(key: string, ms: number): Promise<void> {
  await runInDurableObject(await limiterOf(key), (_, { storage }) => {
    const pace = storage.kv.get<Record<string, number | null>>("pace");
    const aged = Object.entries(pace ?? {}).map(([name, value]) =>
      /At$|^notBefore$/.test(name) && value !== null ? [name, value - ms] : [name, value],
    );
    storage.kv.put("pace", Object.fromEntries(aged));
  });
  await evictLimiter(key);
}

export const runLimiterAlarm = async (key: string): Promise<boolean> =>
  runDurableObjectAlarm(await limiterOf(key));
