/**
 * Generation calls, forwarded to a provider that answers badly. The caller gets an answer in the provider's shape within
 * the call's time limit, whatever came, and a callback where the provider took the call.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { BadAnswer, PollEnd } from "./catalogue/bad-answer.ts";
import { Field } from "./field.ts";
import type { RawServer } from "./raw-server.ts";

/** A generation call has 100 s. */
export const CALL_LIMIT_MS = 130_000;
const DELIVERY_LIMIT_MS = 60_000;
const AT_ONE_TIME = 24;
const LOOK_EVERY_MS = 100;

/**
 * Those that can be given to a call by what it says: once all of it has been read. A status of 407, handed on, is taken by
 * the `fetch` of this process for its own proxy's.
 */
export const forGenerations = (answers: readonly BadAnswer[]): BadAnswer[] =>
  answers.filter(
    ({ provider, at, key, name }) =>
      provider && at === undefined && key === undefined && !name.startsWith("407"),
  );

/** Those that leave the call open until its time is over, without keeping anybody busy. */
export const hanging = (answers: readonly BadAnswer[]): BadAnswer[] =>
  forGenerations(answers).filter(
    ({ isSlow, script }) =>
      isSlow && !script.some((step) => "drip" in step || ("repeat" in step && step.everyMs === undefined)),
  );

/** The provider's first origin: which answer it gives stands in the call's prompt. */
export const openGenerator = (field: Field, answers: readonly BadAnswer[]): Promise<RawServer> =>
  field.open((_, request) => {
    const [, prompt] = /"prompt":"(\d+)"/.exec(request?.body ?? "") ?? [];
    return { script: answers[Number(prompt)]?.script ?? [] };
  });

export interface GenerationsResult {
  readonly calls: number;
  /** By HTTP status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly callbacks: number;
  readonly slowestMs: number;
  readonly failures: readonly string[];
}

/** Calls once for each answer of the generator. */
export async function callGenerations(
  field: Field,
  answers: readonly BadAnswer[],
): Promise<GenerationsResult> {
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  let [callbacks, slowestMs, next] = [0, 0, 0];
  const worker = async (): Promise<void> => {
    for (let i = next++; i < answers.length; i = next++) {
      const answer = answers[i];
      if (!answer?.provider) continue;
      const called = await call(field, i).catch((error: unknown) => String(error));
      if (typeof called === "string") {
        failures.push(`Generation, ${answer.group}, ${answer.name}: ${called}`);
        continue;
      }
      statuses.set(called.status, (statuses.get(called.status) ?? 0) + 1);
      slowestMs = Math.max(slowestMs, called.ms);
      const faults = faultsOf(answer.provider, called);
      if (called.jobId !== null && (await isTold(field, called))) callbacks++;
      else if (called.jobId !== null || answer.provider.kind === "succeeded")
        faults.push("nobody is told of it");
      failures.push(
        ...faults.map(
          (fault) =>
            `Generation, ${answer.group}, ${answer.name}: ${fault} (${called.status} ${called.text.slice(0, 200)}).`,
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONE_TIME }, worker));
  return { calls: answers.length, statuses, callbacks, slowestMs, failures };
}

interface Called {
  readonly number: number;
  readonly providerKey: string;
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly json: Record<string, unknown> | null;
  readonly jobId: string | null;
  readonly hook: string;
  readonly ms: number;
}

async function call(field: Field, number: number): Promise<Called> {
  const hook = `generation-${number}`;
  const providerKey = `key-of-generation-${number}`;
  const startedAt = Date.now();
  const response = await field.call(
    "POST",
    "/api/v6/images/text2img",
    {
      key: field.token,
      provider_key: providerKey,
      prompt: String(number),
      webhook: field.receiver.hookUrl(hook),
      track_id: number,
    },
    CALL_LIMIT_MS,
  );
  const text = new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
  const json = objectOf(text);
  return {
    number,
    providerKey,
    status: response.status,
    type: response.headers.get("content-type") ?? "",
    text,
    json,
    jobId: typeof json?.job_id === "string" ? json.job_id : null,
    hook,
    ms: Date.now() - startedAt,
  };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** What a caller may not be answered. */
function faultsOf(end: PollEnd, { status, type, text, json, providerKey }: Called): string[] {
  const faults: string[] = [];
  if (!type.startsWith("application/json") || !json)
    faults.push("it is answered with something that is no JSON object");
  if (text.includes(providerKey)) faults.push("the key is in it");
  const isRefusal = json?.status === "error" && typeof json.message === "string";
  const wanted = unusable(end);
  if (wanted !== null && !(status === wanted && isRefusal)) faults.push(`expected ${wanted} and why`);
  // Handed on as it came.
  if (end.kind === "succeeded" && !text.startsWith(end.json.slice(0, -1)))
    faults.push("another answer than came");
  return faults;
}

/** The status for an answer that cannot be handed on; `null` for one that can, or may. */
function unusable(end: PollEnd): number | null {
  if (end.kind === "failed") return end.reason === "output_too_large" ? 502 : null;
  if (end.kind !== "again") return null;
  if (end.reason === "network" || end.reason === "redirect") return 502;
  return end.reason === "timeout" ? 504 : null;
}

/** Whether the callback gets an event of the job, which, where the answer was none yet, is asked for until its end. */
async function isTold(field: Field, { jobId, hook }: Called): Promise<boolean> {
  const limit = Date.now() + DELIVERY_LIMIT_MS;
  while (Date.now() < limit) {
    const deliveries = field.receiver.deliveries(`/hook/${hook}`);
    if (deliveries.some(({ verified, body }) => verified && body.includes('"output"'))) return jobId !== null;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}

/** Calls that never get an answer to their end, all at once on a node of their own. */
export async function callHanging(
  jobShards: string,
  answers: readonly BadAnswer[],
): Promise<GenerationsResult> {
  const field = await Field.create(jobShards);
  try {
    const generator = await openGenerator(field, answers);
    await field.start([generator.origin]);
    return await callGenerations(field, answers);
  } finally {
    await field.tearDown();
  }
}
