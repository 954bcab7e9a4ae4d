/**
 * The crash part of `npm run chaos`: what came of the promises under SIGKILL, a full disk, a wrong clock and an outage.
 */
import { inspect } from "node:util";
import { markdownTable } from "../../report/markdown.ts";
import type { Section } from "../../report/section.ts";
import { type ClockTally, clockJumps } from "./clock.ts";
import { type DiskFullTally, diskFull } from "./disk-full.ts";
import { KINDS } from "./kinds.ts";
import { mainRun } from "./main-run.ts";
import { outage } from "./outage.ts";
import { newSeed } from "./random.ts";
import type { Tally } from "./tally.ts";

const HALF_OUTAGE_MS = 95_000;
const FULL_MS = 30_000;

/** `CHAOS_SEED` repeats what a run planned. */
export async function crashSection(): Promise<Section> {
  const seed = Number(process.env.CHAOS_SEED ?? newSeed());
  const main = { seed, killMostMs: 5_000, isQuick: false };
  const broken: string[] = [];
  /** A scenario that cannot be played to its end is a failure of its own, and spoils no other. */
  const played = <T>(name: string, play: (name: string) => Promise<T>): Promise<T | undefined> =>
    play(name).catch((error: unknown) => {
      broken.push(`${name} (seed ${seed}) could not be played to its end: ${inspect(error)}`);
      return undefined;
    });
  // The outage takes its time whatever else runs; of the others, no more at one time than there are cores.
  const [away, [shared, single], [full, clock, fullSingle]] = await Promise.all([
    played("provider and receivers away", (name) =>
      outage({ name, jobs: 500, seed, halfMs: HALF_OUTAGE_MS, killsAHalf: 6 }),
    ),
    (async () => [
      await played("8 objects a tenant", (name) =>
        mainRun({ ...main, name, shards: 8, jobs: 5_000, kills: 30, killsAtEnd: 4 }),
      ),
      await played("an object a job", (name) =>
        mainRun({ ...main, name, shards: 0, jobs: 600, kills: 8, killsAtEnd: 2 }),
      ),
    ])(),
    (async () =>
      [
        await played("disk full, 8 objects", (name) =>
          diskFull({ name, shards: 8, jobs: 400, seed, fullMs: FULL_MS }),
        ),
        await played("clock an hour ahead and back", (name) =>
          clockJumps({ name, shards: 8, jobs: 250, seed }),
        ),
        await played("disk full, an object a job", (name) =>
          diskFull({ name, shards: 0, jobs: 300, seed, fullMs: FULL_MS }),
        ),
      ] as const)(),
  ]);
  const ran = [shared, single, full, fullSingle, clock, away].filter((tally) => tally != null);
  return {
    title: "Crash",
    body: bodyOf(seed, ran, { full, clock }),
    plots: [],
    failures: [...broken, ...ran.flatMap(({ failures }) => failures)],
  };
}

interface Special {
  /** `null` where it cannot be played on this machine, `undefined` where it broke off. */
  readonly full: DiskFullTally | null | undefined;
  readonly clock: ClockTally | null | undefined;
}

function bodyOf(seed: number, ran: readonly Tally[], { full, clock }: Special): string {
  return [
    `Plain workerd on its disk, ended with SIGKILL at random moments and started again (seed ${seed}). Jobs of ${Object.keys(KINDS).length} kinds are ` +
      "registered meanwhile by callers who repeat what is not answered, cancel, redeliver, erase, and start anew. " +
      "Half-way through the first two runs a new master key is put in front: from then on the receivers verify with its " +
      "secrets alone, while tokens and sealed keys are the old one's. Each walk behind a kill reads every object on " +
      "disk, and looks for the alarm of each job.",
    eventTable(ran),
    "Due: jobs that ended with somebody to tell. Sent more than once: POSTs of an event that had come before, with the " +
      "same `webhook-id` and the same body, as far as no caller asked for them in the end. Left: jobs, and rows of " +
      "jobs, once retention was over; workerd keeps an empty file of 4 KiB for each object that there ever was.",
    endTable(ran),
    "Seen: jobs found on disk, over all walks. Hurried: sent again by their callers, as crashes had cost two attempts " +
      "and the third of the default schedule is five minutes away. The disk was full while some of the refused calls " +
      "were made; each was answered as a problem, 500 or 503.",
    full
      ? `A disk that is full: ${full.starts} What has failed goes on by itself once there is space, within about as long as it was full: that is how far apart the platform's repetitions have come by then.`
      : notRun("The disk", full, "no tmpfs may be mounted"),
    clock
      ? `The clock: ${clock.expired} jobs expired in the hour that was left out, each after one last poll. In the ${clock.backSeconds} s behind the jump back no request was polled more than ${clock.mostPolls} times, no event sent more than ${clock.mostPosts} times. Objects that live through a jump back stand still: in workerd, their time goes on only when the clock has caught up, so calls of them get no answer until the node is started again. ${clock.untimely} events came under a time that a receiver with the right clock would refuse.`
      : notRun("The clock", clock, "needs Linux and a C compiler, `cc`"),
    `Both sides away: ${HALF_OUTAGE_MS / 1000} s refused, ${HALF_OUTAGE_MS / 1000} s hanging. Afterwards nobody did anything; breakers probed.`,
  ].join("\n\n");
}

const notRun = (what: string, tally: null | undefined, why: string): string =>
  `${what}: ${tally === null ? `not run: ${why}` : "broke off"}.`;

const eventTable = (ran: readonly Tally[]): string =>
  markdownTable([
    [
      "scenario",
      "jobs",
      "kills",
      "registrations repeated",
      "events due",
      "arrived",
      "undelivered, listed",
      "lost",
      "sent more than once",
      "in two versions",
      "alarms missing",
      "left",
    ],
    ...ran.map((of) => [
      of.name,
      of.jobs,
      of.kills,
      of.repeated,
      of.expected,
      of.arrived,
      of.undelivered,
      of.lost,
      of.duplicates,
      of.different,
      of.alarmsMissing,
      of.left ?? "–",
    ]),
  ]);

const OUTCOMES = ["succeeded", "failed", "expired", "canceled", "gone"] as const;

const endTable = (ran: readonly Tally[]): string =>
  markdownTable([
    [
      "scenario",
      ...OUTCOMES.map((end) => (end === "gone" ? "erased" : end)),
      "no answer",
      "refused, 5xx",
      "hurried",
      "seen",
    ],
    ...ran.map((of) => [
      of.name,
      ...OUTCOMES.map((end) => of.ends[end] ?? 0),
      of.unanswered,
      of.refused,
      of.nudges,
      of.jobsSeen,
    ]),
  ]);
