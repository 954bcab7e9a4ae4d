/**
 * One trial is one job that meets one bad answer, at its provider or at its receiver. This file makes and follows them;
 * `judging.ts` says what came of them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type BadAnswer, isHeavy, send, whole } from "./catalogue/bad-answer.ts";
import { type Field, GOOD_ANSWER, OVER, type SeenJob } from "./field.ts";
import type { RawServer } from "./raw-server.ts";

export interface Trial {
  readonly answer: BadAnswer;
  readonly role: "provider" | "receiver";
  /** The bad answer is given again and again. */
  readonly isStubborn: boolean;
  readonly server: RawServer;
  readonly requestId: number;
  /** Of the provider. */
  readonly key: string;
}

export interface Followed extends Trial {
  readonly jobId: string;
  /** As it was last seen: settled, unless the time was over. */
  readonly job: SeenJob;
  readonly isSettled: boolean;
}

const DEADLINE_SECONDS = 90;
const LEAST_DEADLINE_SECONDS = 30;
/** A large event holds it twice: more than both sockets hold. */
const LARGE_OUTPUT_CHARS = 7_500_000;
const LOOK_EVERY_MS = 1_000;
const CALLS_AT_ONE_TIME = 16;

const ACCEPTED = "HTTP/1.1 204 No Content\r\n\r\n";

export async function prepare(
  field: Field,
  answer: BadAnswer,
  role: Trial["role"],
  { isStubborn = false } = {},
): Promise<Trial> {
  const good = role === "provider" ? whole(GOOD_ANSWER) : send(ACCEPTED);
  const isEnd = role === "provider" && ["failed", "succeeded"].includes(answer.provider?.kind ?? "");
  const isRepeated = isStubborn || (isEnd && isHeavy(answer));
  const server = await field.open((number) => (number === 0 || isRepeated ? answer : { script: good }));
  const requestId = field.newId();
  return { answer, role, isStubborn, server, requestId, key: answer.key ?? `key-of-peer-${requestId}` };
}

export interface Following {
  readonly limitMs: number;
  /** Trials under way. */
  readonly atOneTime: number;
  /** Also for what comes only at a deadline. */
  readonly mayWait: boolean;
}

/** Registers all and follows each until it is settled, or the time is over. */
export async function follow(
  field: Field,
  trials: readonly Trial[],
  { limitMs, atOneTime, mayWait }: Following,
): Promise<Followed[]> {
  const limit = Date.now() + limitMs;
  const [places, calls] = [new Turns(atOneTime), new Turns(CALLS_AT_ONE_TIME)];
  const followOne = async (trial: Trial): Promise<Followed> => {
    const jobId = await calls.take(() => field.register(registration(field, trial)));
    for (;;) {
      await sleep(LOOK_EVERY_MS);
      const job = await calls.take(() => field.job(jobId));
      const isOver = isSettled(trial, job, mayWait);
      if (isOver || Date.now() > limit) return { ...trial, jobId, job, isSettled: isOver };
    }
  };
  return Promise.all(trials.map((trial) => places.take(() => followOne(trial))));
}

function registration(
  field: Field,
  { answer, role, isStubborn, server, requestId, key }: Trial,
): Record<string, unknown> {
  if (role === "provider") {
    const isBrief = isStubborn || answer.provider?.kind === "at the deadline";
    return {
      fetch_url: `${server.origin}/api/v3/fetch/${requestId}`,
      callback_url: field.receiver.hookUrl(String(requestId)),
      key,
      eta: 1,
      deadline_seconds: isBrief ? LEAST_DEADLINE_SECONDS : DEADLINE_SECONDS,
    };
  }
  const callback = { callback_url: `${server.origin}/hook`, eta: 1, key };
  if (!answer.hasLargeEvent)
    return { ...callback, endpoint: "v3", response: { status: "success", id: requestId, output: ["a"] } };
  field.answers.set(String(requestId), `{"status":"success","output":"${"Q".repeat(LARGE_OUTPUT_CHARS)}"}`);
  return { ...callback, fetch_url: `${field.provider.origin}/api/v3/fetch/${requestId}` };
}

function isSettled({ answer, role, isStubborn }: Trial, job: SeenJob, mayWait: boolean): boolean {
  if (OVER.includes(job.status)) return true;
  if (role === "receiver")
    return answer.receiver?.kind === "in a day" && job.timeline.some(({ type }) => type === "attempt");
  return !mayWait && !isStubborn && answer.provider?.kind === "at the deadline" && job.polls > 0;
}

/** So many at one time; the others wait in line. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(free: number) {
    this.#free = free;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
