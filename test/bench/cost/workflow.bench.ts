/**
 * The lives of the cost table as Workflow runs, on the platform's own engine as it runs locally, counted by the rules that
 * Cloudflare bills them by: `npm run bench:cost`.
 */
import { introspectWorkflowInstance } from "cloudflare:test";
import { env, exports, type WorkflowStep } from "cloudflare:workers";
import { afterAll, expect, it } from "vitest";
import { covered, type Span } from "../../support/covered.ts";
import { json, type Script, ScriptedFetch, status } from "../../support/scripted-fetch.ts";
import { SCENARIOS, type Scenario, type WorkflowCounts } from "./counts.ts";
import { type PollParams, PollWorkflow } from "./workflow.ts";

const FETCH = "https://modelslab.example/fetch";
const HOOK = "https://receiver.example/hook";
const ANSWER_MS = 200;

const { POLL } = env as unknown as { readonly POLL: Workflow<PollParams> };

interface Seen {
  readonly steps: Set<string>;
  readonly results: unknown[];
  readonly atWork: Span[];
  readonly waiting: Span[];
}
let seen: Seen;

/** Notes each step, by its name: one that is run again after a failure is the same. */
const run = PollWorkflow.prototype.run;
PollWorkflow.prototype.run = function (event, step) {
  // A stub: its methods are only there to be called.
  const steps = step as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
  const noted = Object.fromEntries(
    ["sleep", "do"].map((kind) => [
      kind,
      async (...args: readonly unknown[]) => {
        seen.steps.add(String(args[0]));
        const result = await steps[kind]?.(...args.map((arg) => (isBody(arg) ? () => timedCall(arg) : arg)));
        if (result !== undefined) seen.results.push(result);
        return result;
      },
    ]),
  );
  return run.call(this, event, noted as unknown as WorkflowStep);
};

type Body = () => Promise<unknown>;
const isBody = (arg: unknown): arg is Body => typeof arg === "function";

async function timedCall(body: Body): Promise<unknown> {
  const from = performance.now();
  try {
    return await body();
  } finally {
    seen.atWork.push([from, performance.now()]);
  }
}

const fetched = new ScriptedFetch();
afterAll(() => fetched.restore());

/** An answer that takes its time, which is no processor time. */
const slowly =
  (script: Script): Script =>
  async (sent, signal) => {
    const from = performance.now();
    await scheduler.wait(ANSWER_MS);
    seen.waiting.push([from, performance.now()]);
    return script(sent, signal);
  };

async function live({ name, polls, failedAttempts }: Scenario): Promise<WorkflowCounts> {
  seen = { steps: new Set(), results: [], atWork: [], waiting: [] };
  const sentBefore = fetched.sent.length;
  const times = (count: number, script: Script) => Array.from({ length: count }, () => slowly(script));
  fetched.on(FETCH, ...times(polls - 1, json({ status: "processing" })));
  fetched.on(FETCH, slowly(json({ status: "success", output: ["https://cdn.example/1.png"] })));
  fetched.on(HOOK, ...times(failedAttempts, status(503)), slowly(status(204)));
  const id = name.replaceAll(" ", "-");
  const instance = await introspectWorkflowInstance(POLL, id);
  const params: PollParams = { fetchUrl: FETCH, callbackUrl: HOOK, etaSeconds: 20 };
  const url = `https://workflow.example/${id}`;
  try {
    await instance.modify(async (modifier) => {
      await modifier.disableSleeps();
      await modifier.disableRetryDelays();
    });
    const registered = await exports.default.fetch(url, { method: "POST", body: JSON.stringify(params) });
    expect(registered.status).toBe(202);
    await instance.waitForStatus("complete");
  } finally {
    await instance.dispose();
  }
  expect(fetched.unexpected).toEqual([]);
  return {
    workerRequests: 1,
    invocations: 1,
    steps: seen.steps.size,
    cpuMs: covered(seen.atWork) - covered(seen.waiting),
    outbound: fetched.sent.length - sentBefore,
    storedBytes: JSON.stringify([params, seen.results]).length,
  };
}

it("counts", async ({ task }) => {
  const workflows: Record<string, WorkflowCounts> = {};
  // It has nothing that a watcher could be held by.
  for (const scenario of SCENARIOS) if (!scenario.isWatched) workflows[scenario.name] = await live(scenario);
  Object.assign(task.meta, { workflows });
});
