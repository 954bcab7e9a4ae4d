/**
 * A job's life behind the API: a new job with its scripted provider and callback, its alarm run as the platform
 * would, answers that are held back until the test lets them go.
 */
import { runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";
import { ARE_SHARED, alarmFor, clear, PROVIDER, readJob, register, rowsOf, stub, uniqueId } from "./api.ts";
import { json, type Script, type ScriptedFetch } from "./scripted-fetch.ts";

export const HOOK = "https://example.com/hook";

export interface Life {
  readonly id: string;
  readonly requestId: string;
  readonly eventId: string;
  /** Where the provider is asked for the request. */
  readonly poll: string;
}

/** Registers a job on `v3`; whoever spoils the registration learns it here. */
export async function newJob(overrides: Record<string, unknown> = {}): Promise<Life> {
  const requestId = String(overrides.request_id ?? uniqueId());
  const { status, body, text } = await register({ ...overrides, request_id: requestId });
  if (status !== 202) throw new Error(`registration was answered ${status}: ${text}`);
  return { id: body.id, requestId, eventId: body.event_id, poll: `${PROVIDER}/api/v3/fetch/${requestId}` };
}

export const OUTPUT = ["https://cdn.example/1.png"];
export const success = json({ status: "success", output: OUTPUT });
/** With an eta that keeps the real alarm out of the test. */
export const processing = json({ status: "processing", eta: 60 });
export const bodyOf = async (id: string) => (await readJob(id)).body;

/** The platform's alarm, with what it tells the handler; the job's time is not moved. */
export const runAlarm = (id: string, info?: AlarmInvocationInfo): Promise<void> =>
  runInDurableObject(stub(id), (job) => job.alarm(info));

/** The job once its real alarm has brought it to `status`: what is due at once must not be driven by hand too. */
export const reached = (id: string, status: string, timeout = 5_000) =>
  vi.waitFor(
    async () => {
      const body = await bodyOf(id);
      expect(body.status).toBe(status);
      return body;
    },
    { timeout, interval: 10 },
  );

/** What the platform says when the run before did not end. */
export const RETRY: AlarmInvocationInfo = { isRetry: true, retryCount: 1, scheduledTime: 0 };

export interface Held {
  readonly script: Script;
  /** Resolves when the next request has arrived. */
  readonly begun: () => Promise<void>;
  readonly release: () => void;
}

/**
 * An answer that waits until it is released. Both sides look again and again instead of sharing a promise: one that
 * is awaited in one object and resolved in another brings the local runtime down when the object goes.
 */
export function held(answer: Script): Held {
  let arrived = false;
  let released = false;
  const until = async (happened: () => boolean): Promise<void> => {
    while (!happened()) await scheduler.wait(1);
  };
  return {
    begun: async () => {
      await until(() => arrived);
      arrived = false;
    },
    release: () => {
      released = true;
    },
    script: async (sent, signal) => {
      arrived = true;
      await until(() => released);
      return answer(sent, signal);
    },
  };
}

/** Runs the alarm, and lets the object die in it once `begun`, as when it runs out of memory. */
export async function dieInAlarm(id: string, request: Held, info?: AlarmInvocationInfo): Promise<void> {
  const run = runInDurableObject(stub(id), async (job, ctx) => {
    void job.alarm(info);
    await request.begun();
    ctx.abort("dies");
  });
  await expect(run).rejects.toThrow("dies");
}

/** What the object keeps: rows, tables, alarm. */
export const storageOf = (id: string) =>
  runInDurableObject(stub(id), async (_, { storage }) => ({
    rows: rowsOf(storage, id),
    tables: ARE_SHARED
      ? []
      : [...storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master")].map(({ name }) => name),
    alarm: await alarmFor(storage, id),
  }));

export const NOTHING = { rows: [], tables: [], alarm: null };

/** After a test: nothing was sent that it did not expect, and no job of it wakes up in the next one. */
export async function leave(fetched: ScriptedFetch): Promise<void> {
  fetched.restore();
  await clear();
  expect(fetched.unexpected).toEqual([]);
}
