/**
 * Attacks the wall of the network: with the Worker's own rules off, callbacks and providers are named that are not
 * public, once to a node that may reach them, which shows that there is something to reach, and once to a node as
 * `npm run build` makes it unless it is told otherwise.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../demo/process-group.ts";
import { PollhookNode } from "../node.ts";
import { LOOPBACK_HOSTS, PRIVATE_HOSTS } from "./hosts.ts";
import { Trap } from "./trap.ts";

/** Attempts follow each other after 5 s, polls after 2 s: the rest is room for a busy machine. */
const TWICE_LIMIT_MS = 150_000;
const LOOK_EVERY_MS = 200;

export interface SeenJob {
  readonly status: string;
  readonly outcome: string | null;
  readonly attempts: number;
  readonly polls: number;
  readonly next_attempt_at: string | null;
  readonly next_poll_at: string | null;
  readonly timeline: readonly {
    readonly at: string;
    readonly type: string;
    readonly result?: string;
    readonly reason?: string;
  }[];
}

/** What became of one job whose callback, or whose provider, is at such a host. */
export interface Aimed {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly as: "callback" | "provider";
  /** How often the node that may reach it did so. */
  readonly whenAllowed: number;
  /** How often the node that may not did. */
  readonly connections: number;
  /** How often that one's log says that it was not allowed to. */
  readonly refusals: number;
  readonly job: SeenJob;
}

export interface WallsResult {
  /** Of the loopback; only hosts by which this machine reaches itself. */
  readonly loopback: readonly Aimed[];
  /** Private addresses; none was tried where the wall does not hold before the loopback. */
  readonly elsewhere: readonly Omit<Aimed, "whenAllowed" | "connections">[];
  /** Hosts that lead nowhere on this machine. */
  readonly leftOut: readonly string[];
}

/** What the timeline has of its attempts, or its polls: those that have come to their end. */
export const triesOf = ({ as }: Pick<Aimed, "as">, { timeline }: SeenJob): SeenJob["timeline"] =>
  timeline.filter(({ type }) => type === (as === "callback" ? "attempt" : "poll"));

interface Aim {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly as: "callback" | "provider";
  readonly port: number;
  /** A tenant of its own: one host's failures are not to hold up another's job. */
  readonly tenant: string;
}

export interface WallsOptions {
  readonly loopback?: readonly string[];
  readonly elsewhere?: readonly string[];
}

/** Rejects where a node does not start, or does not get as far as a second attempt in time. */
export async function attackWalls(options: WallsOptions = {}): Promise<WallsResult> {
  const { loopback = LOOPBACK_HOSTS, elsewhere = PRIVATE_HOSTS } = options;
  const traps = new Map<Aim, Trap>();
  const leftOut: string[] = [];
  const nodes: PollhookNode[] = [];
  try {
    for (const host of loopback)
      for (const scheme of ["http", "https"] as const)
        for (const as of ["callback", "provider"] as const) {
          const trap = await Trap.open();
          const aim = { scheme, host, as, port: trap.port, tenant: `t${traps.size}` };
          traps.set(aim, trap);
          if (await trap.isReachedBy(host)) continue;
          traps.delete(aim);
          await trap.close();
          leftOut.push(host);
        }
    const beyond = await Promise.all(
      elsewhere.map(
        async (host, index): Promise<Aim> => ({
          scheme: "http",
          host,
          as: "callback",
          port: await freePort(),
          tenant: `e${index}`,
        }),
      ),
    );
    const aims = [...traps.keys()];
    const [open, walled] = await Promise.all([
      nodeFor(aims, ["public", "private"]),
      nodeFor(aims, ["public"]),
    ]);
    nodes.push(open.node, walled.node);
    for (const trap of traps.values()) trap.forget();
    await runNode(open, aims, 1);
    const reached = aims.map((aim) => traps.get(aim)?.connections ?? 0);
    for (const trap of traps.values()) trap.forget();
    const { jobs, refusals, more } = await runNode(walled, aims, 2, () =>
      [...traps.values()].every(({ connections }) => connections === 0) ? beyond : [],
    );
    return {
      loopback: aims.map((aim, index) => ({
        ...aim,
        whenAllowed: reached[index] ?? 0,
        connections: traps.get(aim)?.connections ?? 0,
        refusals: refusals(aim),
        job: jobs[index] as SeenJob,
      })),
      elsewhere: more.map(({ aim, job }) => ({ ...aim, refusals: refusals(aim), job })),
      leftOut: [...new Set(leftOut)],
    };
  } finally {
    for (const node of nodes) await node.tearDown();
    for (const trap of traps.values()) await trap.close();
  }
}

interface Ran {
  /** In the order of the aims. */
  readonly jobs: readonly SeenJob[];
  readonly more: readonly { readonly aim: Aim; readonly job: SeenJob }[];
  refusals(aim: Aim): number;
}

interface Built {
  readonly node: PollhookNode;
  /** What it has logged so far. */
  readonly lines: readonly string[];
}

async function nodeFor(aims: readonly Aim[], allow: readonly string[]): Promise<Built> {
  const lines: string[] = [];
  const PROVIDER_ORIGINS = aims
    .filter(({ as }) => as === "provider")
    .map(originOf)
    .join(",");
  const onLog = (line: string) => lines.push(line);
  return { node: await PollhookNode.create({ vars: { PROVIDER_ORIGINS }, allow, onLog }), lines };
}

/** Has the node poll and call what is aimed at, so often, and then, once, whatever `andThen` says. */
async function runNode(
  { node, lines }: Built,
  aims: readonly Aim[],
  times: number,
  andThen: () => readonly Aim[] = () => [],
): Promise<Ran> {
  await node.start();
  const jobs = await jobsOf(node, aims, times);
  const next = andThen();
  const more = (await jobsOf(node, next, 1)).map((job, index) => ({ aim: next[index] as Aim, job }));
  await node.stop();
  return {
    jobs,
    more,
    refusals: ({ port }) => lines.filter((line) => line.includes(`:${port} is not allowed`)).length,
  };
}

/** What became of a job for each aim, once it has tried so often or is over. */
const jobsOf = (node: PollhookNode, aims: readonly Aim[], times: number): Promise<SeenJob[]> =>
  Promise.all(
    aims.map(async (aim) => {
      const token = await node.token(aim.tenant);
      const path = await register(node, token, aim);
      for (const limit = Date.now() + TWICE_LIMIT_MS; ; await sleep(LOOK_EVERY_MS)) {
        const job = (await (await node.call(token, "GET", path)).json()) as SeenJob;
        const isOver = job.status !== "waiting" && job.status !== "delivering";
        if (isOver || triesOf(aim, job).length >= times) return job;
        if (Date.now() > limit) throw new Error(`${originOf(aim)} was not tried ${times} times.`);
      }
    }),
  );

async function register(node: PollhookNode, token: string, aim: Aim): Promise<string> {
  const answer = await node.call(token, "POST", "/v1/jobs", {
    ...(aim.as === "callback"
      ? {
          // It is over already: all that is left to do is to deliver it.
          endpoint: "v3",
          response: { status: "success", id: aim.port, output: ["https://example.com/a.png"] },
          callback_url: `${originOf(aim)}/hook`,
        }
      : { fetch_url: `${originOf(aim)}/api/v3/fetch/${aim.port}`, eta: 1 }),
  });
  if (answer.status !== 202) throw new Error(`${originOf(aim)}: ${answer.status} ${await answer.text()}`);
  const { id } = (await answer.json()) as { id: string };
  return `/v1/jobs/${id}`;
}

const originOf = ({ scheme, host, port }: Aim): string => `${scheme}://${host}:${port}`;
