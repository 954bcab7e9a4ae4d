/**
 * The feed of events, for those who cannot be called: page after page for as long as the caller wants, through outages
 * of any length. Each page is held by the server until there is something.
 */
import { throwIfAborted } from "./abort.ts";
import { isFeedPage } from "./answers.ts";
import { PollhookError } from "./error.ts";
import { mayRepeat } from "./retry.ts";
import { type CallOptions, query, type Transport } from "./transport.ts";
import type { FeedEvent, FeedPage, FeedQuery } from "./types.ts";

/** What comes while nobody asks is had with the next page, so it is shorter than the server's 60. */
const HOLD_SECONDS = 30;
/** Whatever answers at once, and empty, in place of holding the answer must not be asked again and again. */
const QUICK_ANSWER_MS = 1_000;
const FIRST_PAUSE_MS = 1_000;
/** Begins where the tries of a single call have ended. */
const FIRST_OUTAGE_PAUSE_MS = 4_000;
const LONGEST_PAUSE_MS = 60_000;
/** The server's, where the caller names none. */
const DEFAULT_LIMIT = 20;

export interface FollowOptions extends CallOptions {
  /** The cursor of the last event that was dealt with, or `latest`; from the oldest that is kept unless given. */
  readonly after?: string | undefined;
  /** Events in a page, 1 to 100. They are signed when a page is made: those who verify late ask for few. */
  readonly limit?: number | undefined;
  /** Hears of an outage, which is waited out, and for how long before the next try. */
  readonly onOutage?: ((error: PollhookError, pauseMs: number) => void) | undefined;
}

/** One page. */
export const feedPage = (
  transport: Transport,
  { after, wait, limit }: FeedQuery,
  signal: AbortSignal | undefined,
): Promise<FeedPage> =>
  transport.call({
    method: "GET",
    path: `/v1/events${query({ after, wait, limit })}`,
    repetition: "safe",
    answer: isFeedPage,
    holdMs: (wait ?? 0) * 1000,
    signal,
  });

/** Every event behind `after`, and those that are still to come. Ends by an abort or by a refusal. */
export async function* followFeed(
  transport: Transport,
  { after, limit, signal, onOutage = () => {} }: FollowOptions,
): AsyncGenerator<FeedEvent, void, undefined> {
  let cursor = after;
  for (let quick = 0; ; ) {
    const began = Date.now();
    // What `latest` means must be settled at once: in an answer that is lost, events could be.
    const wait = cursor === "latest" ? 0 : HOLD_SECONDS;
    const asked = { after: cursor, wait, limit };
    const { events, next_cursor } = await outlasting(transport, asked, signal, onOutage);
    for (const event of events) {
      throwIfAborted(signal);
      yield event;
    }
    const isQuick = events.length === 0 && wait > 0 && Date.now() - began < QUICK_ANSWER_MS;
    // Looked through without finding anything: there may be more to look through.
    quick = isQuick && next_cursor === cursor ? quick + 1 : 0;
    cursor = next_cursor;
    if (quick > 0) await transport.sleep(pauseOf(FIRST_PAUSE_MS, quick), signal);
  }
}

/** A page, however long it takes; rejects only with what does not pass by itself. */
async function outlasting(
  transport: Transport,
  asked: FeedQuery,
  signal: AbortSignal | undefined,
  onOutage: (error: PollhookError, pauseMs: number) => void,
): Promise<FeedPage> {
  let { limit } = asked;
  for (let failures = 1; ; failures++) {
    try {
      return await feedPage(transport, { ...asked, limit }, signal);
    } catch (error) {
      if (!(error instanceof PollhookError) || !mayRepeat(error, "safe")) throw error;
      // A line on which a page takes too long gets a smaller one.
      if (error.code === "timeout") limit = Math.ceil((limit ?? DEFAULT_LIMIT) / 2);
      const pauseMs = pauseOf(FIRST_OUTAGE_PAUSE_MS, failures) + (error.retryAfterSeconds ?? 0) * 1000;
      onOutage(error, pauseMs);
      await transport.sleep(pauseMs, signal);
    }
  }
}

/** Doubles, half of it jitter: those who were cut off together must not come back together. */
const pauseOf = (firstMs: number, count: number): number =>
  Math.round(Math.min(firstMs * 2 ** (count - 1), LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2));
