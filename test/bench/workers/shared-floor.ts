/**
 * The floor of a shared object: the bare Worker of `floor.ts` with one object for many jobs. One `put` a registration, its
 * key in the order of what comes due, and the alarm at the earliest; what comes in one millisecond is committed together.
 * No auth, no checks, no retries: what one could reach with nothing but that.
 */
import { DurableObject } from "cloudflare:workers";

interface FloorEnv {
  readonly JOB: DurableObjectNamespace<SharedFloor>;
  readonly PROVIDER_ORIGINS: string;
}

interface FloorJob {
  readonly request_id: string;
  readonly eta: number;
  readonly callback_url: string;
}

const OBJECTS = 8;
const TOGETHER_MS = 1;
/** Of an epoch time in ms, for as long as this is of use. */
const DIGITS = 13;

export class SharedFloor extends DurableObject<FloorEnv> {
  #together: Promise<void> | null = null;

  async register(job: FloorJob): Promise<void> {
    const dueAt = Math.ceil(Date.now() + job.eta * 1000);
    await this.#sameCommit();
    const before = this.#earliest();
    this.ctx.storage.kv.put(keyOf(dueAt, job.request_id), job);
    // While the alarm runs, the earliest is one of its own: it looks again at its end.
    if (before === null || dueAt < before) this.ctx.storage.setAlarm(dueAt);
  }

  override async alarm(): Promise<void> {
    const due = [...this.ctx.storage.kv.list<FloorJob>({ end: keyOf(Date.now() + 1, "") })];
    await Promise.all(due.map(([key, job]) => this.#run(key, job)));
    const next = this.#earliest();
    if (next !== null) this.ctx.storage.setAlarm(next);
  }

  async #run(key: string, job: FloorJob): Promise<void> {
    const url = `${this.env.PROVIDER_ORIGINS}/api/v3/fetch/${job.request_id}`;
    const answer = await (await fetch(url, { method: "POST", body: "{}" })).json();
    await this.#sameCommit();
    this.ctx.storage.kv.put(key, { ...job, answer });
    const { request_id } = job;
    const event = JSON.stringify({ type: "job.succeeded", data: { request_id, provider: answer } });
    await (await fetch(job.callback_url, { method: "POST", body: event })).text();
    await this.#sameCommit();
    this.ctx.storage.kv.delete(key);
  }

  /** All who ask within a millisecond go on in the same turn, and what they then write is one transaction. */
  #sameCommit(): Promise<void> {
    this.#together ??= scheduler.wait(TOGETHER_MS).then(() => {
      this.#together = null;
    });
    return this.#together;
  }

  #earliest(): number | null {
    const [first] = this.ctx.storage.kv.list({ limit: 1 });
    return first ? Number(first[0].slice(0, DIGITS)) : null;
  }
}

const keyOf = (dueAt: number, id: string): string => `${String(dueAt).padStart(DIGITS, "0")} ${id}`;

export default {
  async fetch(request, env) {
    if (request.method !== "POST") return Response.json({ status: "ok" });
    const job = await request.json<FloorJob>();
    await env.JOB.getByName(String(Number(job.request_id) % OBJECTS)).register(job);
    return Response.json({ id: job.request_id }, { status: 202 });
  },
} satisfies ExportedHandler<FloorEnv>;
