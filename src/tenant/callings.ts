/**
 * Who of the parked deliveries is called, and when: by what they wait for, the first one first, and at a bounded rate.
 * Their rows stay until they ask, so that no call is lost with this object; who has been called is in memory.
 */
import { isOpen, mayProbe } from "./breaker.ts";
import type { Gate } from "./gate.ts";
import type { HostTable } from "./host-table.ts";
import type { ParkedGroup, ParkedRow, ParkedTable } from "./parked-table.ts";
import type { FlowRules } from "./rules.ts";
import type { Slots } from "./slots.ts";

/** Once a breaker is closed or a pause is over, so many are called at a time, for each destination… */
const CALLS_PER_STEP = 20;
/** …and no more before this has passed. */
const STEP_MS = 1_000;
/** Who was called and does not come within this is called again, and the place is another's meanwhile. */
const CALL_MS = 10_000;
/** The same of one who could not be reached. */
const RETRY_MS = 60_000;

/** What may be done about a group now, and when to look again if that is nothing; `null`: no time changes it. */
interface Outlook {
  readonly most: number;
  readonly lookAt: number | null;
}

interface Step {
  readonly from: number;
  readonly calls: number;
}

export interface CallingsParts {
  readonly parked: ParkedTable;
  readonly hosts: HostTable;
  readonly slots: Slots;
  readonly rulesFor: (of: Pick<ParkedGroup, "host" | "destination">) => FlowRules | null;
  readonly gateOf: (host: string, now: number) => Gate;
  /** How far ahead of its moment a delivery is let in. */
  readonly slotLeadMs: number;
}

export class Callings {
  readonly #parts: CallingsParts;
  /** Jobs that were called and are still to come: for what, and until when they are waited for. */
  readonly #called = new Map<string, { readonly group: string; readonly until: number }>();
  readonly #steps = new Map<string, Step>();

  constructor(parts: CallingsParts) {
    this.#parts = parts;
  }

  /** The job has come. */
  came(job: string): void {
    this.#called.delete(job);
  }

  /** Who is to be called now. */
  next(now: number): ParkedRow[] {
    this.#forget(now);
    return this.#parts.parked.groups().flatMap((group) => {
      const rows = this.#uncalled(group, this.#outlook(group, now).most);
      for (const { job } of rows) this.#called.set(job, { group: nameOf(group), until: now + CALL_MS });
      if (rows.length > 0) this.#count(group, rows.length, now);
      return rows;
    });
  }

  /** What came of a call. One who waits there no more has not been called for anything. */
  answered(row: ParkedRow, answer: "called" | "gone" | "failed", now: number): void {
    if (answer === "failed") this.#called.set(row.job, { group: nameOf(row), until: now + RETRY_MS });
    if (answer !== "gone") return;
    this.#parts.parked.remove(row);
    this.#called.delete(row.job);
    this.#count(row, -1, now);
  }

  /** When somebody of these groups may have to be called (epoch ms); `null` while nobody waits for a time. */
  wakeAt(now: number, groups: readonly ParkedGroup[] = this.#parts.parked.groups()): number | null {
    this.#forget(now);
    const times = groups.flatMap((group) => this.#wakeOf(group, now) ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  #wakeOf(group: ParkedGroup, now: number): number | null {
    const { most, lookAt } = this.#outlook(group, now);
    if (most === 0) return lookAt;
    if (this.#uncalled(group, 1).length > 0) return now;
    // All have been called: there is nothing to do until one is waited for no longer.
    const untils = this.#awaited(group);
    return untils.length === 0 ? null : Math.min(...untils);
  }

  /** Until when those of the group are waited for who were called and have not come. */
  #awaited(group: ParkedGroup): number[] {
    const name = nameOf(group);
    return [...this.#called.values()].flatMap((called) => (called.group === name ? [called.until] : []));
  }

  #outlook(group: ParkedGroup, now: number): Outlook {
    const { host, destination, reason } = group;
    const rules = this.#parts.rulesFor(group);
    if (rules?.isPaused) return { most: 0, lookAt: null };
    // It does not wait for this host any more: it was resumed, moved or removed.
    if (reason === "paused" || rules?.host !== host) return this.#stepped(group, now);
    const health = this.#parts.hosts.find(host);
    const untils = this.#awaited(group);
    if (isOpen(health)) {
      if (untils.length > 0) return { most: 0, lookAt: Math.max(health.nextProbeAt, ...untils) };
      return { most: mayProbe(health, now) ? 1 : 0, lookAt: health.nextProbeAt };
    }
    if (reason === "breaker_open") return this.#stepped(group, now);
    if (reason === "max_in_flight") {
      const gate = this.#parts.gateOf(host, now);
      const most = gate.free({ destination, most: rules.maxInFlight }, now) - untils.length;
      return { most: Math.max(most, 0), lookAt: gate.nextLeaseEnd() ?? now + STEP_MS };
    }
    if (destination === null || rules.maxPerSecond === null) return this.#stepped(group, now);
    const { slots, slotLeadMs } = this.#parts;
    const gapMs = 1_000 / rules.maxPerSecond;
    const slotAt = slots.next(destination, rules.maxPerSecond, now, slotLeadMs);
    const callAt = slotAt - slotLeadMs + untils.length * gapMs;
    const most = Math.min(Math.floor((now - callAt) / gapMs) + 1, CALLS_PER_STEP);
    return { most: Math.max(most, 0), lookAt: callAt };
  }

  /** So many in each step. */
  #stepped(group: ParkedGroup, now: number): Outlook {
    const step = this.#steps.get(nameOf(group));
    if (!step || now >= step.from + STEP_MS) return { most: CALLS_PER_STEP, lookAt: null };
    return { most: Math.max(CALLS_PER_STEP - step.calls, 0), lookAt: step.from + STEP_MS };
  }

  #count(group: ParkedGroup, calls: number, now: number): void {
    const name = nameOf(group);
    const step = this.#steps.get(name);
    const isNew = !step || now >= step.from + STEP_MS;
    if (isNew && calls > 0) this.#steps.set(name, { from: now, calls });
    else if (step) this.#steps.set(name, { ...step, calls: Math.max(step.calls + calls, 0) });
  }

  /** The first `most` of the group who are not on their way already. */
  #uncalled(group: ParkedGroup, most: number): ParkedRow[] {
    if (most === 0) return [];
    const first = this.#parts.parked.first(group, most + this.#called.size);
    return first.filter(({ job }) => !this.#called.has(job)).slice(0, most);
  }

  #forget(now: number): void {
    for (const [job, { until }] of this.#called) if (until <= now) this.#called.delete(job);
    for (const [name, { from }] of this.#steps) if (from + CALL_MS <= now) this.#steps.delete(name);
  }
}

const nameOf = ({ host, destination, reason }: ParkedGroup): string => `${host} ${destination} ${reason}`;
