/**
 * Makes and changes destinations: opens what is sealed, seals what is new. Both take time, in which other calls get
 * their turn; a change whose ground was moved meanwhile is made again on what is there now, so that none is lost.
 */
import type { MasterKey } from "../crypto/keys.ts";
import {
  type DestinationContent,
  newSecret,
  openDestination,
  sealDestination,
} from "../webhook/destination.ts";
import type { EventFormat } from "../webhook/event.ts";
import { type DestinationPage, Destinations, type StoredDestination } from "./destinations.ts";

/** A destination as its owner wants it, checked. */
export interface DestinationInput {
  readonly url: string;
  readonly host: string;
  readonly format: EventFormat;
  readonly retrySchedule: readonly number[] | null;
  readonly maxInFlight: number;
  readonly maxPerSecond: number | null;
  /** `null`: as they were; no answer shows them, so whoever replaces the rest need not know them. */
  readonly headers: Readonly<Record<string, string>> | null;
  /** `null`: as it was, or a new one. */
  readonly secret: string | null;
}

export type PutResult<Destination = StoredDestination> =
  | {
      readonly kind: "created" | "replaced";
      readonly destination: Destination;
      /** Where it was given or made in this call. */
      readonly secret: string | null;
    }
  | { readonly kind: "limit" }
  /** The URL leads elsewhere: whoever moves it must know the headers that go there. */
  | { readonly kind: "headers_needed" };

export type RotateResult =
  | { readonly kind: "done"; readonly destination: StoredDestination; readonly secret: string }
  | { readonly kind: "missing" | "unreadable" };

/** Rotated faster than its overlaps end, a destination keeps no more than these: each costs a signature. */
const MAX_PREVIOUS = 4;

export class DestinationKeeper {
  readonly table: Destinations;
  readonly #tenant: string;
  readonly #masterKeys: () => readonly MasterKey[];

  /** `masterKeys` answers with none while the configuration cannot be used. */
  constructor(sql: SqlStorage, tenant: string, masterKeys: () => readonly MasterKey[]) {
    this.table = new Destinations(sql);
    this.#tenant = tenant;
    this.#masterKeys = masterKeys;
  }

  async find(name: string): Promise<StoredDestination | null> {
    const stored = this.table.find(name);
    return stored && this.#renewed(stored);
  }

  async list(after: string | null, limit: number): Promise<DestinationPage> {
    const { destinations, next } = this.table.list(after, limit);
    return { destinations: await Promise.all(destinations.map((stored) => this.#renewed(stored))), next };
  }

  /** Makes or replaces it. What cannot be opened any more starts anew where nothing is given for it. */
  async put(name: string, input: DestinationInput): Promise<PutResult> {
    for (;;) {
      const stored = this.table.find(name);
      const old = stored && (await this.#open(stored));
      const { url, headers, secret, ...row } = input;
      const isKept = old !== null && (secret === null || secret === old.secret);
      if (old && headers === null && Object.keys(old.headers).length > 0 && !isSameOrigin(old.url, url))
        return { kind: "headers_needed" };
      const now = Date.now();
      const content: DestinationContent = {
        url,
        headers: headers ?? old?.headers ?? {},
        secret: isKept ? old.secret : (secret ?? newSecret()),
        previous: isKept ? old.previous : [],
      };
      const times = { pausedAt: null, createdAt: stored?.createdAt ?? now, updatedAt: now };
      const sealed = await this.#seal({ ...row, ...times, name }, content);
      // Asked here, where nothing can come between: all who wait would else be let in by one free place.
      if (this.table.isFull() && !this.table.find(name)) return { kind: "limit" };
      const destination = this.table.replace(sealed, stored?.sealed ?? null);
      if (destination)
        return {
          kind: stored ? "replaced" : "created",
          destination,
          secret: isKept && secret === null ? null : content.secret,
        };
    }
  }

  /**
   * A new secret, or `given`; the one before signs for `overlapMs` longer, and none that was rotated away earlier for longer than
   * that: without an overlap, the new one is the only one at once.
   */
  async rotate(name: string, overlapMs: number, given: string | null): Promise<RotateResult> {
    for (;;) {
      const stored = this.table.find(name);
      if (!stored) return { kind: "missing" };
      const old = await this.#open(stored);
      if (!old) return { kind: "unreadable" };
      const now = Date.now();
      const secret = given ?? newSecret();
      const previous = [{ secret: old.secret, until: now + overlapMs }, ...old.previous]
        // A rotation that is repeated changes nothing.
        .filter((before) => before.secret !== secret)
        .map((before) => ({ ...before, until: Math.min(before.until, now + overlapMs) }));
      const sealed = await this.#seal({ ...stored, updatedAt: now }, { ...old, secret, previous });
      const destination = this.table.replace(sealed, stored.sealed);
      if (destination) return { kind: "done", destination, secret };
    }
  }

  /** Seals anew what an older master key sealed, and what keeps a secret that signs no more. */
  async resealAll(now: number): Promise<void> {
    const [newest] = this.#masterKeys();
    for (const stored of newest ? this.table.stale(newest.kid, now) : []) await this.#reseal(stored);
  }

  /** The destination under the newest master key, so that the older ones can be taken off the list. */
  async #renewed(stored: StoredDestination): Promise<StoredDestination> {
    const [newest] = this.#masterKeys();
    return !newest || stored.sealed.startsWith(`${newest.kid}.`) ? stored : this.#reseal(stored);
  }

  /** As it was, where it cannot be opened. */
  async #reseal(stored: StoredDestination): Promise<StoredDestination> {
    const content = await this.#open(stored);
    if (!content) return stored;
    const sealed = await this.#seal(stored, content);
    return this.table.replace(sealed, stored.sealed) ?? this.table.find(stored.name) ?? stored;
  }

  #open({ sealed, name }: StoredDestination): Promise<DestinationContent | null> {
    return openDestination(sealed, this.#tenant, name, this.#masterKeys());
  }

  async #seal(
    row: Omit<StoredDestination, "sealed" | "headerNames" | "previousUntil">,
    content: DestinationContent,
  ): Promise<StoredDestination> {
    const [newest] = this.#masterKeys();
    if (!newest) throw new Error("no master key to seal with");
    const now = Date.now();
    const previous = content.previous.filter(({ until }) => until > now).slice(0, MAX_PREVIOUS);
    return {
      ...row,
      sealed: await sealDestination({ ...content, previous }, this.#tenant, row.name, newest),
      headerNames: Object.keys(content.headers),
      previousUntil: previous[0]?.until ?? null,
    };
  }
}

const isSameOrigin = (a: string, b: string): boolean => new URL(a).origin === new URL(b).origin;
