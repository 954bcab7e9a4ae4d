/**
 * Flow control of a tenant's deliveries, for each receiving host: who may go out now, who has to wait, and who of those
 * is to be called. A receiver that is slow or out of order holds up nobody but its own deliveries.
 */
import { type Admission, type AdmissionAsk, MAX_HOLD_MS } from "../job/admission.ts";
import type { AttemptReport } from "../job/index-client.ts";
import type { ParkReason } from "../job/record.ts";
import { DELIVERY_LIMIT_MS } from "../job/schedule.ts";
import type { DestinationRead } from "../webhook/destination.ts";
import { afterAttempt, type Health, hopeful, isOpen, mayProbe, probed } from "./breaker.ts";
import { Gate } from "./gate.ts";
import { type HostState, HostTable } from "./host-table.ts";
import { type ParkedGroup, type ParkedRow, ParkedTable } from "./parked-table.ts";

/** Deliveries under way to one host, where its destination says nothing else. */
export const DEFAULT_MAX_IN_FLIGHT = 10;
/** Once a breaker is closed or a pause is over, so many are called at a time, for each host… */
const CALLS_PER_STEP = 20;
/** …and no more before this has passed. */
const STEP_MS = 1_000;
/** Who was called and does not come within this is called again; of a probe's place, another one. */
const CALL_MS = 10_000;
/** A day past the end of the longest delivery. */
const PARKED_KEPT_MS = DELIVERY_LIMIT_MS + 24 * 3_600_000;

/** What flow control has to know of a destination. */
export interface FlowRules {
  readonly host: string;
  readonly isPaused: boolean;
  readonly maxInFlight: number;
  /** `null`: as many as there are. */
  readonly maxPerSecond: number | null;
  readonly read: DestinationRead | null;
}

/** How a host does, as answered (README, "Destinations"). */
export interface FlowState {
  readonly state: "closed" | "open";
  readonly failures: number;
  readonly opened_at: string | null;
  readonly next_probe_at: string | null;
  readonly in_flight: number;
  readonly parked: number;
}

const PLAIN = { isPaused: false, maxInFlight: DEFAULT_MAX_IN_FLIGHT, maxPerSecond: null, read: null };

export class Flow {
  readonly #rulesOf: (destination: string) => FlowRules | null;
  readonly #hosts: HostTable;
  readonly #parked: ParkedTable;
  readonly #gates = new Map<string, Gate>();
  /** Jobs that have been called and are still to come, and when that was. */
  readonly #called = new Map<string, number>();
  /** When deliveries of a destination were last called. */
  readonly #steps = new Map<string, number>();

  constructor(sql: SqlStorage, rulesOf: (destination: string) => FlowRules | null) {
    this.#rulesOf = rulesOf;
    this.#hosts = new HostTable(sql);
    this.#parked = new ParkedTable(sql);
  }

  /** Whether the delivery may go out; holds the answer back for a moment where its turn is near. */
  async admit(ask: AdmissionAsk, clock: () => number): Promise<Admission> {
    const rules = this.#rulesFor(ask);
    if (ask.parked) this.#parked.remove({ ...ask.parked, destination: ask.destination, job: ask.jobId });
    this.#called.delete(ask.jobId);
    if (!rules) return { kind: "missing" };
    const { host, read } = rules;
    const go: Admission = { kind: "go", host, read };
    const now = clock();
    if (rules.isPaused) return this.#park(ask, host, "paused", now);
    const { health } = this.#hosts.find(host);
    if (isOpen(health)) {
      const gate = this.#gate(host, now);
      // Somebody who has the event sent again may know that it helps.
      const isTry = ask.isRedelivery && gate.inFlight(now) === 0;
      if (!mayProbe(health, now) && !isTry) return this.#park(ask, host, "breaker_open", now);
      this.#setHealth(host, probed(health, now), now);
      gate.take(ask.jobId, now);
      return go;
    }
    if (rules.maxPerSecond !== null && ask.parked?.reason !== "max_per_second") {
      const at = this.#slot(host, rules.maxPerSecond, now);
      const since = ask.parked?.since ?? now;
      if (at > now + MAX_HOLD_MS / 2)
        return { kind: "park", reason: "max_per_second", host, since, until: at };
      if (at > now) await scheduler.wait(at - now);
    }
    const hold = this.#mayWait(ask, host) ? MAX_HOLD_MS - (clock() - now) : 0;
    if (await this.#gate(host, now).enter(ask.jobId, rules.maxInFlight, clock(), hold)) return go;
    return this.#park(ask, host, "max_in_flight", clock());
  }

  /** Attempts have ended. Whether somebody may be called because of that. */
  report(reports: readonly AttemptReport[], now: number): boolean {
    let isWorthALook = false;
    for (const { jobId, host, result } of reports) {
      this.#gates.get(host)?.leave(jobId, now);
      if (result !== "none") {
        const { health } = this.#hosts.find(host);
        const after = afterAttempt(health, result, now);
        if (after !== health) this.#setHealth(host, after, now);
      }
      isWorthALook ||= this.#parked.hasAny(host);
    }
    return isWorthALook;
  }

  /** Whether the host gets nothing but probes. */
  isOpen(host: string): boolean {
    return isOpen(this.#hosts.find(host).health);
  }

  /** The destination was changed: whoever waits for its host may try at once whether that has helped. */
  repaired(host: string, now: number): void {
    const { health } = this.#hosts.find(host);
    if (isOpen(health)) this.#setHealth(host, hopeful(health, now), now);
  }

  /** Who is to be called now. Their rows go when they ask, so that no call is lost with this object. */
  toCall(now: number): ParkedRow[] {
    for (const times of [this.#called, this.#steps])
      for (const [name, at] of times) if (at + CALL_MS <= now) times.delete(name);
    return this.#parked.groups().flatMap((group) => {
      const rows = this.#next(group, now);
      if (rows.length > 0) this.#steps.set(stepOf(group), now);
      for (const { job } of rows) this.#called.set(job, now);
      return rows;
    });
  }

  /** Nobody waits there any more. */
  gone(row: ParkedRow): void {
    this.#parked.remove(row);
  }

  /** When somebody may have to be called next (epoch ms); `null` while nobody waits for a time. */
  wakeAt(now: number): number | null {
    const times = this.#parked.groups().flatMap((group) => this.#wakeOf(group, now) ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  stateOf(destination: string, host: string, now: number): FlowState {
    const { failures, openedAt, nextProbeAt } = this.#hosts.find(host).health;
    const iso = (ms: number): string => new Date(ms).toISOString();
    return {
      state: openedAt === null ? "closed" : "open",
      failures,
      opened_at: openedAt === null ? null : iso(openedAt),
      next_probe_at: openedAt === null ? null : iso(nextProbeAt),
      in_flight: this.#gates.get(host)?.inFlight(now) ?? 0,
      parked: this.#parked.count(destination),
    };
  }

  /** Forgets what is of no use any more; whether anybody is still parked. */
  expire(now: number): boolean {
    const isLeft = this.#parked.expire(now - PARKED_KEPT_MS);
    this.#hosts.expire(now, (host) => this.#parked.hasAny(host));
    return isLeft;
  }

  #park(ask: AdmissionAsk, host: string, reason: ParkReason, now: number): Admission {
    // Whoever has waited already keeps that place.
    const since = ask.parked?.since ?? now;
    this.#parked.put({ host, reason, since, job: ask.jobId, destination: ask.destination });
    return { kind: "park", reason, host, since, until: null };
  }

  /** Nobody who comes now waits in front of those who are parked for the same. */
  #mayWait(ask: AdmissionAsk, host: string): boolean {
    return ask.parked?.called === true || !this.#parked.hasAny(host);
  }

  #slot(host: string, perSecond: number, now: number): number {
    const at = this.#gate(host, now).slot(perSecond, now);
    // What is planned far ahead must survive the object's memory.
    if (at > now + MAX_HOLD_MS / 2)
      this.#hosts.save(host, { ...this.#hosts.find(host), plannedUntil: at + 1_000 / perSecond }, now);
    return at;
  }

  /** Those of the group who may be called, and have not been a moment ago. */
  #next(group: ParkedGroup, now: number): ParkedRow[] {
    const most = this.#callable(group, now);
    if (most === 0) return [];
    const waiting = this.#parked.first(group, most + this.#called.size);
    return waiting.filter(({ job }) => !this.#called.has(job)).slice(0, most);
  }

  /** How many of the group may be called. */
  #callable(group: ParkedGroup, now: number): number {
    const { host, reason } = group;
    const rules = this.#rulesFor(group);
    if (rules?.isPaused) return 0;
    const step = now >= this.#nextStep(group, now) ? CALLS_PER_STEP : 0;
    // It does not wait for this host any more: it was resumed, moved or removed.
    if (reason === "paused" || rules?.host !== host) return step;
    const { health } = this.#hosts.find(host);
    if (isOpen(health)) return mayProbe(health, now) && now >= this.#nextStep(group, now, CALL_MS) ? 1 : 0;
    if (reason === "breaker_open") return step;
    return this.#gate(host, now).free(rules.maxInFlight, now);
  }

  /** When the group may have to be called; `null` where no time brings that about. */
  #wakeOf(group: ParkedGroup, now: number): number | null {
    if (this.#next(group, now).length > 0) return now;
    const { host, reason } = group;
    const rules = this.#rulesFor(group);
    if (rules?.isPaused) return null;
    // Whoever cannot be called now is not looked at again at once.
    const soon = Math.max(this.#nextStep(group, now), now + STEP_MS);
    if (reason === "paused" || rules?.host !== host) return soon;
    const { health } = this.#hosts.find(host);
    if (isOpen(health)) return Math.max(health.nextProbeAt, soon);
    const gate = this.#gate(host, now);
    if (reason === "breaker_open" || gate.free(rules.maxInFlight, now) > 0) return soon;
    return Math.max(gate.nextLeaseEnd() ?? soon, soon);
  }

  /** `null`: the destination is there no more. */
  #rulesFor({ host, destination }: Pick<ParkedGroup, "host" | "destination">): FlowRules | null {
    return destination === null ? { ...PLAIN, host } : this.#rulesOf(destination);
  }

  #nextStep(group: ParkedGroup, now: number, ms: number = STEP_MS): number {
    return (this.#steps.get(stepOf(group)) ?? now - ms) + ms;
  }

  #setHealth(host: string, health: Health, now: number): void {
    const state: HostState = { ...this.#hosts.find(host), health };
    this.#hosts.save(host, state, now);
  }

  #gate(host: string, now: number): Gate {
    let gate = this.#gates.get(host);
    if (!gate) {
      for (const [other, idle] of this.#gates) if (idle.isIdle(now)) this.#gates.delete(other);
      gate = new Gate(this.#hosts.find(host).plannedUntil);
      this.#gates.set(host, gate);
    }
    return gate;
  }
}

/** What is called step by step: a destination's deliveries, and apart from them those that probe its host. */
const stepOf = ({ host, destination }: ParkedGroup): string => `${host} ${destination}`;
