/**
 * The commands that a sequence is made of: something a caller does, a run of the alarm, a restart of the object. After
 * each of them everything is looked at.
 */
import fc from "fast-check";
import { type Act, acts, nameOf, perform } from "./acts.ts";
import { POLL_ANSWERS, POST_ANSWERS, type PollAnswerName, type PostAnswerName } from "./answers.ts";
import { checkAll, ensure } from "./checks.ts";
import { variablesOf } from "./deployment.ts";
import type { JobModel } from "./job-model.ts";
import type { Plan, World } from "./world.ts";

type Command = fc.AsyncCommand<JobModel, World>;

/** How often each kind of command was run. */
export type Counts = Record<string, number>;

const count = (counts: Counts, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

class ActCommand implements Command {
  readonly #act: Act;
  readonly #counts: Counts;
  constructor(act: Act, counts: Counts) {
    this.#act = act;
    this.#counts = counts;
  }
  check = (): boolean => true;
  async run(_: JobModel, world: World): Promise<void> {
    count(this.#counts, this.#act.what);
    await perform(this.#act, world);
    await checkAll(world);
  }
  toString = (): string => nameOf(this.#act);
}

/** `wake`: when the job is due. `alarm`: when the alarm stands. `now`: it comes whether that time has come or not. */
type When = "wake" | "alarm" | "now" | "deadline";

interface RunSpec extends Plan {
  readonly when: When;
  readonly lateMs: number;
  /** Of a job that is over, most runs are left out: there is more to be done to it than to wait for its purge. */
  readonly mayPurge: boolean;
  readonly times: number;
}

class RunCommand implements Command {
  readonly #spec: RunSpec;
  readonly #counts: Counts;
  constructor(spec: RunSpec, counts: Counts) {
    this.#spec = spec;
    this.#counts = counts;
  }
  check = ({ job }: Readonly<JobModel>): boolean =>
    job !== null && (job.endedAt === null || this.#spec.mayPurge);
  async run(model: JobModel, world: World): Promise<void> {
    for (let time = 0; time < this.#spec.times && (time === 0 || this.check(model)); time++) {
      await runAlarm(world, this.#spec, this.#counts);
      await checkAll(world);
    }
  }
  toString(): string {
    const { when, lateMs, times, poll, post, justBefore, during, dies } = this.#spec;
    const landing =
      during && `, while the ${during.request} is under way: ${during.acts.map(nameOf).join(", ")}`;
    const before = justBefore ? `, just before the post: ${nameOf(justBefore)}` : "";
    const late = lateMs > 0 ? ` ${lateMs} ms late` : "";
    const end = dies === null ? "" : `, dies in the ${dies}`;
    return `run(${when}${late}${times > 1 ? ` ${times} times` : ""}, poll: ${poll}, post: ${post}${before}${landing ?? ""}${end})`;
  }
}

class RestartCommand implements Command {
  readonly #masterKeys: readonly string[] | null;
  readonly #counts: Counts;
  /** `null`: with the variables that it has. */
  constructor(masterKeys: readonly string[] | null, counts: Counts) {
    this.#masterKeys = masterKeys;
    this.#counts = counts;
  }
  check = (): boolean => true;
  async run(model: JobModel, world: World): Promise<void> {
    const masterKeys = this.#masterKeys;
    const { host } = world.setting;
    const isRotation = masterKeys !== null;
    if (isRotation) model.masterKeys = masterKeys;
    count(this.#counts, isRotation ? "key rotation" : "eviction");
    await host.restart(variablesOf(model.masterKeys));
    await checkAll(world);
  }
  toString = (): string =>
    this.#masterKeys === null ? "evict" : `restart with ${this.#masterKeys.join(", ") || "no keys"}`;
}

/** Lets the alarm come, as the platform does: it is none any more while it runs, and stands again should the run die. */
async function runAlarm(world: World, spec: RunSpec, counts: Counts): Promise<void> {
  const { model } = world;
  const { host } = world.setting;
  const alarm = await host.storage((storage) => storage.getAlarm());
  ensure(alarm !== null, "a job that is there has an alarm", model.job);
  const isRetry = world.firedAt === alarm;
  const { status, deadlineAt = 0 } = model.job ?? {};
  const at = { wake: Math.max(world.wakeAt ?? 0, alarm), alarm, deadline: deadlineAt, now: 0 };
  world.moveTo(Math.max(Date.now(), at[spec.when]) + spec.lateMs);
  const now = Date.now();
  const isDue = world.wakeAt !== null && world.wakeAt <= now;
  const expected = model.beginRun(isDue, isRetry, now);
  count(counts, isDue ? (isRetry ? "run after a death" : "run") : "run with nothing due");
  await host.storage((storage) => storage.deleteAlarm());
  world.firedAt = null;
  world.plan = spec;
  world.requests = { poll: 0, post: 0 };
  const isAttempt = expected === "attempt" && status === "delivering";
  const justBefore = isAttempt ? spec.justBefore : null;
  const landed: Promise<void>[] = [];
  const ended = await host.alarm({ isRetry, retryCount: isRetry ? 1 : 0, scheduledTime: alarm }, () => {
    if (justBefore) landed.push(perform(justBefore, world));
  });
  await Promise.all(landed);
  world.plan = null;
  if (ended === "died") {
    count(counts, `death during a ${spec.dies}`);
    await standAgain(world, alarm);
  } else {
    await Promise.all(world.alsoRunning);
    if (isDue) model.endRun();
  }
  world.alsoRunning = [];
  world.throwFailure();
  countRequests(world, spec, counts);
  if (justBefore) count(counts, `${justBefore.what} just before a post`);
  checkRequests(world, expected, justBefore !== null);
  if (ended === "ended") await leavesNoHotLoop(world);
}

function countRequests({ requests }: World, { poll, post, during }: RunSpec, counts: Counts): void {
  if (requests.poll > 0) count(counts, `poll: ${poll}`);
  if (requests.post > 0) count(counts, `post: ${post}`);
  if (during && requests[during.request] > 0)
    for (const act of during.acts) count(counts, `${act.what} during a ${during.request}`);
}

/** What was due has been done, and nothing else. */
function checkRequests(
  { model, requests }: World,
  expected: "poll" | "attempt" | "nothing",
  isUnwanted: boolean,
): void {
  const { poll, post } = requests;
  ensure(poll === (expected === "poll" ? 1 : 0), `${expected} is what is due`, requests);
  if (isUnwanted)
    ensure(post === 0 || model.isWatched, "an attempt that is not wanted any more is not made", requests);
  else if (expected === "attempt") ensure(post === 1, "an attempt is due", requests);
  if (expected === "nothing") ensure(post === 0, "nothing is due", requests);
}

async function standAgain(world: World, alarm: number): Promise<void> {
  await world.setting.host.storage(async (storage) => {
    // One that was set meanwhile counts in its place; with everything that was stored, it goes too.
    if ((await storage.getAlarm()) !== null || [...storage.kv.list({ limit: 1 })].length === 0) return;
    await storage.setAlarm(alarm);
    world.firedAt = alarm;
  });
}

async function leavesNoHotLoop(world: World): Promise<void> {
  const alarm = await world.setting.host.storage((storage) => storage.getAlarm());
  ensure(alarm === null || alarm > Date.now(), "what a run leaves behind is not due at once", alarm);
}

const ENDS: readonly Act[] = [{ what: "cancel" }, { what: "redeliver", to: null }, { what: "erase" }];

const weighted = <T>(usual: readonly T[], others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight: 1 },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );

const names = <Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] =>
  Object.keys(table) as Name[];

const runs: fc.Arbitrary<RunSpec> = fc.record({
  when: weighted<When>(["wake"], ["wake", "alarm", "now", "deadline"]),
  lateMs: fc.constantFrom(0, 0, 0, 1, 5_000, 86_400_000),
  mayPurge: fc.constantFrom(true, false, false, false, false),
  times: fc.constantFrom(1, 1, 1, 1, 3, 11),
  poll: weighted<PollAnswerName>(["processing", "success"], names(POLL_ANSWERS)),
  post: weighted<PostAnswerName>(["200", "500"], names(POST_ANSWERS)),
  during: fc.option(
    fc.record({
      request: fc.constantFrom("poll" as const, "post" as const),
      acts: fc.array(acts, { minLength: 1, maxLength: 3 }),
    }),
    { freq: 2 },
  ),
  justBefore: fc.constantFrom(null, null, null, null, ...ENDS),
  dies: fc.constantFrom(null, null, null, null, "poll" as const, "post" as const),
});

const restarts = fc.constantFrom(
  null,
  null,
  null,
  null,
  ["k1"],
  ["k2", "k1"],
  ["k3", "k2", "k1"],
  ["k2"],
  [],
);

/** Sequences of commands; what is run is counted. */
export const sequences = (counts: Counts, replayPath?: string): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    [
      acts.map((act) => new ActCommand(act, counts)),
      acts.map((act) => new ActCommand(act, counts)),
      runs.map((spec) => new RunCommand(spec, counts)),
      runs.map((spec) => new RunCommand(spec, counts)),
      runs.map((spec) => new RunCommand(spec, counts)),
      runs.map((spec) => new RunCommand(spec, counts)),
      restarts.map((masterKeys) => new RestartCommand(masterKeys, counts)),
    ],
    { maxCommands: 20, size: "max", ...(replayPath && { replayPath }) },
  );
