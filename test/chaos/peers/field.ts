/**
 * Where bad peers meet Pollhook: one node, a provider and a receiver that do as they should, a caller with a token.
 * Servers that are opened here are closed with it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Receiver, startReceiver } from "../../simulator/receiver.ts";
import { PollhookNode, PROVIDER_KEY } from "../node.ts";
import { whole } from "./catalogue/bad-answer.ts";
import { ECHOED_KEY } from "./catalogue/echoes.ts";
import { type Answering, type RawServer, startRawServer } from "./raw-server.ts";

export interface TimelineEntry {
  readonly at: string;
  readonly type: string;
  readonly result?: string;
  readonly reason?: string;
  readonly response?: string;
}

export interface SeenJob {
  readonly id: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly polls: number;
  readonly attempts: number;
  readonly event_id: string | null;
  readonly error: { readonly reason: string; readonly message: string } | null;
  readonly registered_at: string;
  readonly finished_at: string | null;
  readonly delivered_at: string | null;
  readonly deadline_at: string;
  readonly next_poll_at: string | null;
  readonly next_attempt_at: string | null;
  readonly timeline: readonly TimelineEntry[];
}

export const GOOD_ANSWER = '{"status":"success","output":["https://cdn.example/good.png"]}';
/** Every provider key that is made up here begins so. */
const KEY_PREFIX = "key-of-";
/** What no log, event or answer may hold. */
export const KEYS = [PROVIDER_KEY, ECHOED_KEY, KEY_PREFIX];
const TENANT = "peers";
const FIRST_ID = 100_000;
const LOOK_EVERY_MS = 250;
const CALL_LIMIT_MS = 120_000;
/** Of the node, in an error. */
const SHOWN_OUTPUT_CHARS = 3_000;

/** Statuses of a job that is not delivered any more. */
export const OVER: readonly string[] = ["delivered", "undelivered"];

export class Field {
  readonly node: PollhookNode;
  readonly receiver: Receiver;
  readonly token: string;
  /** The provider that behaves. */
  readonly provider: RawServer;
  /** What it answers, by request id; {@link GOOD_ANSWER} to all others. */
  readonly answers: Map<string, string | Uint8Array>;
  /** Answers that a provider key was found in. */
  readonly spills: string[] = [];
  readonly #servers: RawServer[];
  readonly #logs: string[];
  #lastId = FIRST_ID;

  private constructor(
    parts: Pick<Field, "node" | "receiver" | "token" | "provider" | "answers">,
    logs: string[],
  ) {
    this.node = parts.node;
    this.receiver = parts.receiver;
    this.token = parts.token;
    this.provider = parts.provider;
    this.answers = parts.answers;
    this.#servers = [parts.provider];
    this.#logs = logs;
  }

  static async create(jobShards: string): Promise<Field> {
    const logs: string[] = [];
    const node = await PollhookNode.create({
      vars: { JOB_SHARDS: jobShards },
      onLog: (line) => void logs.push(line),
    });
    const answers = new Map<string, string | Uint8Array>();
    const provider = await startRawServer((_, request) => ({
      script: whole(answers.get(request?.path.split("/").at(-1) ?? "") ?? GOOD_ANSWER),
    }));
    const parts = {
      node,
      receiver: await startReceiver(),
      token: await node.token(TENANT),
      provider,
      answers,
    };
    return new Field(parts, logs);
  }

  /** Starts the node; only the origins given, and that of the provider that behaves, are the provider's. The first one gets generations. */
  async start(origins: readonly string[]): Promise<void> {
    await this.node.start({ PROVIDER_ORIGINS: [...origins, this.provider.origin].join() });
    const { secret } = JSON.parse(await this.ask("GET", "/v1/signing-secret")) as { secret: string };
    this.receiver.setSecrets([secret]);
  }

  async open(answering: Answering): Promise<RawServer> {
    const server = await startRawServer(answering);
    this.#servers.push(server);
    return server;
  }

  /** A request id that nobody else has here. */
  newId(): number {
    return ++this.#lastId;
  }

  /** Everything that was logged so far. */
  get log(): string {
    return this.#logs.join("\n");
  }

  /** Registers and answers with the job's id; `body` may be JSON text. Throws where it is not accepted anew. */
  async register(body: string | Record<string, unknown>): Promise<string> {
    const response = await this.call("POST", "/v1/jobs", body);
    const text = await response.text();
    if (response.status !== 202)
      throw new Error(`The registration is answered with ${response.status}: ${text}`);
    return (JSON.parse(text) as SeenJob).id;
  }

  async job(id: string): Promise<SeenJob> {
    return JSON.parse(await this.ask("GET", `/v1/jobs/${id}`)) as SeenJob;
  }

  /** The job when its delivery is over, or as it is when the time is. */
  async over(id: string, limitMs: number): Promise<SeenJob> {
    for (const limit = Date.now() + limitMs; ; await sleep(LOOK_EVERY_MS)) {
      const job = await this.job(id);
      if (OVER.includes(job.status) || Date.now() > limit) return job;
    }
  }

  /** The body of an answer, which must be 200 and in UTF-8. */
  async ask(method: string, path: string): Promise<string> {
    const response = await this.call(method, path);
    const bytes = await response.arrayBuffer();
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (KEYS.some((key) => text.includes(key)))
      this.spills.push(`${method} ${path} answers with a provider key.`);
    if (response.status !== 200)
      throw new Error(`${method} ${path} is answered with ${response.status}: ${text}`);
    return text;
  }

  /** One call over a connection of its own. Rejects with what the node has printed where it brings no answer. */
  async call(
    method: string,
    path: string,
    body?: string | Record<string, unknown>,
    timeoutMs = CALL_LIMIT_MS,
  ): Promise<Response> {
    try {
      return await fetch(this.node.origin + path, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          connection: "close",
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        signal: AbortSignal.timeout(timeoutMs),
        redirect: "manual",
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
    } catch (error) {
      const said = this.node.output.slice(-SHOWN_OUTPUT_CHARS);
      throw new Error(`${method} ${path} brings no answer; the node says:\n${said}`, { cause: error });
    }
  }

  async tearDown(): Promise<void> {
    await this.node.tearDown();
    await this.receiver.close();
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}
