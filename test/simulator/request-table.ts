/**
 * The provider's queue: which requests there are, whose they are, when each is ready and what it says then.
 * Keyed by endpoint and id together, as the provider's own pages reuse ids across endpoints. Holds no clock:
 * `now` (epoch ms) is an argument.
 */
import * as check from "./checks.ts";
import { type Misbehaviour, misbehaviourCheck } from "./misbehaviour.ts";
import * as answers from "./provider-answers.ts";
import { fetchUrl } from "./provider-routes.ts";

/** A request to queue. */
export interface SimRequest {
  /** The path in front of `/fetch`, e.g. `v6/video`. */
  endpoint: string;
  id: string | number;
  /** The one key that may see it; without, any key of the provider's list. */
  key?: string;
  /** Counted from when it is added; 0 by default, infinity for never. */
  readyAfterMs?: number;
  /** Present: polls before it is ready get the fuller processing answer, with this `eta`. */
  eta?: number | string | null;
  /** What polls before it is ready get, instead of the usual; a string is sent byte for byte. */
  processing?: string | object;
  /** What polls get once it is ready, instead of a success with one output; a string byte for byte. */
  answer?: string | object;
  /** One is consumed by each poll, before normal service. */
  misbehaviours?: readonly Misbehaviour[];
}

/** A queued request as `requests()` and `GET /_sim/requests` show it. */
export interface QueuedRequest {
  endpoint: string;
  id: string;
  key: string | null;
  addedAt: number;
  readyAt: number;
  polls: number;
  misbehavioursLeft: number;
}

interface Queued extends QueuedRequest {
  spec: SimRequest;
}

/** The one answer to give to a poll. */
export interface Answer {
  request: QueuedRequest;
  text: string;
  misbehaviour: Misbehaviour | undefined;
}

const ID = /^[A-Za-z0-9_-]{1,128}$/;
const ENDPOINT = /^v\d+(\/[\w-]+)*$/;
const INVENTED_READY_AFTER_MS = 4000;

const answerCheck = check.optional(check.either("a string or an object", check.text, check.anyObject));

export const requestCheck = check.object({
  endpoint: check.matching(ENDPOINT, "v4/dreambooth"),
  id: check.either("a string like 12202888, or an integer", check.matching(ID, "12202888"), check.integer(0)),
  key: check.optional(check.text),
  readyAfterMs: check.optional(check.atLeast(0)),
  eta: check.optional(
    check.either("a number, a string or null", check.atLeast(-Infinity), check.text, check.nothing),
  ),
  processing: answerCheck,
  answer: answerCheck,
  misbehaviours: check.optional(check.listOf(misbehaviourCheck)),
});

/** The provider's own id generator starts here: eight digits, as its ids have. */
const FIRST_GENERATED_ID = 70_000_001;

export class RequestTable {
  readonly #keys: ReadonlySet<string>;
  readonly #invent: boolean;
  readonly #byName = new Map<string, Queued>();
  /** Keys that only some request knows; they are as valid as the provider's own. */
  readonly #requestKeys = new Set<string>();
  #nextId: number;

  constructor(options: { keys: readonly string[]; invent: boolean; firstId?: number }) {
    this.#nextId = options.firstId ?? FIRST_GENERATED_ID;
    this.#keys = new Set(options.keys);
    this.#invent = options.invent;
  }

  /** Queues a request; one with the same endpoint and id is replaced. `aliases` are other endpoints it answers on. */
  add(spec: SimRequest, now: number, aliases: readonly string[] = []): void {
    const { endpoint, key = null, readyAfterMs = 0, misbehaviours = [] } = spec;
    const id = String(spec.id);
    const queued: Queued = {
      endpoint,
      id,
      key,
      addedAt: now,
      readyAt: now + readyAfterMs,
      polls: 0,
      misbehavioursLeft: misbehaviours.length,
      spec,
    };
    if (key !== null) this.#requestKeys.add(key);
    for (const name of [endpoint, ...aliases]) this.#byName.set(`${name} ${id}`, queued);
  }

  /** A new id, for a generation call. Never used twice, not even after a reset. */
  takeId(): number {
    return this.#nextId++;
  }

  acceptsKey(key: unknown): key is string {
    return typeof key === "string" && (this.#keys.has(key) || this.#requestKeys.has(key));
  }

  /** Counts a poll and consumes one misbehaviour. `null`: no such request, or not for this key. */
  poll(asked: { endpoint: string; id: string; key: string }, origin: string, now: number): Answer | null {
    const queued = this.#find(asked, now);
    if (queued === undefined) return null;
    if (queued.key === null ? !this.#keys.has(asked.key) : queued.key !== asked.key) return null;
    const { misbehaviours = [] } = queued.spec;
    const misbehaviour = misbehaviours[misbehaviours.length - queued.misbehavioursLeft];
    queued.polls += 1;
    if (misbehaviour !== undefined) queued.misbehavioursLeft -= 1;
    return { request: queued, text: currentAnswer(queued, origin, now), misbehaviour };
  }

  list(): QueuedRequest[] {
    return [...new Set(this.#byName.values())].map(({ spec: _, ...shown }) => shown);
  }

  clear(): void {
    this.#byName.clear();
    this.#requestKeys.clear();
  }

  #find({ endpoint, id }: { endpoint: string; id: string }, now: number): Queued | undefined {
    const name = `${endpoint} ${id}`;
    if (this.#invent && !this.#byName.has(name) && ID.test(id)) {
      const example = answers.pageExample(endpoint, id);
      const answer = example === undefined ? {} : { answer: example };
      this.add({ endpoint, id, readyAfterMs: INVENTED_READY_AFTER_MS, ...answer }, now);
    }
    return this.#byName.get(name);
  }
}

function currentAnswer(queued: Queued, origin: string, now: number): string {
  const { spec } = queued;
  if (now >= queued.readyAt) return written(spec.answer) ?? answers.success(queued);
  const scripted = written(spec.processing);
  if (scripted !== undefined) return scripted;
  if (spec.eta === undefined) return answers.STILL_PROCESSING;
  const fetchResult = fetchUrl(origin, queued.endpoint, queued.id);
  return answers.processing(queued, { eta: spec.eta, fetchResult });
}

function written(answer: string | object | undefined): string | undefined {
  return typeof answer === "object" ? answers.phpJson(answer) : answer;
}
