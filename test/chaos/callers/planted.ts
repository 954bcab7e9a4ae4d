/**
 * What is planted to be found again. A canary stands in what one caller may see and nobody else: metadata, callbacks,
 * request ids; each says whose it is. A secret stands in what no answer may ever show. Both carry a mark of the run that no
 * mutation makes by accident.
 */
import type { MasterKey } from "../../../src/crypto/keys.ts";
import { PROVIDER_KEY } from "../node.ts";
import type { Random } from "./random.ts";

/** Who sees what: a tenant's token without an owner sees all of its tenant's, one with an owner only that owner's. */
export interface Viewer {
  readonly tenant: string;
  readonly owner: string | undefined;
}

/** Whether this caller may see what is that one's. */
export const maySee = (viewer: Viewer, of: Viewer): boolean =>
  viewer.tenant === of.tenant && (viewer.owner === undefined || viewer.owner === of.owner);

/**
 * Whether what is that one's may be seen by this caller: its tenant's own servers may register, and start anew, what is an
 * owner's, and with so many calls at one request they do. What is theirs alone is looked for when the storm is over.
 */
export const mayComeTo = (viewer: Viewer, of: Viewer): boolean =>
  maySee(viewer, of) || (viewer.tenant === of.tenant && of.owner === undefined);

/** What receivers answer a refused delivery with; only for those who run them, which a bounded token does not. */
export const RECEIVER_WORDS = "words-of-the-receiver";
/** One that signs: none is shorter. */
export const SIGNING_SECRET = /whsec_[A-Za-z0-9+/]{32,}={0,2}/;
/** A member that must never appear where nobody put it. */
export const POLLUTION = "pollutedByCaller";

/** Of what a canary stands in: enough to see which object it is. */
const SHOWN_BEFORE = 300;
const SHOWN_AFTER = 300;

export class Planted {
  readonly secretMark: string;
  readonly #canaryMark: string;
  readonly #canary: RegExp;
  readonly #random: Random;
  /** By what stands in their canaries. */
  readonly #viewers = new Map<string, Viewer>();
  /** In every spelling in which one might get out. */
  readonly #never: readonly string[];
  /** What was answered by the routes that hand secrets out, each with its tenant. */
  readonly #secretOwners = new Map<string, string>();

  constructor(random: Random, masterKeys: readonly MasterKey[]) {
    this.#random = random;
    const run = random.word(8);
    this.secretMark = `plant-${run}-`;
    this.#canaryMark = `canary-${run}-`;
    this.#canary = new RegExp(`${this.#canaryMark}([a-z0-9]{10})-`, "g");
    this.#never = [
      this.secretMark,
      Buffer.from(this.secretMark).toString("base64").slice(0, -4),
      PROVIDER_KEY,
      ...masterKeys.flatMap(({ bytes }) => spellings(Buffer.from(bytes))),
    ];
  }

  /** A provider key, or the value of a header, that nobody but its addressee may see. */
  secret(name: string | number): string {
    return `${this.secretMark}${name}`;
  }

  /** Fits request ids, names of metadata and paths; one byte changed does not make it another's. */
  canary({ tenant, owner }: Viewer): string {
    const known = [...this.#viewers].find(([, of]) => of.tenant === tenant && of.owner === owner);
    const name = known?.[0] ?? this.#random.word(10);
    if (!known) this.#viewers.set(name, { tenant, owner });
    return `${this.#canaryMark}${name}-`;
  }

  /** What of `text`, an answer or what is sent to somebody, must not be there; `null`: an answer to a caller without a token. */
  leaksTo(viewer: Viewer | null, text: string): string[] {
    const found = this.#never.filter((secret) => text.includes(secret)).map(() => "a secret");
    for (const of of this.othersIn(viewer, text)) {
      const at = text.indexOf(this.canary(of));
      const around = text.slice(Math.max(0, at - SHOWN_BEFORE), at + SHOWN_AFTER);
      found.push(`a canary of ${of.tenant}, owner ${of.owner}: ${JSON.stringify(around)}`);
    }
    if (viewer?.owner !== undefined && text.includes(RECEIVER_WORDS)) found.push("what a receiver answered");
    return [...new Set(found)];
  }

  /** Whose canaries stand in what only this viewer may see. */
  othersIn(viewer: Viewer | null, text: string): Viewer[] {
    return this.#viewersIn(text).filter((of) => viewer === null || !mayComeTo(viewer, of));
  }

  /** The tenants whose canaries stand in it. */
  tenantsIn(text: string): string[] {
    return [...new Set(this.#viewersIn(text).map(({ tenant }) => tenant))];
  }

  #viewersIn(text: string): Viewer[] {
    if (!text.includes(this.#canaryMark)) return [];
    const found = [...text.matchAll(this.#canary)].flatMap(([, name = ""]) => this.#viewers.get(name) ?? []);
    return [...new Set(found)];
  }

  /** What of a line of the log must not be there: nothing that a caller sent, but for ids and names. */
  leaksToLog(line: string): string[] {
    const found = this.leaksTo(null, line);
    if (/eyJ[\w-]{8,}\./.test(line)) found.push("a token");
    if (SIGNING_SECRET.test(line)) found.push("a signing secret");
    if (line.includes(RECEIVER_WORDS)) found.push("what a receiver answered");
    if (line.includes(POLLUTION)) found.push("a member of a body");
    return found;
  }

  /** Notes who was handed a signing secret; says so where another tenant was handed the same. */
  handedOut(secret: string, tenant: string): string | null {
    const owner = this.#secretOwners.get(secret) ?? tenant;
    this.#secretOwners.set(secret, owner);
    return owner === tenant ? null : `a signing secret of ${owner}`;
  }
}

const spellings = (bytes: Buffer): string[] => [
  bytes.toString("base64").replace(/=+$/, ""),
  bytes.toString("base64url"),
  bytes.toString("hex"),
  bytes.toString("latin1"),
  [...bytes].join(","),
];
