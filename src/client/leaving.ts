/**
 * Iterators that can be left while a `next` is pending. A generator alone would answer `return` only after that, which,
 * for something that may never happen, is never.
 */
import { reasonOf } from "./abort.ts";

/**
 * The generator that `start` makes under a signal of its own: aborted by the caller's, with its reason, and by `return`,
 * with which a pending `next` is done.
 */
export function leavable<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
  caller: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const controller = new AbortController();
  const items = start(controller.signal);
  const [next, end] = [items.next.bind(items), items.return.bind(items)];
  let isLeft = false;
  const follow = () => controller.abort(caller && reasonOf(caller));
  const letGo = () => caller?.removeEventListener("abort", follow);
  return Object.assign(items, {
    async next(): Promise<IteratorResult<T, void>> {
      // The same listener is added once only.
      if (!isLeft) caller?.addEventListener("abort", follow);
      if (caller?.aborted) follow();
      try {
        const result = await next();
        if (result.done) letGo();
        return result;
      } catch (error) {
        letGo();
        if (isLeft) return { done: true, value: undefined };
        throw error;
      }
    },
    async return(): Promise<IteratorResult<T, void>> {
      isLeft = true;
      letGo();
      controller.abort();
      return end();
    },
  });
}
