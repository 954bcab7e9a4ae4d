/**
 * One exchange with the provider, as the classification sees it.
 */
import { classify, type Seen, type Verdict } from "../../src/provider/response.ts";

/** 2026-11-20T12:00:00Z, in epoch ms. */
export const NOW = 1_795_176_000_000;

interface Exchange extends Partial<Omit<Seen, "headers" | "json">> {
  readonly headers?: Record<string, string>;
  /** JSON text, or a value; a body that is no JSON is left out. */
  readonly body?: unknown;
}

/** What the exchange means; 200 with a complete body unless it says otherwise. */
export function verdictOf({ status = 200, headers = {}, body, end = "complete" }: Exchange): Verdict {
  const json: unknown = typeof body === "string" ? JSON.parse(body) : body;
  return classify({ status, headers: new Headers(headers), json, end }, NOW);
}

/** The verdict on a body that came with 200. */
export const meaning = (body: unknown): Verdict => verdictOf({ body });

export const transient = (cause: string, waitSeconds: number | null = null) => ({
  kind: "transient",
  cause,
  waitSeconds,
});

export const pending = (etaSeconds: number | null = null) => ({ kind: "pending", etaSeconds });
