/**
 * What the attack knows by now: ids, cursors and names out of the answers it got, each with whose it is, so that calls meet
 * what exists, of this caller and of others.
 */
import type { PollhookNode } from "../node.ts";
import { type Identity, identityOf, makeIdentities, makeImpostors } from "./identities.ts";
import { mayComeTo, maySee, type Planted, type Viewer } from "./planted.ts";
import type { Random } from "./random.ts";

/** Of each kind; older ones make room. */
const KEPT = 400;
const KEPT_TOKENS = 60;
/** What `GET /v1/jobs` and the like hand out. */
const CURSOR = /"(?:next_cursor|cursor)":"([\w-]+)"/g;
const JOB = /"(?:id|job_id)":"(job_[a-z0-9]+)"/g;
const OPERATION = /"id":"(op_[a-z0-9]+)"/g;
const EVENT_ID = /^id: (.+)$/gm;

export type HandleKind = "job" | "operation" | "cursor" | "event" | "request";

interface Handle {
  readonly text: string;
  readonly of: Viewer;
}

/** Whose a job or an operation is; the owner only where its registration was seen. */
interface Owned extends Viewer {
  readonly isExact: boolean;
}

export interface Peers {
  readonly node: PollhookNode;
  readonly provider: string;
  /** That answers with what it was asked. */
  readonly mirror: string;
  readonly receiver: string;
}

export class World {
  readonly planted: Planted;
  readonly peers: Peers;
  readonly identities: Identity[];
  readonly impostors: readonly Identity[];
  readonly #minted: Identity[] = [];
  readonly #byToken = new Map<string, Identity>();
  readonly #handles = new Map<HandleKind, Handle[]>();
  /** Whose each job and operation is, for as long as it is known. */
  readonly #owned = new Map<string, Owned>();
  #counter = 0;

  private constructor(planted: Planted, peers: Peers, identities: Identity[], impostors: Identity[]) {
    this.planted = planted;
    this.peers = peers;
    this.identities = identities;
    this.impostors = impostors;
    for (const identity of identities) this.#byToken.set(identity.token, identity);
  }

  /** Who the server must take the sender of this token for; `null`: nobody. */
  bearer(token: string): Identity | null {
    return this.#byToken.get(token) ?? null;
  }

  static async create(peers: Peers, planted: Planted, random: Random): Promise<World> {
    const { node } = peers;
    const identities = await makeIdentities(node, random);
    return new World(planted, peers, identities, await makeImpostors(node, random));
  }

  /** Mostly somebody who may call. */
  someone(random: Random): Identity {
    return random.weighted<() => Identity>([
      [90, () => random.pick(this.identities)],
      [6, () => random.maybe(this.#minted) ?? random.pick(this.identities)],
      [4, () => random.pick(this.impostors)],
    ])();
  }

  /** A token of somebody who calls only when told to. */
  adopt(token: string): Identity {
    const identity = identityOf(token);
    this.#byToken.set(token, identity);
    return identity;
  }

  /** A number that no other request has. */
  count(): number {
    return ++this.#counter;
  }

  /** What this caller may name; with a chance what another may. `undefined` while there is none. */
  handle(kind: HandleKind, viewer: Viewer, random: Random): string | undefined {
    const all = this.#handles.get(kind) ?? [];
    const isOther = random.chance(0.25);
    for (let tried = 0; tried < 8; tried++) {
      const found = random.maybe(all);
      if (!found || maySee(viewer, found.of) === isOther) continue;
      // What a full token registers is its owner's, if it has been an owner's before: the owner may then see it.
      const isShared = found.of.tenant === viewer.tenant && found.of.owner !== viewer.owner;
      if (kind !== "request" || !isShared || (viewer.owner && found.of.owner)) return found.text;
    }
    return undefined;
  }

  /** Whether the job or operation is known to be none that this caller may see. */
  isForeign(id: string, viewer: Viewer): boolean {
    const owned = this.#owned.get(id);
    if (!owned) return false;
    return owned.tenant !== viewer.tenant || (owned.isExact && !mayComeTo(viewer, owned));
  }

  /** It may be erased, and then be registered by another owner. */
  forgetOwner(id: string): void {
    const owned = this.#owned.get(id);
    if (owned) this.#owned.set(id, { ...owned, isExact: false });
  }

  /** The request's id is free for others to be tried with. */
  noteRequest(text: string, of: Viewer): void {
    this.#note("request", text, of);
  }

  /** Reads ids and cursors out of an answer to this caller; `isNew` where it is that of a job that it has registered. */
  learn(identity: Identity, text: string, isNew: boolean): void {
    if (identity.scopes === null) return;
    const { tenant, owner } = identity;
    for (const [, id = ""] of text.matchAll(JOB)) {
      if (isNew || !this.#owned.has(id)) this.#owned.set(id, { tenant, owner, isExact: isNew });
      this.#note("job", id, identity);
    }
    for (const [, id = ""] of text.matchAll(OPERATION)) {
      this.#owned.set(id, { tenant, owner, isExact: false });
      this.#note("operation", id, identity);
    }
    for (const [, cursor = ""] of text.matchAll(CURSOR)) this.#note("cursor", cursor, identity);
    for (const [, id = ""] of text.matchAll(EVENT_ID)) this.#note("event", id, identity);
  }

  /** A token that the server has minted. */
  learnToken(token: string): void {
    const identity = identityOf(token);
    this.#byToken.set(token, identity);
    this.#minted.push(identity);
    if (this.#minted.length > KEPT_TOKENS) this.#minted.shift();
  }

  #note(kind: HandleKind, text: string, { tenant, owner }: Viewer): void {
    const known = this.#handles.get(kind) ?? [];
    this.#handles.set(kind, known);
    if (known.length >= KEPT) known.shift();
    known.push({ text, of: { tenant, owner } });
  }
}
