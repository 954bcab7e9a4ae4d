/**
 * The Worker, the simulated provider and a callback receiver, started together on free ports and ended together,
 * whatever happens in between.
 */
import { signingSecrets } from "../../src/webhook/signature.ts";
import { type Provider, type ProviderOptions, startProvider } from "../simulator/provider.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "../simulator/receiver.ts";
import { ensureDevVars, localToken } from "./dev-vars.ts";
import { freePort, startWorker, type WorkerProcess } from "./worker-process.ts";

const PROVIDER_KEY = "sim-provider-key";
const TENANT = "local";

export interface TrioOptions {
  readonly persistTo: string;
  readonly provider?: ProviderOptions;
  readonly receiver?: ReceiverOptions;
  readonly workerPort?: number;
  readonly onWorkerLog?: (line: string) => void;
}

export interface Trio {
  readonly worker: WorkerProcess;
  readonly provider: Provider;
  readonly receiver: Receiver;
  readonly token: string;
  /** What the provider takes. */
  readonly providerKey: string;
  /** What the token's tenant's events are signed with. */
  readonly secret: string;
  /** Whether `.dev.vars` was written just now. */
  readonly freshSecrets: boolean;
  /** Calls the Worker's API; a refusal is thrown with its detail. */
  api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Starts all three, or none: when one fails, the others are ended before the error is thrown. */
export async function startTrio(options: TrioOptions): Promise<Trio> {
  const ends: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const { masterKeys, written } = ensureDevVars();
    const token = await localToken(masterKeys, TENANT);
    const provider = await startProvider({ keys: [PROVIDER_KEY], ...options.provider });
    ends.push(() => provider.close());
    // Known before the Worker starts: the first thing that it does may be a delivery that was overdue.
    const secrets = await signingSecrets(masterKeys, TENANT);
    const receiver = await startReceiver({ secret: secrets, ...options.receiver });
    ends.push(() => receiver.close());
    const port = options.workerPort ?? (await freePort());
    const worker = await startWorker({
      persistTo: options.persistTo,
      port,
      ...(options.onWorkerLog && { onLog: options.onWorkerLog }),
      vars: {
        PROVIDER_ORIGINS: provider.origin,
        PROVIDER_KEY,
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        // The receiver listens on loopback, which no deployed Worker would call.
        ALLOW_PRIVATE_TARGETS: "true",
        // On a single node many jobs share an object; what an older start has placed alone is found too.
        JOB_SHARDS: "8,0",
      },
    });
    ends.push(() => worker.stop());
    const api = (method: string, path: string, body?: unknown) =>
      callApi(worker.origin, token, method, path, body);
    const [secret = ""] = secrets;
    return {
      worker,
      provider,
      receiver,
      token,
      providerKey: PROVIDER_KEY,
      secret,
      freshSecrets: written,
      api,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function callApi(
  origin: string,
  token: string,
  method: string,
  path: string,
  body: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(origin + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${method} ${path} answers ${response.status}: ${String(answer.detail)}`);
  return answer;
}
