/**
 * The caller of the load, as a process. It sends each registration when it is due, whether or not those before it were
 * answered, and counts what it waited from that moment: whoever is slow to take them cannot make the load any lighter.
 * Some jobs it reads afterwards, until they are over.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { answer } from "../../bench/throughput/child.ts";
import { dueAt, type Timing } from "./ledger.ts";
import { BATCH, type Mix, outputOf, type Plan, planOf, registrationOf } from "./plan.ts";

export interface Load {
  readonly origin: string;
  readonly token: string;
  readonly mix: Mix;
  readonly timing: Timing;
}

/** One registration, or a batch of them. */
export interface Call {
  /** Of the first job in it; the others follow. */
  readonly firstId: number;
  /** Of each job, as it was answered; 0 where no answer came. */
  readonly statuses: readonly number[];
  /** Epoch ms. */
  readonly dueAt: number;
  /** From then to the whole answer, or to the end of the connection. */
  readonly latencyMs: number;
  /** How late it was sent: more than a few ms are the caller's own fault. */
  readonly lateMs: number;
}

export interface Called {
  readonly calls: readonly Call[];
  readonly reads: Reads;
}

export interface Reads {
  /** Jobs that were read until they were over. */
  readonly jobs: number;
  /** What was wrong with them: a line each, the first of them. */
  readonly wrong: readonly string[];
}

/** Connections; who comes when all are in use waits for one, and that counts. */
const MOST_SOCKETS = 1_024;
const TICK_MS = 4;
const ANSWER_LIMIT_MS = 60_000;
/** The first look at a job comes so long after it should be over, the next ones so long after each other. */
const FIRST_LOOK_MS = 2_000;
const LOOK_MS = 1_500;
/** A job that is not over by then never will be. */
const READ_LIMIT_MS = 600_000;
const SHOWN_WRONG = 5;

answer<Load, Called>(async (load) => {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS });
  try {
    return await new Caller(load, agent).run();
  } finally {
    agent.destroy();
  }
});

interface Answer {
  /** 0: none. */
  readonly status: number;
  readonly text: string;
}

/** As answers have it, as far as it is looked at here. */
interface Job {
  readonly id: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly request_id: string;
  readonly result?: { readonly output?: readonly string[] } | null;
}

class Caller {
  readonly #load: Load;
  readonly #agent: Agent;
  readonly #calls: Call[] = [];
  readonly #reading: Promise<void>[] = [];
  readonly #wrong: string[] = [];
  #read = 0;

  constructor(load: Load, agent: Agent) {
    this.#load = load;
    this.#agent = agent;
  }

  async run(): Promise<Called> {
    const { timing, mix } = this.#load;
    const endId = timing.firstId + timing.count;
    const sending: Promise<void>[] = [];
    for (let id = timing.firstId; id < endId; ) {
      // A batch goes when its last job is due.
      const count = planOf(id, mix).isBatched ? Math.min(BATCH - (id % BATCH), endId - id) : 1;
      const at = dueAt(timing, id + count - 1);
      for (let left = at - Date.now(); left > 0; left = at - Date.now()) await sleep(Math.min(TICK_MS, left));
      sending.push(this.#register(id, count, at));
      id += count;
    }
    await Promise.all(sending);
    await Promise.all(this.#reading);
    return { calls: this.#calls, reads: { jobs: this.#read, wrong: this.#wrong.slice(0, SHOWN_WRONG) } };
  }

  async #register(firstId: number, count: number, at: number): Promise<void> {
    const { mix } = this.#load;
    const bodies = Array.from({ length: count }, (_, i) => registrationOf(firstId + i, mix));
    const lateMs = Date.now() - at;
    const isBatch = count > 1;
    const path = isBatch ? "/v1/jobs/batch" : "/v1/jobs";
    const answer = await this.#call("POST", path, isBatch ? { jobs: bodies } : bodies[0]);
    const latencyMs = Date.now() - at;
    const jobs = jobsIn(answer, count, isBatch);
    this.#calls.push({ firstId, statuses: jobs.map(({ status }) => status), dueAt: at, latencyMs, lateMs });
    for (const [i, { status, job }] of jobs.entries()) {
      const plan = planOf(firstId + i, mix);
      if (status === 202 && job && plan.isRead)
        this.#reading.push(this.#watch(firstId + i, job.id, plan, at));
    }
  }

  /** Reads the job until it is over, and looks whether it is what it should be. */
  async #watch(id: number, jobId: string, plan: Plan, at: number): Promise<void> {
    const limit = at + READ_LIMIT_MS;
    await sleep(Math.max(0, at + plan.workMs + FIRST_LOOK_MS - Date.now()));
    for (;;) {
      const { status, text } = await this.#call("GET", `/v1/jobs/${jobId}`);
      const job = status === 200 ? (JSON.parse(text) as Job) : null;
      const isOver = job !== null && !["waiting", "delivering"].includes(job.status);
      if (isOver || status === 404 || Date.now() > limit) {
        const fault = job ? faultOf(job, id, plan) : `is answered ${status}`;
        if (fault) this.#wrong.push(`job ${id} ${fault}`);
        this.#read++;
        return;
      }
      await sleep(LOOK_MS);
    }
  }

  /** Resolves with the whole answer, whatever comes. */
  #call(method: string, path: string, body?: unknown): Promise<Answer> {
    const { origin, token } = this.#load;
    const text = body === undefined ? null : JSON.stringify(body);
    return new Promise((resolve) => {
      const none = (): void => resolve({ status: 0, text: "" });
      const call = request(origin + path, {
        agent: this.#agent,
        method,
        timeout: ANSWER_LIMIT_MS,
        headers: {
          authorization: `Bearer ${token}`,
          ...(text !== null && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(text),
          }),
        },
      });
      call.once("error", none);
      call.once("timeout", () => call.destroy());
      call.once("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", none);
        response.once("close", none);
        response.once("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      });
      call.end(text);
    });
  }
}

/** What became of each job of a call. */
function jobsIn(
  { status, text }: Answer,
  count: number,
  isBatch: boolean,
): readonly { readonly status: number; readonly job?: Job }[] {
  if (status === 202 && !isBatch) return [{ status, job: JSON.parse(text) as Job }];
  if (status !== 200 || !isBatch) return Array.from({ length: count }, () => ({ status }));
  return (JSON.parse(text) as { results: { status: number; job?: Job }[] }).results;
}

function faultOf(job: Job, id: number, { isSilent, isFailed }: Plan): string | null {
  const status = isSilent ? "finished" : "delivered";
  const outcome = isFailed ? "failed" : "succeeded";
  if (job.request_id !== String(id)) return `is answered with ${job.request_id}`;
  if (job.status !== status || job.outcome !== outcome) return `is ${job.status}, ${job.outcome}`;
  return isFailed || job.result?.output?.[0] === outputOf(id) ? null : "has not its own result";
}
