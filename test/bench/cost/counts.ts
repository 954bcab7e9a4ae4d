/**
 * What one job uses of everything that somebody bills for: as counted from the running code, and as it crosses from
 * workerd to Node.
 */
export interface ObjectCounts {
  /** Calls and alarms that reached it. */
  readonly requests: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Wall time at work, waiting for answers included. */
  readonly busyMs: number;
}

export interface Counts {
  readonly workerRequests: number;
  /** Time in which the Worker waited for none of its objects: its processor time is at most that. */
  readonly workerMs: number;
  readonly objects: Readonly<Record<"Job" | "Tenant" | "Limiter", ObjectCounts>>;
  readonly outbound: number;
}

/** A provider's and a receiver's usual answer: what an object waits for is part of what it costs. */
export const LATENCY = { providerMs: 500, receiverMs: 200 };

/** What happens to one job. */
export interface Scenario {
  readonly name: string;
  readonly polls: number;
  readonly failedAttempts: number;
  readonly isWatched?: boolean;
  /** The tenant's object has been put away before each call, with so many jobs in its index. */
  readonly indexed?: number;
}

/** The lives that the table shows, in its order. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "happy path", polls: 1, failedAttempts: 0 },
  { name: "three polls", polls: 3, failedAttempts: 0 },
  { name: "five failed attempts", polls: 1, failedAttempts: 5 },
  { name: "watched live for a minute", polls: 1, failedAttempts: 0, isWatched: true },
];

/** The happy path of a tenant that sends so little that its object sleeps in between. */
export const SLEEPY: Scenario = { name: "tenant asleep", polls: 1, failedAttempts: 0, indexed: 1_000 };

/** The same job as a Workflow. */
export interface WorkflowCounts {
  readonly workerRequests: number;
  readonly invocations: number;
  /** As Cloudflare counts them: sleeps are steps, retries are none. */
  readonly steps: number;
  /** Time in its steps in which nothing was waited for: its processor time is at most that. */
  readonly cpuMs: number;
  readonly outbound: number;
  /** What its parameters and its steps' results take, as JSON. */
  readonly storedBytes: number;
}

/** All that the runs in workerd hand over. */
export interface CostRun {
  readonly lives: Readonly<Record<string, Counts>>;
  readonly purge: Counts;
  /** One look of a tenant's object, with so many jobs in its index, for what is past its time. */
  readonly hourlyLook: { readonly jobs: number; readonly counts: Counts };
  /** On disk, of one delivered job: its own object's, and its part of the index. */
  readonly storedBytes: { readonly job: number; readonly indexRow: number };
}

export const ofAll = (counts: Counts, name: keyof ObjectCounts): number =>
  Object.values(counts.objects).reduce((sum, object) => sum + object[name], 0);
