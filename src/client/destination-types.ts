/**
 * Destinations as they go over the wire; held against the server's schema as `types.ts` is.
 */
import type { EventFormat } from "./types.ts";

type Maybe<T> = T | null | undefined;

export interface DestinationInput {
  readonly url: string;
  /** Left out: as they were. `{}`: none. */
  readonly headers?: Maybe<Readonly<Record<string, unknown>>>;
  readonly format?: Maybe<EventFormat>;
  /** Seconds to wait before attempts 2, 3, … */
  readonly retry_schedule?: Maybe<readonly number[]>;
  /** `whsec_` and the base64 of 24 to 64 bytes; left out: as it was, or a new one. */
  readonly secret?: Maybe<string>;
  readonly max_in_flight?: Maybe<number>;
  readonly max_per_second?: Maybe<number>;
}

export interface Destination {
  readonly name: string;
  readonly url: string | null;
  readonly host: string;
  readonly format: EventFormat;
  readonly retry_schedule: readonly number[] | null;
  readonly header_names: readonly string[];
  readonly max_in_flight: number;
  readonly max_per_second: number | null;
  /** `unreadable`: its master key is gone; put it anew. */
  readonly status: "active" | "paused" | "unreadable";
  readonly paused_at: string | null;
  readonly flow: DestinationFlow;
  readonly previous_until: string | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
}

/** How its host does. */
export interface DestinationFlow {
  readonly state: "closed" | "open";
  readonly failures: number;
  readonly opened_at: string | null;
  readonly next_probe_at: string | null;
  readonly in_flight: number;
  readonly parked: number;
}

/** `secret` when it is made or given, and never again. */
export type SavedDestination = Destination & { readonly secret?: string };

export interface DestinationPage {
  readonly destinations: readonly Destination[];
  readonly next_cursor: string | null;
}

export interface RotatedSecret {
  readonly secret: string;
  readonly previous_until: string | null;
}

export interface TestResult {
  readonly delivered: boolean;
  readonly http_status: number | null;
  readonly duration_ms: number | null;
  readonly reason: string | null;
}
