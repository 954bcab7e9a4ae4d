/**
 * What the provider's answer to a generation call says of the request that it queued. Pure.
 */
import { rawMember } from "../json.ts";
import type { Answer } from "./answer.ts";
import { CATALOGUE, type FetchUrl, type FetchUrlProblem, isRequestId, parseFetchUrl } from "./endpoints.ts";
import { idOf, numberOf } from "./fields.ts";

export interface Queued {
  /** Where the provider says that the request is fetched; `null` where it does not say. */
  readonly fetchResult: FetchUrl | FetchUrlProblem | null;
  /** As it came, and so not always a request id that can be asked for. */
  readonly id: string | null;
  readonly etaSeconds: number | null;
}

/** Reads `fetch_result`, `id` (else `request_id`) and `eta`. */
export function readQueued({ json, bytes }: Answer, origins: readonly string[]): Queued {
  const url = typeof json.fetch_result === "string" && json.fetch_result !== "" ? json.fetch_result : null;
  const eta = numberOf(json.eta);
  return {
    fetchResult: url === null ? null : parseFetchUrl(url, origins),
    id: readId(bytes, json),
    etaSeconds: eta !== null && eta >= 0 ? eta : null,
  };
}

/** A whole number is taken from the text, where it still has all its digits. */
function readId(bytes: Uint8Array, json: Record<string, unknown>): string | null {
  for (const name of ["id", "request_id"] as const) {
    const raw = typeof json[name] === "number" ? rawMember(bytes, name) : undefined;
    const id = raw !== undefined && /^\d+$/.test(raw) ? raw : idOf(json[name]);
    if (id !== null) return id;
  }
  return null;
}

/** A request as it can be asked for. */
export interface Located {
  readonly endpoint: string;
  readonly requestId: string;
  /** `null`: not said, so the default. */
  readonly origin: string | null;
}

/**
 * Where the request of a generation call on `path` is fetched: as the answer says, which may be another version's
 * endpoint; where it says nothing usable, at the endpoint that the path belongs to. `null` when no id is known.
 */
export function locate(queued: Queued, path: string): Located | null {
  const { fetchResult } = queued;
  const said = typeof fetchResult === "object" ? fetchResult : null;
  const requestId = queued.id ?? said?.requestId ?? null;
  if (requestId === null || !isRequestId(requestId)) return null;
  return { endpoint: said?.endpoint ?? endpointOf(path), requestId, origin: said?.origin ?? null };
}

/** The longest beginning of the path that is an endpoint; `v5/controlnet` and the like are fetched at `v3`. */
export function endpointOf(path: string): string {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    const endpoint = path.slice(0, end);
    if (CATALOGUE[endpoint] !== undefined) return endpoint;
  }
  return "v3";
}
