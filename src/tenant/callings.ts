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
    const untils = [...this.#called.values()].filter((called) => called.group === nameOf(group));
    return untils.length === 0 ? null : Math.min(...untils.map(({ until }) => until));
  }

  #outlook(group: ParkedGroup, now: number): Outlook {
    const { hosts, slots, rulesFor, gateOf, slotLeadMs } = this.#parts;
    const { host, destination, reason } = group;
    const rules = rulesFor(group);
    if (rules?.isPaused) return { most: 0, lookAt: null };
    // It does not wait for this host any more: it was resumed, moved or removed.
    if (reason === "paused" || rules?.host !== host)
      return this.#stepped(group, now, CALLS_PER_STEP, STEP_MS);
    const health = hosts.find(host);
    if (isOpen(health)) {
      if (!mayProbe(health, now)) return { most: 0, lookAt: health.nextProbeAt };
      return this.#stepped(group, now, 1, CALL_MS);
    }
    if (reason === "breaker_open") return this.#stepped(group, now, CALLS_PER_STEP, STEP_MS);
    const pending = [...this.#called.values()].filter((called) => called.group === nameOf(group)).length;
    if (reason === "max_per_second") {
      if (destination === null || rules.maxPerSecond === null)
        return this.#stepped(group, now, CALLS_PER_STEP, STEP_MS);
      const gapMs = 1_000 / rules.maxPerSecond;
      const at = slots.next(destination, rules.maxPerSecond, now, slotLeadMs) + pending * gapMs - slotLeadMs;
      const most = Math.floor((now - at) / gapMs) + 1;
      return most > 0 ? { most: Math.min(most, CALLS_PER_STEP), lookAt: null } : { most: 0, lookAt: at };
    }
    const gate = gateOf(host, now);
    const most = gate.free({ destination, most: rules.maxInFlight }, now) - pending;
    return { most: Math.max(most, 0), lookAt: gate.nextLeaseEnd() ?? now + STEP_MS };
  }

  /** `most` in each `ms`. */
  #stepped(group: ParkedGroup, now: number, most: number, ms: number): Outlook {
    const step = this.#steps.get(nameOf(group));
    if (!step || now >= step.from + ms) return { most, lookAt: null };
    return { most: Math.max(most - step.calls, 0), lookAt: step.from + ms };
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
