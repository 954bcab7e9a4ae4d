/**
 * What the measurements of flow control ask of a running Worker: targets under a name or by URL, thousands of
 * registrations, and every job there is.
 */
import { randomBytes } from "node:crypto";
import type { Setting } from "../../e2e/setting.ts";
import type { Receiver } from "../../simulator/receiver.ts";

/** How registrations say where their event goes: `callback_url` also works where there are no named destinations. */
export type Naming = "destination" | "callback_url";

/** A job as lists show it, as far as it is looked at here. */
export interface ListedJob {
  readonly id: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly polls: number;
  readonly attempts: number;
  readonly finished_at: string | null;
  readonly delivered_at: string | null;
  readonly event_id: string;
  /** Why its delivery does not go out now; absent where there is no flow control. */
  readonly parked?: string | null;
}

const PAGE = 200;
const BATCH = 100;
/** Batches under way at one time: enough to keep the Worker busy, few enough to keep their order roughly. */
const BATCHES_AT_ONCE = 2;
/** One for all destinations, so that several of them can lead to one receiver. */
const SECRET = `whsec_${randomBytes(32).toString("base64")}`;

/** The member of a registration that sends its events to the receiver, which from now on can verify them. */
export async function aim(
  setting: Setting,
  receiver: Receiver,
  name: string,
  naming: Naming,
): Promise<Record<string, string>> {
  if (naming === "callback_url") {
    const { secret } = await answered<{ secret: string }>(setting, "GET", "/v1/signing-secret");
    receiver.setSecrets([secret]);
    return { callback_url: receiver.hookUrl(name) };
  }
  receiver.setSecrets([SECRET]);
  await answered(setting, "PUT", `/v1/destinations/${name}`, { url: receiver.hookUrl(name), secret: SECRET });
  return { destination: name };
}

/** Registers `count` jobs; each body is made at the moment it is sent. Throws unless every one was accepted anew. */
export async function registerAll(
  setting: Setting,
  count: number,
  body: (index: number) => Record<string, unknown>,
): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const first = next;
      next = Math.min(count, first + BATCH);
      const jobs = Array.from({ length: next - first }, (_, i) => body(first + i));
      for (const [i, id] of (await registerBatch(setting, jobs)).entries()) ids[first + i] = id;
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, work));
  return ids;
}

async function registerBatch(setting: Setting, jobs: readonly object[]): Promise<string[]> {
  const { results } = await answered<{
    results: readonly { readonly status: number; readonly job?: { readonly id: string } }[];
  }>(setting, "POST", "/v1/jobs/batch", { jobs });
  return results.map((result) => {
    if (result.status !== 202 || !result.job) throw new Error(`not accepted: ${JSON.stringify(result)}`);
    return result.job.id;
  });
}

/** Every job of the tenant, as its index has them. */
export async function listAll(setting: Setting): Promise<ListedJob[]> {
  const all: ListedJob[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: { jobs: ListedJob[]; next_cursor: string | null } = await answered(
      setting,
      "GET",
      `/v1/jobs?limit=${PAGE}${cursor && `&cursor=${cursor}`}`,
    );
    all.push(...page.jobs);
    cursor = page.next_cursor;
  }
  return all;
}

/** What a destination says of its flow; `null` where there are none. */
export async function flowOf(setting: Setting, name: string): Promise<Record<string, unknown> | null> {
  const response = await setting.call("GET", `/v1/destinations/${name}`);
  const answer = (await response.json()) as { flow?: Record<string, unknown> };
  return response.ok ? (answer.flow ?? null) : null;
}

/** The Worker's answer, `null` where it has no body; anything but a 2xx is thrown as it came. */
export async function answered<Answer>(
  setting: Setting,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await setting.call(method, path, body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answers ${response.status}: ${text}`);
  return JSON.parse(text || "null") as Answer;
}
