/**
 * What it costs to watch a job, next to one that nobody watches: how long its object is at work on anything, and how
 * many requests reach it. Each job succeeds at its first poll, a minute after its registration: `npm run bench:watch`.
 */
import { env, exports } from "cloudflare:workers";
import { afterAll, it, vi } from "vitest";
import { Job } from "../../src/job/job.ts";
import { call, ORIGIN, registration, token } from "../support/api.ts";
import { success } from "../support/life.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

const ETA_SECONDS = 60;
const HOOK = "https://watched.example/hook";

type Span = readonly [from: number, to: number];
/** By object: when it was at work, and on what. */
const spans = new Map<string, { span: Span; method: string }[]>();

for (const method of ["register", "read", "progress", "alarm"] as const) {
  const original = Job.prototype[method] as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(Job.prototype, method).mockImplementation(async function (this: Job, ...args: unknown[]) {
    const name = (this as unknown as { ctx: DurableObjectState }).ctx.id.name ?? "";
    const from = Date.now();
    try {
      return (await original.apply(this, args)) as never;
    } finally {
      spans.set(name, [...(spans.get(name) ?? []), { span: [from, Date.now()], method }]);
    }
  });
}

/** The time that is covered by any of them. */
function covered(all: readonly Span[]): number {
  let [sum, end] = [0, 0];
  for (const [from, to] of [...all].sort(([a], [b]) => a - b)) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

const fetched = new ScriptedFetch();
fetched.always(HOOK, status(204));
afterAll(() => fetched.restore());

async function newJob(): Promise<string> {
  const body = registration({ callback_url: HOOK, eta: ETA_SECONDS });
  fetched.on(`https://modelslab.com/api/v3/fetch/${body.request_id}`, success);
  return (await call("POST", "/v1/jobs", { body })).body.id;
}

const WATCHERS: Readonly<Record<string, (id: string) => Promise<void>>> = {
  nobody: async () => scheduler.wait((ETA_SECONDS + 8) * 1_000),
  "GET …?wait=30, again and again": async (id) => {
    for (let isOver = false; !isOver; )
      isOver = (await call("GET", `/v1/jobs/${id}?wait=30`)).body.status === "delivered";
  },
  "GET …/events": async (id) => {
    const headers = { authorization: `Bearer ${await token()}` };
    const { body } = await exports.default.fetch(`${ORIGIN}/v1/jobs/${id}/events`, { headers });
    const reader = body?.getReader();
    while (!(await reader?.read())?.done);
  },
};

it("watches", async () => {
  const rows = await Promise.all(
    Object.entries(WATCHERS).map(async ([who, watch]) => {
      const id = await newJob();
      await watch(id);
      await scheduler.wait(1_000);
      const work = spans.get(env.JOB.getByName(id).name ?? "") ?? [];
      const busyMs = covered(work.map(({ span }) => span));
      return `| ${who} | ${(busyMs / 1_000).toFixed(2)} s | ${work.length} |`;
    }),
  );
  console.log(
    ["| watched by | object at work | requests to it |", "| --- | --- | --- |", ...rows].join("\n"),
  );
});
