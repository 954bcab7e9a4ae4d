/**
 * What goes on by itself: only while the tab can be seen, and in place, so that focus, selection and scrolling stay.
 */

/**
 * Runs `act` while the tab is visible: it is told to stop when the tab is hidden, and begins anew when it comes back.
 *
 * @param {(signal: AbortSignal) => Promise<void>} act
 * @returns {() => void} Ends it.
 */
export function whileVisible(act) {
  /** @type {AbortController | null} */
  let running = null;
  const look = () => {
    if (document.hidden) {
      running?.abort();
      running = null;
    } else if (!running) {
      running = new AbortController();
      void act(running.signal);
    }
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    running?.abort();
  };
}

/**
 * Resolves after `ms`, or at once when the signal is aborted.
 *
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export const sleep = (ms, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      // The signal outlives many a sleep: it must not remember them.
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });

/**
 * Acts now, and again `ms` after each time, while the tab is visible.
 *
 * @param {(signal: AbortSignal) => Promise<unknown>} act
 * @param {number} ms
 * @returns {() => void} Ends it.
 */
export const repeat = (act, ms) =>
  whileVisible(async (signal) => {
    for (; !signal.aborted; await sleep(ms, signal)) await act(signal);
  });

/**
 * @template Item
 * @typedef {{ element: Element, update?: (item: Item, index: number) => void, close?: () => void }} Piece
 */

/** @type {WeakMap<Element, Map<string, Piece<any>>>} */
const pieces = new WeakMap();

/**
 * The children of `parent`, one for each item. Those that were there stay the elements that they are.
 *
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {(item: Item, index: number) => string} keyOf Different for each.
 * @param {(item: Item, index: number) => Piece<Item>} make
 */
export function keyed(parent, items, keyOf, make) {
  // A copy: what cannot be made leaves all as it was.
  const before = new Map(pieces.get(parent));
  /** @type {Map<string, Piece<Item>>} */
  const after = new Map();
  for (const [index, item] of items.entries()) {
    const key = keyOf(item, index);
    const piece = before.get(key) ?? make(item, index);
    before.delete(key);
    piece.update?.(item, index);
    after.set(key, piece);
  }
  for (const { element, close } of before.values()) {
    close?.();
    element.remove();
  }
  let index = 0;
  for (const { element } of after.values()) {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
    index++;
  }
  pieces.set(parent, after);
}

/**
 * Fills an element, and again only when what it shows has changed.
 *
 * @template Value
 * @param {(value: Value) => void} fill
 * @returns {(value: Value) => void}
 */
export function onChange(fill) {
  /** @type {string | undefined} */
  let last;
  return (value) => {
    const now = JSON.stringify(value);
    if (now === last) return;
    last = now;
    fill(value);
  };
}
