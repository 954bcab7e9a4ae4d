/**
 * Pollhook on one node, as it is hosted by oneself: plain workerd with its objects on disk, killed and started again as
 * often as one likes. What it logs is handed on line by line; it is the place where secrets would show.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MasterKey } from "../../src/crypto/keys.ts";
import { type Claims, mintToken, SCOPES } from "../../src/crypto/token.ts";
import { ROOT } from "../demo/worker-process.ts";
import { type Bundle, bundlePollhook } from "../workerd/bundle.ts";
import { type PlainWorkerd, startPlainWorkerd } from "../workerd/plain-workerd.ts";

export interface NodeOptions {
  /** On top of what every node has; those of a later start replace them. */
  readonly vars: Readonly<Record<string, string>>;
  /** What `fetch` may reach; also private addresses unless given. */
  readonly allow?: readonly string[];
  /** An existing folder for all that is durable; one of its own, removed in the end, unless given. */
  readonly persistTo?: string;
  readonly onLog?: (line: string) => void;
}

/** A test's provider key; logs are searched for it. */
export const PROVIDER_KEY = "chaos-provider-key-4f1d";

export class PollhookNode {
  readonly persistTo: string;
  /** Newest first. */
  masterKeys: readonly MasterKey[] = [newMasterKey("c1")];
  readonly #bundle: Bundle;
  readonly #folder: string;
  readonly #options: NodeOptions;
  #workerd: PlainWorkerd | null = null;

  private constructor(bundle: Bundle, folder: string, options: NodeOptions) {
    this.#bundle = bundle;
    this.#folder = folder;
    this.#options = options;
    this.persistTo = options.persistTo ?? join(folder, "node");
  }

  /** Bundles the Worker of this checkout; nothing runs yet. */
  static async create(options: NodeOptions): Promise<PollhookNode> {
    const folder = await mkdtemp(join(tmpdir(), "pollhook-node-"));
    return new PollhookNode(await bundlePollhook(ROOT, join(folder, "bundle")), folder, options);
  }

  get origin(): string {
    return this.#running.origin;
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Everything printed by the run that is under way, bounded. */
  get output(): string {
    return this.#running.output();
  }

  /** Starts it with whatever its storage holds. `env` is workerd's own environment. */
  async start(
    vars: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { allow, onLog } = this.#options;
    this.#workerd = await startPlainWorkerd({
      bundle: this.#bundle,
      persistTo: this.persistTo,
      vars: {
        PROVIDER_KEY,
        ALLOW_PRIVATE_TARGETS: "true",
        ...this.#options.vars,
        ...vars,
        MASTER_KEYS: { fromEnvironment: "MASTER_KEYS" },
      },
      env: { ...env, MASTER_KEYS: this.masterKeys.map(asText).join(",") },
      ...(allow && { allow }),
      ...(onLog && { onLog }),
    });
  }

  /** Ends it, with SIGKILL unless told otherwise. */
  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#workerd?.stop(signal);
    this.#workerd = null;
  }

  /** Puts a new key in front; it counts from the next start on. */
  rotate(): void {
    this.masterKeys = [newMasterKey(`c${this.masterKeys.length + 1}`), ...this.masterKeys];
  }

  /** A token with all scopes unless told otherwise, for a day, signed with the oldest key. */
  token(tenant: string, claims: Partial<Claims> = {}): Promise<string> {
    const master = this.masterKeys.at(-1);
    if (!master) throw new Error("There is no master key.");
    const iat = Math.floor(Date.now() / 1000);
    return mintToken(
      { sub: tenant, scope: SCOPES.join(" "), exp: iat + 86_400, iat, jti: tenant, ...claims },
      master,
    );
  }

  /** One call with a token, over a connection of its own: one that is kept may be closed at the moment of its next use. */
  call(token: string, method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.origin + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        connection: "close",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** Ends it and removes what it made. */
  async tearDown(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #running(): PlainWorkerd {
    if (!this.#workerd) throw new Error("The node is not running.");
    return this.#workerd;
  }
}

const newMasterKey = (kid: string): MasterKey => ({ kid, bytes: new Uint8Array(randomBytes(32)) });

const asText = ({ kid, bytes }: MasterKey): string => `${kid}:${Buffer.from(bytes).toString("base64")}`;
