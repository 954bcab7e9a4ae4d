/**
 * Pollhook on one node: what `npm run build` makes, on plain workerd with its objects on disk, killed and started again
 * as often as one likes. What it logs is handed on line by line; it is the place where secrets would show.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MasterKey } from "../../src/crypto/keys.ts";
import { type Claims, mintToken, SCOPES } from "../../src/crypto/token.ts";
import type { PlainWorkerd } from "../workerd/plain-workerd.ts";
import { buildSelfHosted, DATA_FOLDER, startSelfHosted } from "../workerd/self-hosted.ts";

export interface NodeOptions {
  /** On top of what every node has; those of a later start replace them. */
  readonly vars: Readonly<Record<string, string>>;
  /** What `fetch` may reach; also private addresses unless given. */
  readonly allow?: readonly string[];
  /** An existing folder for all that is durable; one of its own, removed in the end, unless given. */
  readonly persistTo?: string;
  readonly onLog?: (line: string) => void;
}

/** The simulated provider and receiver are on the loopback. */
const ALLOW = ["public", "private"];

/** A test's provider key; logs are searched for it. */
export const PROVIDER_KEY = "chaos-provider-key-4f1d";

export class PollhookNode {
  readonly persistTo: string;
  /** Newest first. */
  masterKeys: readonly MasterKey[] = [newMasterKey("c1")];
  readonly #config: string;
  readonly #folder: string;
  readonly #options: NodeOptions;
  #workerd: PlainWorkerd | null = null;

  private constructor(config: string, folder: string, options: NodeOptions) {
    this.#config = config;
    this.#folder = folder;
    this.#options = options;
    this.persistTo = options.persistTo ?? join(folder, "node");
  }

  /** Builds what is to run; nothing runs yet. */
  static async create(options: NodeOptions): Promise<PollhookNode> {
    const folder = await mkdtemp(join(tmpdir(), "pollhook-node-"));
    const allow = (options.allow ?? ALLOW).join(",");
    const config = await buildSelfHosted(join(folder, "built"), ["--allow", allow]);
    return new PollhookNode(config, folder, options);
  }

  /** An object is a file below it. */
  get dataFolder(): string {
    return join(this.persistTo, DATA_FOLDER);
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

  /** Starts it with whatever its storage holds. All of `vars` and `env` is its environment. */
  async start(
    vars: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { onLog } = this.#options;
    await mkdir(this.persistTo, { recursive: true });
    this.#workerd = await startSelfHosted({
      config: this.#config,
      home: this.persistTo,
      env: {
        PROVIDER_KEY,
        ALLOW_PRIVATE_TARGETS: "true",
        ...this.#options.vars,
        ...vars,
        ...env,
        MASTER_KEYS: this.masterKeys.map(asText).join(","),
      },
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
