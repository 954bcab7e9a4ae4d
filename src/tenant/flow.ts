/**
 * Flow control of a tenant's deliveries, for each receiving host: who may go out now, and who has to wait. A receiver
 * that is slow or out of order holds up nobody but its own deliveries.
 */
import { type Admission, type AdmissionAsk, MAX_HOLD_MS } from "../job/admission.ts";
import type { AttemptReport } from "../job/index-client.ts";
import type { ParkReason } from "../job/record.ts";
import { DELIVERY_LIMIT_MS } from "../job/schedule.ts";
import { afterAttempt, halfOpen, isOpen, mayProbe, probeUnused, withProbe } from "./breaker.ts";
import { Callings } from "./callings.ts";
import { Gate, type Guest } from "./gate.ts";
import { HostTable } from "./host-table.ts";
import { type ParkedGroup, type ParkedRow, ParkedTable } from "./parked-table.ts";
import { type FlowRules, type FlowState, plainRules } from "./rules.ts";
import { Slots } from "./slots.ts";

/** Of the time that an answer may be held back, the part for a place; the rest is for the moment that a rate allows. */
const PLACE_HOLD_MS = MAX_HOLD_MS / 2;
const SLOT_LEAD_MS = MAX_HOLD_MS / 2;
/** Events that are sent again try a host that is out of order, but no more often than this. */
const TRY_GAP_MS = 5_000;
/** A day past the end of the longest delivery. */
const PARKED_KEPT_MS = DELIVERY_LIMIT_MS + 24 * 3_600_000;

export class Flow {
  readonly #rulesOf: (destination: string) => FlowRules | null;
  readonly #hosts: HostTable;
  readonly #parked: ParkedTable;
  readonly #slots: Slots;
  readonly #callings: Callings;
  readonly #gates = new Map<string, Gate>();
  /** Who probes a host whose breaker is open, and when somebody last tried it in between. */
  readonly #probes = new Map<string, string>();
  readonly #triedAt = new Map<string, number>();

  constructor(sql: SqlStorage, rulesOf: (destination: string) => FlowRules | null) {
    this.#rulesOf = rulesOf;
    this.#hosts = new HostTable(sql);
    this.#parked = new ParkedTable(sql);
    this.#slots = new Slots(sql);
    this.#callings = new Callings({
      parked: this.#parked,
      hosts: this.#hosts,
      slots: this.#slots,
      rulesFor: (of) => this.#rulesFor(of),
      gateOf: (host, now) => this.#gate(host, now),
      slotLeadMs: SLOT_LEAD_MS,
    });
  }

  /** Whether the delivery may go out; holds the answer back for a moment where its turn is near. */
  async admit(ask: AdmissionAsk, clock: () => number): Promise<Admission> {
    const { jobId, destination, parked } = ask;
    if (parked) this.#parked.remove({ ...parked, destination, job: jobId });
    this.#callings.came(jobId);
    const rules = this.#rulesFor(ask);
    const now = clock();
    const refused = this.#judge(ask, rules, now, now);
    if (refused || !rules) return refused ?? { kind: "missing" };
    const { host, maxPerSecond } = rules;
    const behind = this.#behind(ask, rules);
    if (behind) return this.#park(ask, host, behind, now);
    const gate = this.#gate(host, now);
    const guest = { jobId, destination, most: rules.maxInFlight, isCalled: parked?.called === true };
    if (!(await gate.enter(guest, now, PLACE_HOLD_MS)))
      return (
        this.#judge(ask, this.#rulesFor(ask), clock(), now) ?? this.#park(ask, host, "max_in_flight", now)
      );
    if (maxPerSecond !== null && destination !== null) {
      const at = this.#slots.next(destination, maxPerSecond, clock(), SLOT_LEAD_MS);
      if (at > clock() + SLOT_LEAD_MS) {
        this.#leave(host, jobId, clock());
        return this.#park(ask, host, "max_per_second", now);
      }
      this.#slots.take(destination, maxPerSecond, at);
      if (at > clock()) await wait(at - clock());
    }
    // Much may have happened while it waited.
    const after = this.#rulesFor(ask);
    const hasMoved = after !== null && after.host !== host;
    const judged = hasMoved ? null : this.#judge(ask, after, clock(), now);
    if (hasMoved || (judged && judged.kind !== "go")) this.#leave(host, jobId, clock());
    if (hasMoved) return this.admit({ ...ask, parked: null }, clock);
    return judged ?? { kind: "go", host, read: after?.read ?? null };
  }

  /** Attempts have ended. Whether somebody may be called because of that. */
  report(reports: readonly AttemptReport[], now: number): boolean {
    let isWorthALook = false;
    for (const { jobId, host, result, unparked } of reports) {
      if (unparked) {
        this.#parked.remove({ ...unparked.parked, destination: unparked.destination, job: jobId });
        this.#callings.came(jobId);
      } else {
        this.#learn(jobId, host, result, now);
        this.#leave(host, jobId, now);
      }
      isWorthALook ||= this.#parked.hasAny(host);
    }
    return isWorthALook;
  }

  /** Whether the host gets nothing but probes. */
  isOpen(host: string): boolean {
    return isOpen(this.#hosts.find(host));
  }

  /** The destination was changed: whoever waits for its host may try at once whether that has helped. */
  repaired(host: string, now: number): void {
    const health = this.#hosts.find(host);
    if (isOpen(health)) this.#hosts.save(host, halfOpen(health, now), now);
  }

  /** Who is to be called now, and what came of it. */
  toCall(now: number): ParkedRow[] {
    return this.#callings.next(now);
  }

  answered(row: ParkedRow, answer: "called" | "gone" | "failed", now: number): void {
    this.#callings.answered(row, answer, now);
  }

  /** When somebody may have to be called next (epoch ms); `null` while nobody waits for a time. */
  wakeAt(now: number, groups?: readonly ParkedGroup[]): number | null {
    return this.#callings.wakeAt(now, groups);
  }

  stateOf(destination: string, host: string, now: number): FlowState {
    const { failures, openedAt, nextProbeAt } = this.#hosts.find(host);
    const iso = (ms: number): string => new Date(ms).toISOString();
    return {
      state: openedAt === null ? "closed" : "open",
      failures,
      opened_at: openedAt === null ? null : iso(openedAt),
      next_probe_at: openedAt === null ? null : iso(nextProbeAt),
      in_flight: this.#gates.get(host)?.inFlight(now) ?? 0,
      parked: this.#parked.count(host, destination),
    };
  }

  /** Forgets what is of no use any more; whether anybody is still parked. */
  expire(now: number): boolean {
    const isLeft = this.#parked.expire(now - PARKED_KEPT_MS);
    this.#hosts.expire(now, (host) => this.#parked.hasAny(host));
    this.#slots.expire(now);
    for (const [host, at] of this.#triedAt) if (at + TRY_GAP_MS <= now) this.#triedAt.delete(host);
    return isLeft;
  }

  /** What is to be said of the delivery before all limits; `null` where they decide. */
  #judge(ask: AdmissionAsk, rules: FlowRules | null, now: number, askedAt: number): Admission | null {
    if (!rules) return { kind: "missing" };
    const { host, read, maxInFlight: most } = rules;
    if (rules.isPaused) return this.#park(ask, host, "paused", askedAt);
    const health = this.#hosts.find(host);
    if (!isOpen(health)) return null;
    const { jobId, destination } = ask;
    const gate = this.#gate(host, now);
    if (mayProbe(health, now)) {
      this.#hosts.save(host, withProbe(health, now), now);
      this.#probes.set(host, jobId);
    } else if (
      // Somebody who has the event sent again may know that it helps: that is no probe, and moves none.
      ask.isRedelivery &&
      gate.inFlight(now) === 0 &&
      now >= (this.#triedAt.get(host) ?? 0) + TRY_GAP_MS
    )
      this.#triedAt.set(host, now);
    else return this.#park(ask, host, "breaker_open", askedAt);
    gate.take({ jobId, destination, most, isCalled: false }, now);
    return { kind: "go", host, read };
  }

  /** For what others wait already who come first, if there are such. */
  #behind({ parked, destination }: AdmissionAsk, { host, maxPerSecond }: FlowRules): ParkReason | null {
    if (parked?.called) return null;
    const isWaitedFor = (reason: ParkReason): boolean =>
      this.#parked.first({ host, destination, reason }, 1).length > 0;
    if (isWaitedFor("max_in_flight")) return "max_in_flight";
    return maxPerSecond !== null && isWaitedFor("max_per_second") ? "max_per_second" : null;
  }

  /** Whoever waits for the place gets it: not where nothing goes out any more, nor before those who are parked. */
  #leave(host: string, jobId: string, now: number): void {
    this.#gates.get(host)?.leave(jobId, now, ({ destination, isCalled }: Guest) => {
      if (this.isOpen(host)) return false;
      return isCalled || this.#parked.first({ host, destination, reason: "max_in_flight" }, 1).length === 0;
    });
  }

  #learn(jobId: string, host: string, result: AttemptReport["result"], now: number): void {
    const health = this.#hosts.find(host);
    const isProbe = this.#probes.get(host) === jobId;
    if (isProbe) this.#probes.delete(host);
    const isUnused = result === "none" && isProbe && isOpen(health);
    const after = isUnused
      ? probeUnused(health, now)
      : result === "none"
        ? health
        : afterAttempt(health, result, now);
    if (after !== health) this.#hosts.save(host, after, now);
  }

  #park(ask: AdmissionAsk, host: string, reason: ParkReason, askedAt: number): Admission {
    // Whoever has waited already keeps that place; an event that is sent again has not.
    const since = ask.isRedelivery ? askedAt : (ask.parked?.since ?? askedAt);
    this.#parked.put({ host, reason, since, job: ask.jobId, destination: ask.destination });
    return { kind: "park", reason, host, since };
  }

  /** `null`: the destination is there no more. */
  #rulesFor({ host, destination }: Pick<ParkedGroup, "host" | "destination">): FlowRules | null {
    return destination === null ? plainRules(host) : this.#rulesOf(destination);
  }

  #gate(host: string, now: number): Gate {
    let gate = this.#gates.get(host);
    if (!gate) {
      for (const [other, idle] of this.#gates) if (idle.isIdle(now)) this.#gates.delete(other);
      gate = new Gate();
      this.#gates.set(host, gate);
    }
    return gate;
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
