/**
 * The provider's own webhook: one POST when a request is ready, unsigned and never repeated, and nobody learns
 * whether it arrived.
 */
import { JSON_HEADERS } from "./wire.ts";

export class WebhookSender {
  readonly #timers = new Set<NodeJS.Timeout>();
  #abort = new AbortController();

  /** POSTs `text` to `url` once, `afterMs` from now; infinity is never. */
  send(url: string, text: string, afterMs: number): void {
    if (!Number.isFinite(afterMs)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const { signal } = this.#abort;
      fetch(url, { method: "POST", headers: JSON_HEADERS, body: text, redirect: "manual", signal })
        .then((response) => response.arrayBuffer())
        .catch(() => {});
    }, afterMs);
    this.#timers.add(timer);
  }

  /** Drops what is not sent yet, and breaks off what is under way. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#abort.abort();
    this.#abort = new AbortController();
  }
}

/** Where a generation call wants its webhook, if it wants one. */
export function webhookUrl({ webhook }: Record<string, unknown>): string | null {
  return typeof webhook === "string" && /^https?:$/.test(URL.parse(webhook)?.protocol ?? "") ? webhook : null;
}
