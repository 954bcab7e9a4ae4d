/**
 * Looks at a job again and again with `?wait=`, which answers as soon as it changes: for `wait`, and for `events` where
 * nothing streams.
 */
import { Limit, throwIfAborted } from "./abort.ts";
import { isJob } from "./answers.ts";
import { checkSeconds, checkWord } from "./arguments.ts";
import { PollhookError } from "./error.ts";
import { eventsBehind, isOver, type JobEvent } from "./job-event.ts";
import { type CallOptions, path, type Transport } from "./transport.ts";
import type { Job } from "./types.ts";

/** A change that comes between two looks is seen at the end of the next one, so it is shorter than the server's 60. */
const HOLD_SECONDS = 25;
/** The server holds only so many callers of one job and answers the others at once: those come back after a while. */
const QUICK_ANSWER_MS = 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** So that whoever waits for no time at all still gets an answer. */
const SHORTEST_WAIT_MS = 1_000;

export interface WaitOptions extends CallOptions {
  /** What to wait for: the outcome, or the end of the delivery, too. The outcome unless given. */
  readonly until?: "outcome" | "over" | undefined;
  /**
   * How long, retries and their pauses included; the first look has a second in any case. A job's deadline bounds the
   * wait without it, and a delivery's two weeks.
   */
  readonly timeoutSeconds?: number | undefined;
}

/** The job, as soon as it has come as far as `until`; rejects with `wait_over` when the time is over before. */
export async function waitFor(
  transport: Transport,
  id: string,
  { until = "outcome", timeoutSeconds = Number.POSITIVE_INFINITY, signal }: WaitOptions,
): Promise<Job> {
  checkWord("until", until, ["outcome", "over"]);
  checkSeconds("timeoutSeconds", timeoutSeconds);
  const endAt = Date.now() + timeoutSeconds * 1000;
  const left = () => (endAt - Date.now()) / 1000;
  const limit = new Limit(Math.max(timeoutSeconds * 1000, SHORTEST_WAIT_MS), signal);
  let seen: Job | null = null;
  try {
    for await (const job of follow(transport, id, limit.signal, left)) {
      seen = job;
      if (isOver(job) || (until === "outcome" && job.outcome !== null)) return job;
      if (left() <= 0) break;
      // From here on to the end alone: the second that a first look may take is its own.
      limit.restart(left() * 1000);
    }
  } catch (error) {
    if (!limit.isOver || error instanceof PollhookError) throw error;
  } finally {
    limit.end();
  }
  const detail = seen
    ? `The job was still ${seen.status} after ${timeoutSeconds} seconds.`
    : `Nothing was heard of the job for ${timeoutSeconds} seconds.`;
  throw new PollhookError({ code: "wait_over", detail });
}

/**
 * The job now, and after each look; ends when it is over. `leftSeconds` bounds the hold of the next look, to a second,
 * and the pause before it.
 */
export async function* follow(
  transport: Transport,
  id: string,
  signal: AbortSignal | undefined,
  leftSeconds: () => number = () => Number.POSITIVE_INFINITY,
): AsyncGenerator<Job, void, undefined> {
  let job = await look(transport, id, 0, signal);
  yield job;
  for (let quick = 0; !isOver(job); ) {
    const began = Date.now();
    // The server holds whole seconds; a look that is longer than what is left ends by its signal.
    const hold = Math.min(HOLD_SECONDS, Math.max(0, Math.ceil(leftSeconds())));
    const next = await look(transport, id, hold, signal);
    const isSame = JSON.stringify(next) === JSON.stringify(job);
    quick = isSame && Date.now() - began < QUICK_ANSWER_MS ? quick + 1 : 0;
    job = next;
    yield job;
    if (quick > 0) {
      const pauseMs =
        Math.min(FIRST_PAUSE_MS * 2 ** (quick - 1), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
      await transport.sleep(Math.min(pauseMs, Math.max(0, leftSeconds()) * 1000), signal);
    }
  }
}

/** One look, which the server holds for up to `seconds` while nothing changes. */
export const look = (
  transport: Transport,
  id: string,
  seconds: number,
  signal: AbortSignal | undefined,
): Promise<Job> =>
  transport.call({
    method: "GET",
    path: path`/v1/jobs/${id}` + (seconds > 0 ? `?wait=${seconds}` : ""),
    repetition: "safe",
    answer: isJob,
    holdMs: seconds * 1000,
    signal,
  });

/** The events of a job, from looks at it; those behind `lastEventId` if that is one of them, else all. */
export async function* polledEvents(
  transport: Transport,
  id: string,
  lastEventId: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobEvent, void, undefined> {
  let last = lastEventId;
  for await (const job of follow(transport, id, signal)) {
    for (const event of eventsBehind(job, last)) {
      throwIfAborted(signal);
      yield event;
      last = event.id;
    }
  }
}
