/**
 * What it costs to watch a job, next to one that nobody watches: how long its object is at work on anything, and how
 * many requests reach it. Each job succeeds at its first poll, a minute after its registration: `npm run bench:watch`.
 */
import { exports } from "cloudflare:workers";
import { afterAll, it } from "vitest";
import { call, ORIGIN, pollIn, registration, token } from "../support/api.ts";
import { covered } from "../support/covered.ts";
import { success } from "../support/life.ts";
import { Meter } from "../support/meter.ts";
import { ScriptedFetch, status } from "../support/scripted-fetch.ts";

const POLLED_AFTER_MS = 60_000;
const HOOK = "https://watched.example/hook";

const fetched = new ScriptedFetch();
fetched.always(HOOK, status(204));
afterAll(() => fetched.restore());

async function newJob(): Promise<string> {
  const body = registration({ callback_url: HOOK });
  fetched.on(`https://modelslab.com/api/v3/fetch/${body.request_id}`, success);
  const { id } = (await call("POST", "/v1/jobs", { body })).body;
  await pollIn(id, POLLED_AFTER_MS);
  return id;
}

const WATCHERS: Readonly<Record<string, (id: string) => Promise<void>>> = {
  nobody: async () => scheduler.wait(POLLED_AFTER_MS + 8_000),
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
  const meter = await Meter.start();
  const rows = await Promise.all(
    Object.entries(WATCHERS).map(async ([who, watch]) => {
      const id = await newJob();
      await watch(id);
      await scheduler.wait(1_000);
      const work = meter.visits.filter(({ object }) => object === id);
      const busyMs = covered(work.map(({ from, to }) => [from, to ?? from]));
      return `| ${who} | ${(busyMs / 1_000).toFixed(2)} s | ${work.length} |`;
    }),
  );
  meter.stop();
  console.log(
    ["| watched by | object at work | requests to it |", "| --- | --- | --- |", ...rows].join("\n"),
  );
});
