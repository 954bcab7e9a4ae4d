/**
 * The network's wall, as a part of results.md: who was reached, and what did not hold.
 */
import { markdownTable } from "../../report/markdown.ts";
import type { Section } from "../../report/section.ts";
import { type Aimed, attackWalls, triesOf, type WallsResult } from "./attack.ts";

/** The second attempt comes 5 s after the first, the third 5 min after that, each ±20 %. */
const LEAST_GAP_MS = 4_000;
const NEXT_MS = { least: 240_000, most: 360_000 };

export async function wallsSection(): Promise<Section> {
  const result = await attackWalls();
  const { leftOut, elsewhere } = result;
  const hosts = [...new Set(result.loopback.map(({ host }) => host))];
  const rows = hosts.map((host) => {
    const aimed = result.loopback.filter((one) => one.host === host);
    const sum = (count: (one: Aimed) => number) => aimed.reduce((total, one) => total + count(one), 0);
    return [
      `\`${host}\``,
      sum(({ whenAllowed }) => whenAllowed),
      sum(({ connections }) => connections),
      sum(({ job }) => job.attempts),
      sum(({ job }) => job.polls),
      sum(({ refusals }) => refusals),
    ];
  });
  const body = `With \`ALLOW_PRIVATE_TARGETS=true\` the Worker's own rules are off, and only workerd's network is left. Each host is
named in an \`http\` and in an \`https\` callback, and as such a provider; a server counts whoever connects. First a node runs
that was built with \`--allow public,private\`, so that it is seen that there is somebody to reach, then one as
\`npm run build\` makes it.

${markdownTable([["host", "connections, if allowed", "connections", "attempts", "polls", "refused by workerd"], ...rows])}

${leftOut.length > 0 ? `By ${leftOut.map((host) => `\`${host}\``).join(", ")} this machine does not reach itself.\n` : ""}
Nobody listens at ${elsewhere.map(({ host }) => `\`${host}\``).join(", ") || "private addresses"}: of ${elsewhere.reduce((total, { job }) => total + job.attempts, 0)} attempts workerd itself
refused ${elsewhere.reduce((total, { refusals }) => total + refusals, 0)}, before any left.`;
  return {
    title: "The network refuses what is not public",
    body,
    plots: [],
    failures: wallFaults(result),
  };
}

/** What did not hold, a line each. */
export function wallFaults({ loopback, elsewhere }: WallsResult): string[] {
  const faults: string[] = [];
  if (loopback.length === 0) faults.push("there was nobody to reach");
  for (const one of loopback) {
    const { scheme, host, as, whenAllowed, connections } = one;
    const where = `${scheme} ${as} at ${host}`;
    if (whenAllowed === 0) faults.push(`${where}: not reached where it may be, so that nothing is proven`);
    if (connections > 0) faults.push(`${where}: reached ${connections} times`);
  }
  if (elsewhere.length === 0) faults.push("no private address was tried, as the loopback was reached");
  for (const one of [...loopback, ...elsewhere]) {
    const { scheme, host, as, refusals, job } = one;
    const tries = triesOf(one, job);
    const lines = tries.flatMap(({ result, reason }) =>
      result === (as === "callback" ? "failed" : "transient") && reason === "network"
        ? []
        : [`a try is "${result}", "${reason}"`],
    );
    if (tries.length === 0 || refusals < tries.length)
      lines.push(`${tries.length} tries, ${refusals} refused by workerd`);
    faults.push(...lines.map((line) => `${scheme} ${as} at ${host}: ${line}`));
  }
  for (const one of loopback) {
    const lines = one.as === "callback" ? deliveryFaults(one) : pollingFaults(one);
    faults.push(...lines.map((line) => `${one.scheme} ${one.as} at ${one.host}: ${line}`));
  }
  return faults;
}

/** A refused attempt is made again when it is due. */
function deliveryFaults(one: Aimed): string[] {
  const { status, outcome, attempts, next_attempt_at } = one.job;
  const [first, second] = triesOf(one, one.job).map(({ at }) => Date.parse(at));
  if (first === undefined || second === undefined) return ["not attempted again"];
  const faults: string[] = [];
  if (status !== "delivering" || outcome !== "succeeded") faults.push(`the job is ${status}, ${outcome}`);
  if (second - first < LEAST_GAP_MS) faults.push(`attempted again after ${second - first} ms`);
  const wait = Date.parse(next_attempt_at ?? "") - second;
  if (attempts === 2 && !(wait >= NEXT_MS.least && wait <= NEXT_MS.most))
    faults.push(`the third attempt comes after ${wait} ms`);
  return faults;
}

/** A refused poll leaves the job as it is, and is made again. */
function pollingFaults(one: Aimed): string[] {
  const { status, outcome, next_poll_at } = one.job;
  const [first, ...others] = triesOf(one, one.job).map(({ at }) => Date.parse(at));
  const last = others.at(-1);
  if (first === undefined || last === undefined) return ["not polled again"];
  const faults: string[] = [];
  if (status !== "waiting" || outcome !== null) faults.push(`the job is ${status}, ${outcome}`);
  if (!(Date.parse(next_poll_at ?? "") > last)) faults.push("no further poll is due");
  return faults;
}
