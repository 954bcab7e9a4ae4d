/**
 * Interim answers (1xx) as fast as they can be sent, for ever, from a provider and from a receiver at once. The runtime
 * reads them in one go and lets nothing else in meanwhile: what is promised is that it comes back, with every job.
 */
import { healthOf } from "../../demo/process-group.ts";
import { send, whole } from "./catalogue/bad-answer.ts";
import { Field, GOOD_ANSWER } from "./field.ts";
import type { Script } from "./script.ts";

export interface FloodResult {
  readonly jobs: number;
  /** From the registration to the delivery, of a job that has nothing to do with it. */
  readonly slowestMs: number;
  readonly failures: readonly string[];
}

const FLOOD: Script = [{ repeat: "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000), times: 1e9 }];
const HEALTHY = 8;
const LIMIT_MS = 100_000;

export async function flood(jobShards: string): Promise<FloodResult> {
  const field = await Field.create(jobShards);
  try {
    const provider = await field.open((number) => ({ script: number === 0 ? FLOOD : whole(GOOD_ANSWER) }));
    const receiver = await field.open((number) => ({
      script: number === 0 ? FLOOD : send("HTTP/1.1 204 No Content\r\n\r\n"),
    }));
    await field.start([provider.origin]);
    const register = (origin: string, callbackUrl?: string): Promise<string> => {
      const id = String(field.newId());
      const callback_url = callbackUrl ?? field.receiver.hookUrl(id);
      return field.register({
        fetch_url: `${origin}/api/v3/fetch/${id}`,
        callback_url,
        key: `key-of-flood-${id}`,
        eta: 1,
      });
    };
    const ids = await Promise.all([
      register(provider.origin),
      register(field.provider.origin, `${receiver.origin}/hook`),
      ...Array.from({ length: HEALTHY }, () => register(field.provider.origin)),
    ]);
    const jobs = await Promise.all(ids.map((id) => field.over(id, LIMIT_MS)));
    const failures = jobs.flatMap(({ status, outcome }) =>
      status === "delivered" && outcome === "succeeded"
        ? []
        : [`A job beside a flood is ${status}, ${outcome}.`],
    );
    if (provider.requests.length < 2 || receiver.requests.length < 2)
      failures.push("A flood was not asked again after it.");
    if ((await healthOf(field.node.origin))?.status !== 200)
      failures.push("The node is not healthy after a flood.");
    const lags = jobs.map(
      ({ delivered_at, registered_at }) => Date.parse(delivered_at ?? "") - Date.parse(registered_at),
    );
    return { jobs: jobs.length, slowestMs: Math.max(...lags.slice(-HEALTHY)), failures };
  } finally {
    await field.tearDown();
  }
}
