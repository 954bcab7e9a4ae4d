/**
 * A Worker in a real process with its storage in a folder of its own, the simulated provider, a receiver that knows
 * the secret, and a caller with a token. `tearDown` ends and removes all of it.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MasterKey } from "../../src/crypto/keys.ts";
import { type Claims, mintToken, SCOPES } from "../../src/crypto/token.ts";
import { freePort, startWorker, type WorkerProcess } from "../demo/worker-process.ts";
import { type Provider, startProvider } from "../simulator/provider.ts";
import { type Receiver, startReceiver } from "../simulator/receiver.ts";
import { described } from "../support/described.ts";

export interface Job {
  readonly id: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly polls: number;
  readonly attempts: number;
  readonly error: { readonly reason: string } | null;
  readonly delivery_error: { readonly reason: string } | null;
  readonly timeline: readonly { readonly type: string; readonly result?: string; readonly reason?: string }[];
}

/** A connection for each call: one that is kept may be closed by the other side at the moment of its next use. */
const ONE_CALL = { connection: "close" };

export interface SettingOptions {
  /** More variables, made at each start; `origin` is where the Worker will be reached. */
  readonly vars?: (origin: string) => Readonly<Record<string, string>>;
}

export class Setting {
  readonly provider: Provider;
  readonly receiver: Receiver;
  readonly #varsAt: (origin: string) => Record<string, string>;
  readonly #persistTo: string;
  readonly #master: MasterKey;
  readonly #token: string;
  #worker: WorkerProcess | null = null;

  private constructor(
    provider: Provider,
    receiver: Receiver,
    varsAt: (origin: string) => Record<string, string>,
    persistTo: string,
    { master, token }: { master: MasterKey; token: string },
  ) {
    this.provider = provider;
    this.receiver = receiver;
    this.#varsAt = varsAt;
    this.#persistTo = persistTo;
    this.#master = master;
    this.#token = token;
  }

  static async create({ vars: more = () => ({}) }: SettingOptions = {}): Promise<Setting> {
    const master = { kid: "e2e", bytes: new Uint8Array(randomBytes(32)) };
    const provider = await startProvider();
    const vars = {
      MASTER_KEYS: `${master.kid}:${Buffer.from(master.bytes).toString("base64")}`,
      PROVIDER_ORIGINS: provider.origin,
      PROVIDER_KEY: "sim-provider-key",
      ALLOW_PRIVATE_TARGETS: "true",
    };
    const persistTo = await mkdtemp(join(tmpdir(), "pollhook-e2e-"));
    const varsAt = (origin: string) => ({ ...vars, ...more(origin) });
    const token = await mintFor("e2e", master);
    return new Setting(provider, await startReceiver(), varsAt, persistTo, { master, token });
  }

  /** A token of the tenant whose deliveries the receiver can verify. */
  get token(): string {
    return this.#token;
  }

  /** A token of another tenant, or with other claims. */
  tokenFor(tenant: string, claims: Partial<Claims> = {}): Promise<string> {
    return mintFor(tenant, this.#master, claims);
  }

  get worker(): WorkerProcess {
    if (!this.#worker) throw new Error("The Worker is not running.");
    return this.#worker;
  }

  /** Starts the Worker, with whatever its storage holds. */
  async start(): Promise<void> {
    const port = await freePort();
    const vars = this.#varsAt(`http://127.0.0.1:${port}`);
    this.#worker = await startWorker({ persistTo: this.#persistTo, vars, port });
    const { secret } = (await (await this.call("GET", "/v1/signing-secret")).json()) as { secret: string };
    this.receiver.setSecrets([secret]);
  }

  /** Ends workerd, and what started it, with SIGKILL. */
  async crash(): Promise<void> {
    for (const pid of this.worker.workerdPids()) process.kill(pid, "SIGKILL");
    await this.worker.stop("SIGKILL");
    this.#worker = null;
  }

  /** One call; its answer is held against the OpenAPI document. */
  async call(method: string, path: string, body?: unknown): Promise<Response> {
    const url = this.worker.origin + path;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.#token}`,
      "content-type": "application/json",
      ...ONE_CALL,
    };
    const response = await fetch(url, { method, headers, ...(text !== undefined && { body: text }) });
    return described({ method, url, body: text }, response);
  }

  /** A call in the provider's own form; the token goes into the body, in front of `fields`. */
  async callAsProvider(
    path: string,
    fields: Record<string, unknown>,
    more: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
  ): Promise<Response> {
    const url = `${this.worker.origin}/api/${path}`;
    const body = JSON.stringify({ key: this.#token, ...fields });
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      body,
      ...more,
      headers: { "content-type": "application/json", ...ONE_CALL, ...more.headers },
    });
    return described({ method: "POST", url, body }, response);
  }

  /** Registers; throws with the answer unless it was accepted anew. */
  async register(body: Record<string, unknown>): Promise<string> {
    const response = await this.call("POST", "/v1/jobs", body);
    if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
    return ((await response.json()) as Job).id;
  }

  async job(id: string): Promise<Job> {
    return (await (await this.call("GET", `/v1/jobs/${id}`)).json()) as Job;
  }

  async tearDown(): Promise<void> {
    await this.#worker?.stop("SIGKILL");
    await this.receiver.close();
    await this.provider.close();
    await rm(this.#persistTo, { recursive: true, force: true });
  }
}

function mintFor(sub: string, master: MasterKey, claims: Partial<Claims> = {}): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  return mintToken({ sub, scope: SCOPES.join(" "), exp: iat + 3600, iat, jti: sub, ...claims }, master);
}
