/**
 * One Pollhook with all that it talks to: the node on plain workerd, the simulated provider, a receiver for each kind of
 * destination, and callers of three tenants with their tokens. Torn down, nothing of it is left.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Provider, startProvider } from "../../simulator/provider.ts";
import { type Receiver, type ReceiverStep, startReceiver } from "../../simulator/receiver.ts";
import { PollhookNode, PROVIDER_KEY } from "../node.ts";
import { Book } from "./book.ts";
import { type Plan, TENANTS, type Tenant } from "./plan.ts";
import type { Random } from "./random.ts";

export const DESTINATIONS = [
  "steady",
  "flaky",
  "slow",
  "hanging",
  "dead",
  "sick",
  "paused",
  "paced",
] as const;
export type DestinationName = (typeof DESTINATIONS)[number];

export interface WorldOptions {
  readonly shards: number;
  readonly seed: number;
  readonly persistTo?: string;
  /** On top of the variables that every run has. */
  readonly vars?: Readonly<Record<string, string>>;
  /** workerd's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly book?: Book;
  /** Whether receivers refuse what is signed for another time than now; they do unless told otherwise. */
  readonly judgesTime?: boolean;
  /** What stands between the node and a server: answers with the origin that the node is told. */
  readonly between?: (origin: string) => Promise<string>;
}

/** An attempt that a crash cuts off is spent: the last ones come when no crash does any more. */
const PATIENT = [1, 1, 2, 3, 5, 8, 13, 20, 30, 30, 30, 30];
const SCHEDULES: Partial<Record<DestinationName, readonly number[]>> = { dead: [1] };
const LIMITS: Partial<Record<DestinationName, object>> = { paced: { max_in_flight: 4, max_per_second: 20 } };
const SERVICE: Partial<Record<DestinationName, ReceiverStep>> = {
  slow: { kind: "slow", ms: 700 },
  dead: { kind: "fail", status: 500 },
  sick: { kind: "fail", status: 503 },
};
/** What must stand in no line of a log: provider keys, and what events are signed with. */
const SECRETS = new RegExp(`${PROVIDER_KEY}|own-key-|limited-\\d|whsec_`);
const MUST_TRIES = 20;
const MUST_AGAIN_MS = 500;
/** Long enough for whatever the clock is made to say. */
const TOKEN_SECONDS = 400 * 86_400;

export class World {
  readonly node: PollhookNode;
  readonly provider: Provider;
  readonly book: Book;
  readonly seed: number;
  /** Lines of the log with a secret in them. */
  readonly leaks: readonly string[];
  readonly #options: WorldOptions;
  readonly #receivers: ReadonlyMap<DestinationName, Receiver>;
  readonly #origins: ReadonlyMap<DestinationName, string>;
  readonly #secrets = new Map(TENANTS.map((tenant) => [tenant, newSecret()]));
  /** Under which events come. */
  secrets: readonly string[] = [];
  readonly #tokens = new Map<string, string>();

  private constructor(
    options: WorldOptions,
    parts: Pick<World, "node" | "provider" | "book" | "leaks">,
    receivers: ReadonlyMap<DestinationName, Receiver>,
    origins: ReadonlyMap<DestinationName, string>,
  ) {
    this.#options = options;
    this.node = parts.node;
    this.provider = parts.provider;
    this.book = parts.book;
    this.leaks = parts.leaks;
    this.seed = options.seed;
    this.#receivers = receivers;
    this.#origins = origins;
  }

  /** Nothing is registered yet, and the node is not running. */
  static async create(options: WorldOptions): Promise<World> {
    const { between = async (origin) => origin, book = new Book() } = options;
    const provider = await startProvider({ keys: [PROVIDER_KEY] });
    const receivers = new Map<DestinationName, Receiver>();
    const origins = new Map<DestinationName, string>();
    for (const name of DESTINATIONS) {
      const receiver = await startReceiver({ onDelivery: book.note });
      const service = SERVICE[name];
      if (service) receiver.serve(service);
      receivers.set(name, receiver);
      origins.set(name, await between(receiver.origin));
    }
    const leaks: string[] = [];
    const node = await PollhookNode.create({
      onLog: (line) => {
        if (SECRETS.test(line)) leaks.push(line.slice(0, 200));
      },
      vars: {
        PROVIDER_ORIGINS: await between(provider.origin),
        JOB_SHARDS: String(options.shards),
        ...options.vars,
      },
      ...(options.persistTo !== undefined && { persistTo: options.persistTo }),
    });
    return new World(options, { node, provider, book, leaks }, receivers, origins);
  }

  /** Starts the node on what its disk holds. */
  start(vars: Readonly<Record<string, string>> = {}): Promise<void> {
    return this.node.start(vars, this.#options.env);
  }

  /** Makes every tenant's destinations, and tells the receivers under which secrets events come. */
  async prepare(random: Random): Promise<void> {
    for (const tenant of TENANTS) {
      for (const name of DESTINATIONS) await this.putDestination(tenant, name);
      await this.must(tenant, "POST", "/v1/destinations/paused/pause");
      this.receiver("flaky").program(`/hook/${tenant}`, flaky(random));
      this.receiver("hanging").program(`/hook/${tenant}`, hanging(random));
    }
    await this.learnSecrets();
  }

  async putDestination(tenant: Tenant, name: DestinationName): Promise<void> {
    await this.must(tenant, "PUT", `/v1/destinations/${name}`, {
      url: `${this.#origins.get(name)}/hook/${tenant}`,
      retry_schedule: SCHEDULES[name] ?? PATIENT,
      secret: this.#secrets.get(tenant),
      max_in_flight: 100,
      ...LIMITS[name],
    });
  }

  /** The newest secret of each tenant from now on: after a rotation, the older ones verify nothing any more. */
  async learnSecrets(): Promise<void> {
    const own: string[] = [];
    for (const tenant of TENANTS) {
      const answer = (await this.must(tenant, "GET", "/v1/signing-secret")) as { secret: string };
      own.push(answer.secret);
    }
    this.secrets = [...own, ...this.#secrets.values()];
    if (this.#options.judgesTime === false) return;
    for (const receiver of this.#receivers.values()) receiver.setSecrets(this.secrets);
  }

  receiver(name: DestinationName): Receiver {
    const receiver = this.#receivers.get(name);
    if (!receiver) throw new Error(`There is no receiver ${name}.`);
    return receiver;
  }

  /** Where a job's own callback is. */
  hookUrl(index: number): string {
    return `${this.#origins.get("steady")}/hook/job-${index}`;
  }

  /** Of a tenant, or of one of its owners. */
  async token(tenant: Tenant, owner: string | null = null): Promise<string> {
    const name = owner === null ? tenant : `${tenant}/${owner}`;
    const known = this.#tokens.get(name);
    if (known !== undefined) return known;
    const exp = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
    const token = await this.node.token(tenant, { exp, jti: name, ...(owner !== null && { own: owner }) });
    this.#tokens.set(name, token);
    return token;
  }

  /** One call as that plan's caller, or as a tenant itself. */
  async call(
    by: Tenant | Pick<Plan, "tenant" | "owner">,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Response> {
    const { tenant, owner } = typeof by === "string" ? { tenant: by, owner: null } : by;
    return this.node.call(await this.token(tenant, owner), method, path, body);
  }

  /** A call that has to succeed; one whose connection breaks is made again, which does no harm to any that is made so. */
  async must(tenant: Tenant, method: string, path: string, body?: unknown): Promise<unknown> {
    const { response, text } = await this.#answered(tenant, method, path, body);
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  async #answered(tenant: Tenant, method: string, path: string, body: unknown) {
    for (let tried = 1; ; tried++) {
      try {
        const response = await this.call(tenant, method, path, body);
        return { response, text: await response.text() };
      } catch (error) {
        if (tried === MUST_TRIES)
          throw new Error(
            `${method} ${path} got no answer; the node printed: ${this.node.output.slice(-2_000)}`,
            {
              cause: error,
            },
          );
        await sleep(MUST_AGAIN_MS);
      }
    }
  }

  async tearDown(): Promise<void> {
    await this.node.tearDown();
    await Promise.all([this.provider.close(), ...[...this.#receivers.values()].map((one) => one.close())]);
  }
}

const newSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;

/** Of three attempts one fails, in one way or another. */
function flaky(random: Random): ReceiverStep[] {
  const ways: readonly ReceiverStep[] = [
    { kind: "fail", status: 500 },
    { kind: "destroy" },
    { kind: "close-halfway", status: 500 },
    { kind: "retry-after", after: 1 },
  ];
  return Array.from({ length: 600 }, () => (random.chance(1 / 3) ? random.pick(ways) : { kind: "normal" }));
}

const hanging = (random: Random): ReceiverStep[] =>
  Array.from({ length: 30 }, () => ({ kind: random.chance(1 / 3) ? "hang" : "normal" }));
