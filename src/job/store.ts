/**
 * The only code that reads or writes a job's record. One row a job, keyed by its id, so that an object may host several;
 * an answer too large for the row goes into chunks of its own. What a call writes is written together or not at all,
 * and committed together with whatever else the turn writes.
 */
import { dropChunks, readChunks, writeChunks } from "../chunks.ts";
import type { Job, StoredAnswer } from "./record.ts";

/** Above this an answer leaves the job's row; below it, it costs no row of its own. */
export const INLINE_ANSWER_BYTES = 32 * 1024;

const JOB_PREFIX = "job/";
const ERASED_PREFIX = "erased/";
const answerPrefix = (id: string): string => `answer/${id}/`;

/** What is left of an erased job until its tenant's index has forgotten it. */
export interface Erased {
  readonly tenant: string;
  readonly registeredAt: number;
  readonly id: string;
}

type Storage = Pick<DurableObjectStorage, "kv" | "transactionSync">;

export class JobStore {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  load(id: string): Job | null {
    return this.#storage.kv.get<Job>(JOB_PREFIX + id) ?? null;
  }

  all(): Job[] {
    return [...this.#storage.kv.list<Job>({ prefix: JOB_PREFIX })].map(([, job]) => job);
  }

  /** Writes the job, its answer too if that is new; the job as it is loaded from now on. */
  save(job: Job): Job {
    const { answer } = job;
    let stored = job;
    const write = () => {
      stored = { ...job, answer: this.#storeAnswer(job) };
      this.#storage.kv.put(JOB_PREFIX + job.id, stored);
    };
    // One row is written together as it is.
    if (answer?.bytes && Math.max(answer.size - INLINE_ANSWER_BYTES, answer.chunks) > 0)
      this.#storage.transactionSync(write);
    else write();
    return stored;
  }

  /** Writes the job in place of one that had the same id, of which nothing is left. */
  replace(job: Job): Job {
    return this.#storage.transactionSync(() => {
      this.#erase(job.id);
      return this.save(job);
    });
  }

  /** The answer's bytes; `null` when there is none, or not all of it. */
  readAnswer(job: Job): Uint8Array | null {
    const { answer } = job;
    if (!answer || answer.bytes) return answer?.bytes ?? null;
    return readChunks(this.#storage.kv, answerPrefix(job.id), answer.size);
  }

  /** Removes the job, and notes under which key its tenant's index has it. */
  bury({ id, tenant, registeredAt, supersedes = [] }: Job): void {
    this.#storage.transactionSync(() => {
      this.#erase(id);
      for (const at of [...supersedes, registeredAt])
        this.#storage.kv.put(`${ERASED_PREFIX}${id}/${at}`, { tenant, registeredAt: at, id });
    });
  }

  /** Of erased jobs, that many at most. */
  erased(limit: number): Erased[] {
    return [...this.#storage.kv.list<Erased>({ prefix: ERASED_PREFIX, limit })].map(([, erased]) => erased);
  }

  /** Removes those notes. */
  unbury(erased: readonly Erased[]): void {
    for (const { id, registeredAt } of erased)
      this.#storage.kv.delete(`${ERASED_PREFIX}${id}/${registeredAt}`);
  }

  /** Removes the job. */
  drop(id: string): void {
    this.#storage.transactionSync(() => this.#erase(id));
  }

  /** Whether nothing is left here, of whatever job. */
  isEmpty(): boolean {
    for (const _ of this.#storage.kv.list({ limit: 1 })) return false;
    return true;
  }

  #erase(id: string): void {
    dropChunks(this.#storage.kv, answerPrefix(id), 0, this.load(id)?.answer?.chunks ?? 0);
    this.#storage.kv.delete(JOB_PREFIX + id);
  }

  #storeAnswer({ id, answer }: Job): StoredAnswer | null {
    if (!answer?.bytes) return answer;
    const { bytes, size } = answer;
    const { kv } = this.#storage;
    const chunks = size > INLINE_ANSWER_BYTES ? writeChunks(kv, answerPrefix(id), bytes) : 0;
    dropChunks(kv, answerPrefix(id), chunks, answer.chunks);
    // A view is stored with the whole buffer behind it: `slice` keeps just the answer.
    return { size, bytes: chunks > 0 ? null : bytes.slice(), chunks };
  }
}
