/**
 * What is kept of one generation call: that it was made, what came of it, and the job that is to be registered from
 * it. The call's body is not kept, and neither is any key but a sealed one. Fields are only ever added.
 */
import { dropChunks, readChunks, writeChunks } from "../chunks.ts";
import type { Registration } from "../job/registering.ts";
import type { CallFault } from "../provider/client.ts";

/** What came of the call; an answer's body is stored beside the record. */
export type Outcome =
  | { readonly kind: "answer"; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | {
      readonly kind: "fault";
      readonly fault: CallFault;
      readonly headers: Readonly<Record<string, string>>;
    };

export interface GenerationRecord {
  readonly version: 1;
  /** SHA-256 over path and body, without the token: tells a repetition from another call under the same key. */
  readonly digest: string;
  /** Whether an `Idempotency-Key` was given, and the outcome is kept for repetitions. */
  readonly repeatable: boolean;
  /** Epoch ms. */
  readonly startedAt: number;
  /** `null` until the provider has answered; and for ever when the object died meanwhile. */
  readonly outcome: Outcome | null;
  /** Bytes of the stored body, and in how many rows. */
  readonly body: { readonly size: number; readonly chunks: number } | null;
  /** Still to be handed to the job's object. */
  readonly pending: Pending | null;
  readonly job: { readonly tenant: string; readonly id: string } | null;
  /** The provider has called the hint URL; the job is told when it is registered. */
  readonly hinted: boolean;
}

export interface Pending {
  /** Its final answer, if it has one, is the stored body. */
  readonly registration: Registration;
  readonly hasFinalAnswer: boolean;
  readonly tries: number;
  readonly nextTryAt: number;
}

const RECORD = "generation";
const BODY = "body/";

type Kv = DurableObjectStorage["kv"];

export class GenerationStore {
  readonly #kv: Kv;

  constructor(kv: Kv) {
    this.#kv = kv;
  }

  load(): GenerationRecord | null {
    return this.#kv.get<GenerationRecord>(RECORD) ?? null;
  }

  save(record: GenerationRecord): void {
    this.#kv.put(RECORD, record);
  }

  saveWithBody(record: GenerationRecord, body: Uint8Array): void {
    this.save({ ...record, body: { size: body.length, chunks: writeChunks(this.#kv, BODY, body) } });
  }

  /** The stored body; `null` when there is none, or not all of it. */
  readBody({ body }: GenerationRecord): Uint8Array | null {
    return body && readChunks(this.#kv, BODY, body.size);
  }

  /** Saves the record without the body that it had. */
  saveWithoutBody(record: GenerationRecord): void {
    dropChunks(this.#kv, BODY, 0, record.body?.chunks ?? 0);
    this.save({ ...record, body: null });
  }
}
