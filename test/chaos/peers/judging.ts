/**
 * Whether a job came out of its trial as the catalogue says: by its timeline, its event, and what its bad peer was sent.
 */
import type { Delivery } from "../../simulator/receiver.ts";
import { type AttemptEnd, type BadAnswer, isHeavy, type PollEnd } from "./catalogue/bad-answer.ts";
import { type Field, GOOD_ANSWER, type SeenJob } from "./field.ts";
import type { Followed } from "./trials.ts";

const DAY_MS = 86_400_000;
/** An attempt is over after 15 s, and 1 s of its body; the rest is room for a busy machine. */
const HELD_MS = 40_000;
/** Of a refusal, what the timeline keeps. */
const KEPT_CHARS = 256;
/** Of what a provider says, what the job's error keeps. */
const MESSAGE_CHARS = 1_000;

/** What did not hold, a sentence each. */
export function judge(field: Field, trial: Followed): string[] {
  const { answer, role, job, isSettled } = trial;
  const deliveries = field.receiver.deliveries(`/hook/${trial.requestId}`);
  const faultsBy = (answer: BadAnswer): string[] =>
    role === "provider"
      ? judgeProvider({ ...trial, answer }, deliveries)
      : judgeReceiver({ ...trial, answer });
  const first = faultsBy(answer);
  const faults = first.length > 0 && answer.raced ? faultsBy({ ...answer, ...answer.raced }) : first;
  const seen = `${job.status}, ${job.outcome}, ${stepsOf(job).join(" ")}`;
  return [...(isSettled ? [] : ["it is not settled in time"]), ...faults].map(
    (fault) =>
      `${role}, ${answer.group}, ${answer.name}${trial.isStubborn ? ", for ever" : ""}: ${fault} (${seen}).`,
  );
}

/** Polls and attempts in a word each. */
const stepsOf = ({ timeline }: SeenJob): string[] =>
  timeline.flatMap(({ type, reason, result }) => {
    const word = reason ?? result ?? "";
    if (type === "poll") return [word];
    return type === "attempt" ? [`attempt:${word}`] : [];
  });

interface Expected {
  /** In their order. */
  readonly steps: readonly string[];
  readonly outcome: string;
  readonly reason?: string;
  /** What the event holds of the provider; not looked at where it is not given. */
  readonly json?: string;
}

const GOOD = { outcome: "succeeded", json: GOOD_ANSWER };

function expectedOf(end: PollEnd): Expected {
  switch (end.kind) {
    case "again":
    case "at the deadline":
      return { ...GOOD, steps: [end.reason, "succeeded", "attempt:delivered"] };
    case "doubted":
      return { ...GOOD, steps: [end.result, "succeeded", "attempt:delivered"] };
    case "failed":
      return { steps: [end.reason, "attempt:delivered"], outcome: "failed", reason: end.reason };
    case "succeeded":
      return { steps: ["succeeded", "attempt:delivered"], outcome: "succeeded", json: end.json };
    default:
      return end satisfies never;
  }
}

function judgeProvider(trial: Followed, deliveries: readonly Delivery[]): string[] {
  const { answer, job, isStubborn } = trial;
  if (!answer.provider) return ["it says nothing of a provider"];
  if (isStubborn) return judgeStubborn(answer.provider, job, deliveries);
  if (answer.provider.kind === "at the deadline" && job.status === "waiting")
    return judgeWait(answer.provider, job);
  const { steps, outcome, reason, json } = expectedOf(answer.provider);
  const faults = judgeEvent(job, deliveries, isHeavy(answer));
  if (inTime(stepsOf(job), answer).join() !== steps.join()) faults.push(`expected ${steps.join(" ")}`);
  if (job.outcome !== outcome) faults.push(`expected ${outcome}`);
  if (reason !== undefined && job.error?.reason !== reason) faults.push(`expected the reason ${reason}`);
  if ((job.error?.message.length ?? 0) > MESSAGE_CHARS) faults.push("its message is too long");
  if (json !== undefined && !deliveries[0]?.body.includes(`"provider":${json},"error":`))
    faults.push("its event holds another answer than came");
  return faults;
}

/** Without what was given up for the time, on a machine that is busy. */
const inTime = (steps: readonly string[], answer: BadAnswer): readonly string[] =>
  isHeavy(answer) ? steps.filter((step) => step !== "timeout" && step !== "attempt:timeout") : steps;

/** Of one event, signed, with a body that anybody can read. */
function judgeEvent(job: SeenJob, deliveries: readonly Delivery[], mayRepeat = false): string[] {
  const [delivery] = deliveries;
  const isOften = new Set(deliveries.map(({ bodySha256 }) => bodySha256)).size > 1 || !mayRepeat;
  if (!delivery || (deliveries.length > 1 && isOften)) return [`${deliveries.length} deliveries`];
  const faults = delivery.verified ? [] : [`not signed: ${delivery.verifyError}`];
  if (delivery.headers["webhook-id"] !== job.event_id) faults.push("another event id");
  const { type } = JSON.parse(delivery.body) as { type: string };
  if (type !== `job.${job.outcome}`) faults.push(`an event of type ${type}`);
  return faults;
}

function judgeWait(end: PollEnd & { kind: "at the deadline" }, job: SeenJob): string[] {
  const faults = stepsOf(job).join() === end.reason ? [] : [`expected ${end.reason}`];
  if (job.next_poll_at !== job.deadline_at)
    faults.push(`it polls next at ${job.next_poll_at}, not at ${job.deadline_at}`);
  return faults;
}

/** Never anything else: the job ends with its deadline, and somebody hears of it. */
function judgeStubborn(end: PollEnd, job: SeenJob, deliveries: readonly Delivery[]): string[] {
  const faults = judgeEvent(job, deliveries);
  const polls = stepsOf(job).filter((step) => !step.startsWith("attempt:"));
  const word = end.kind === "doubted" ? end.result : end.kind === "again" ? end.reason : null;
  if (word === null || polls.length < 2 || polls.some((step) => step !== word && step !== "timeout"))
    faults.push(`expected ${word} at least twice`);
  if (job.outcome !== "expired") faults.push("expected expired");
  const lateMs = Date.parse(job.finished_at ?? "") - Date.parse(job.deadline_at);
  if (!(lateMs >= 0 && lateMs <= LATEST_MS)) faults.push(`it ended ${lateMs} ms behind its deadline`);
  return faults;
}

/** One last poll, and room for a busy machine. */
const LATEST_MS = 10_000 + 10_000;

function judgeReceiver(trial: Followed): string[] {
  const { answer, job } = trial;
  if (!answer.receiver) return ["it says nothing of a receiver"];
  const { steps, status, waitMs } = expectedAttempts(answer.receiver);
  // A large event is polled for first, as often as a busy machine needs.
  const attempts = stepsOf(job).filter((step) => step.startsWith("attempt:"));
  const faults = attempts.join() === steps.join() ? [] : [`expected ${steps.join(" ")}`];
  if (job.status !== status) faults.push(`expected ${status}`);
  if (waitMs !== null) {
    const at = Date.parse(job.next_attempt_at ?? "");
    if (!(at > Date.now() + waitMs - DAY_MS / 24 && at <= Date.now() + waitMs + 1_000))
      faults.push(`it attempts next at ${job.next_attempt_at}`);
  }
  for (const { response } of job.timeline)
    if ((response?.length ?? 0) > KEPT_CHARS) faults.push("it keeps too much of the answer");
  const begunAt = Date.parse(job.timeline.findLast(({ type }) => type === "attempt")?.at ?? "");
  if (job.delivered_at !== null && Date.parse(job.delivered_at) - begunAt > HELD_MS)
    faults.push("its last attempt held the job for too long");
  return [...faults, ...judgeRepetition(trial)];
}

/** Where it was read to its end, each attempt brought the same event. */
function judgeRepetition({ job, server: { requests } }: Followed): string[] {
  const faults: string[] = [];
  if (requests.some(({ headers }) => headers["webhook-id"] !== job.event_id)) faults.push("another event id");
  if (new Set(requests.map(({ bodySha256 }) => bodySha256)).size > 1) faults.push("another body");
  return faults;
}

function expectedAttempts(end: AttemptEnd): { steps: string[]; status: string; waitMs: number | null } {
  switch (end.kind) {
    case "delivered":
      return { steps: ["attempt:delivered"], status: "delivered", waitMs: null };
    case "again":
      return { steps: [`attempt:${end.reason}`, "attempt:delivered"], status: "delivered", waitMs: null };
    case "in a day":
      return { steps: ["attempt:http_error"], status: "delivering", waitMs: DAY_MS };
    case "gone":
      return { steps: ["attempt:gone"], status: "undelivered", waitMs: null };
    default:
      return end satisfies never;
  }
}
