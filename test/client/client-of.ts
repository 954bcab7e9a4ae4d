/**
 * A client of a scripted server, which waits no time between two tries and writes down how long it would have.
 */
import { type ClientOptions, PollhookClient } from "../../src/client/index.ts";
import type { Job } from "../../src/client/types.ts";

export const ORIGIN = "https://pollhook.example";

export const at = (path: string): string => ORIGIN + path;

export interface TestClient {
  readonly client: PollhookClient;
  /** Milliseconds. */
  readonly pauses: number[];
}

export function clientOf(options: Partial<ClientOptions> = {}): TestClient {
  const pauses: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    pauses.push(ms);
  };
  return { client: new PollhookClient({ url: ORIGIN, token: "t-1", sleep, ...options }), pauses };
}

/** A problem, as the server writes it. */
export const problem = (
  status: number,
  code: string,
  more: { field?: string; headers?: Record<string, string> } = {},
): (() => Response) => {
  const { field, headers } = more;
  return () =>
    Response.json(
      { type: `urn:pollhook:problem:${code}`, title: "-", status, detail: `${code}.`, code, field },
      {
        status,
        headers: { "content-type": "application/problem+json", ...headers },
      },
    );
};

export const aJob = (more: Partial<Job> = {}): Job => ({
  id: "job_1",
  status: "waiting",
  outcome: null,
  endpoint: "v3",
  request_id: "12202888",
  callback_url: null,
  destination: null,
  format: "standard",
  metadata: {},
  eta: null,
  registered_at: "2026-11-20T12:00:00.000Z",
  deadline_at: "2026-11-20T13:00:00.000Z",
  finished_at: null,
  delivered_at: null,
  expires_at: null,
  next_poll_at: "2026-11-20T12:00:02.000Z",
  next_attempt_at: null,
  parked: null,
  polls: 0,
  attempts: 0,
  error: null,
  delivery_error: null,
  event_id: "msg_1",
  result: null,
  timeline: [{ at: "2026-11-20T12:00:00.000Z", type: "registered" }],
  ...more,
});

/** The rest of an iteration. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What a promise is rejected with. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => Promise.reject(new Error(`was fulfilled: ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );
