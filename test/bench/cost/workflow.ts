/**
 * The same job as a Cloudflare Workflow, as its documentation would have it written: sleep, poll in a step, sleep again,
 * deliver in a step that the platform retries. No index, no flow control, no signature.
 */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";

export interface PollParams {
  readonly fetchUrl: string;
  readonly callbackUrl: string;
  readonly etaSeconds: number;
}

interface Answer {
  readonly status: string;
  readonly output?: readonly string[];
}

const GAP_SECONDS = 5;
/** As many attempts as Pollhook makes; a step knows no table of waits. */
const RETRIES = { limit: 9, delay: "5 seconds", backoff: "exponential" } as const;

export class PollWorkflow extends WorkflowEntrypoint<unknown, PollParams> {
  override async run({ payload }: WorkflowEvent<PollParams>, step: WorkflowStep): Promise<void> {
    await step.sleep("eta", payload.etaSeconds * 1_000);
    let answer = await step.do("poll 1", () => poll(payload.fetchUrl));
    for (let n = 2; answer.status === "processing"; n++) {
      await step.sleep(`gap ${n}`, GAP_SECONDS * 1_000);
      answer = await step.do(`poll ${n}`, () => poll(payload.fetchUrl));
    }
    await step.do("deliver", { retries: RETRIES }, () => deliver(payload.callbackUrl, answer));
  }
}

async function poll(url: string): Promise<Answer> {
  const body = JSON.stringify({ key: "sk-cost" });
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return response.json();
}

async function deliver(url: string, answer: Answer): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(answer),
  });
  if (!response.ok) throw new Error(`The callback answered ${response.status}.`);
  return response.status;
}

interface Env {
  readonly POLL: Workflow<PollParams>;
}

export default {
  /** Registers a job: its id in the path, its parameters in the body. */
  async fetch(request: Request, env: Env): Promise<Response> {
    const id = new URL(request.url).pathname.slice(1);
    await env.POLL.create({ id, params: await request.json<PollParams>() });
    return new Response(null, { status: 202 });
  },
};
