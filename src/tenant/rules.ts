/**
 * What flow control has to know of where a delivery goes.
 */
import { DEFAULT_MAX_IN_FLIGHT, type DestinationRead } from "../webhook/destination.ts";

export interface FlowRules {
  readonly host: string;
  readonly isPaused: boolean;
  readonly maxInFlight: number;
  /** `null`: as many as there are. */
  readonly maxPerSecond: number | null;
  /** `null`: a plain callback URL. */
  readonly read: DestinationRead | null;
}

/** Those of a plain callback URL. */
export const plainRules = (host: string): FlowRules => ({
  host,
  isPaused: false,
  maxInFlight: DEFAULT_MAX_IN_FLIGHT,
  maxPerSecond: null,
  read: null,
});

/** How a host does, as answered (README, "Destinations"). */
export interface FlowState {
  readonly state: "closed" | "open";
  readonly failures: number;
  readonly opened_at: string | null;
  readonly next_probe_at: string | null;
  readonly in_flight: number;
  readonly parked: number;
}
