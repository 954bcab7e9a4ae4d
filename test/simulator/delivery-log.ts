/**
 * The deliveries that a receiver has seen, and those who wait for one. A wait looks at the past once and then
 * only at what is new, so thousands of deliveries with many waiting tests stay cheap.
 */
import { BoundedLog, LOG_LIMIT } from "./wire.ts";

/** One request to a hook, in the order of arrival. */
export interface Delivery {
  /** Epoch ms, when its headers had come. */
  at: number;
  /** Without the query string. */
  path: string;
  /** The query string without its question mark; `""` for none. */
  search: string;
  method: string;
  headers: Record<string, string>;
  body: string;
  /** Hex, over the bytes as they came. */
  bodySha256: string;
  /** Whether one of the secrets verifies it. */
  verified: boolean;
  verifyError?: string;
  /** What it was answered; `null` for nothing (yet). */
  status: number | null;
}

/** What a wait that ran out shows of what came instead. */
const SHOWN_DELIVERIES = 5;

interface Waiter {
  matches(delivery: Delivery): boolean;
  wanted: number;
  found: Set<Delivery>;
  settle(error: Error | null): void;
}

export class DeliveryLog {
  readonly #log = new BoundedLog<Delivery>(LOG_LIMIT);
  readonly #waiters = new Set<Waiter>();

  /** Records a delivery and tells those who wait; call `settled` when its status is known only later. */
  push(delivery: Delivery): void {
    this.#log.push(delivery);
    this.#offer(delivery);
  }

  /** Offers a delivery again to the waits it did not match yet. */
  settled(delivery: Delivery): void {
    this.#offer(delivery);
  }

  list(path?: string): Delivery[] {
    const all = this.#log.list();
    return path === undefined ? all : all.filter((delivery) => delivery.path === path);
  }

  clear(): void {
    this.#log.clear();
  }

  /** Resolves with the first `count` deliveries that match, past ones included; rejects after `timeoutMs`. */
  wait(matches: (delivery: Delivery) => boolean, timeoutMs: number, count: number): Promise<Delivery[]> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matches,
        wanted: count,
        found: new Set(),
        settle: (error) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          if (error === null) resolve([...waiter.found]);
          else reject(error);
        },
      };
      const timer = setTimeout(() => waiter.settle(this.#timeout(waiter, timeoutMs)), timeoutMs);
      this.#waiters.add(waiter);
      for (const delivery of this.#log.list()) {
        if (waiter.found.size < count) this.#offerTo(waiter, delivery);
      }
    });
  }

  /** Ends every wait. */
  close(): void {
    for (const waiter of this.#waiters) waiter.settle(new Error("the receiver was closed"));
  }

  #offer(delivery: Delivery): void {
    for (const waiter of this.#waiters) this.#offerTo(waiter, delivery);
  }

  #offerTo(waiter: Waiter, delivery: Delivery): void {
    try {
      if (waiter.found.has(delivery) || !waiter.matches(delivery)) return;
    } catch (error) {
      // The predicate is the test's own; its bug must fail the wait, not the delivery.
      waiter.settle(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    waiter.found.add(delivery);
    if (waiter.found.size >= waiter.wanted) waiter.settle(null);
  }

  #timeout(waiter: Waiter, timeoutMs: number): Error {
    const all = this.#log.list();
    const lines = all.slice(-SHOWN_DELIVERIES).map(({ method, path, status, verified, verifyError }) => {
      const signature = verified ? "verified" : `not verified: ${verifyError ?? "unknown"}`;
      return `\n  ${method} ${path} -> ${status ?? "no answer"} (${signature})`;
    });
    return new Error(
      `${waiter.found.size} of ${waiter.wanted} expected deliveries came within ${timeoutMs} ms; ${all.length} seen in all${lines.join("")}`,
    );
  }
}
