/**
 * Who wait for the feed of events: those who follow all of them, and those who follow one owner's, apart from each other.
 */
import { Waiters } from "../job/waiters.ts";
import type { FeedEntry } from "./feed.ts";

/** At a time, of all owners together: deliveries ask the same object. */
const MAX_FOLLOWERS = 1_000;
/** In place of an owner, who has a name. */
const EVERYBODY = "";

export class Followers {
  readonly #waiters = new Waiters();

  /** Whether as many wait as may. */
  isFull(owner = EVERYBODY): boolean {
    return this.#waiters.isFull(owner) || this.#waiters.count() >= MAX_FOLLOWERS;
  }

  /** Resolves when something has entered that `owner` may see, or after `ms`. */
  wait(owner: string | undefined, ms: number): Promise<void> {
    return this.#waiters.wait(owner ?? EVERYBODY, ms);
  }

  /** These have entered. */
  tell(entries: readonly FeedEntry[]): void {
    if (entries.length === 0) return;
    for (const owner of new Set([EVERYBODY, ...entries.map(({ owner }) => owner ?? EVERYBODY)]))
      this.#waiters.wake(owner);
  }
}
