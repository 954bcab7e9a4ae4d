/**
 * The same job as a Cloudflare Workflow, for the throughput bench: sleep until the eta, poll, POST, each a durable step.
 */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";

interface WorkflowEnv {
  readonly CALLBACK: Workflow<WorkflowJob>;
  readonly PROVIDER_ORIGINS: string;
}

interface WorkflowJob {
  readonly request_id: string;
  readonly eta: number;
  readonly callback_url: string;
}

export class Callback extends WorkflowEntrypoint<WorkflowEnv, WorkflowJob> {
  override async run({ payload }: WorkflowEvent<WorkflowJob>, step: WorkflowStep): Promise<void> {
    const { request_id, eta, callback_url } = payload;
    if (eta > 0) await step.sleep("eta", Math.ceil(eta * 1000));
    const answer = await step.do("poll", async () => {
      const url = `${this.env.PROVIDER_ORIGINS}/api/v3/fetch/${request_id}`;
      return (await (await fetch(url, { method: "POST", body: "{}" })).json()) as { status: string };
    });
    await step.do("callback", async () => {
      const event = JSON.stringify({ type: "job.succeeded", data: { request_id, provider: answer } });
      await (await fetch(callback_url, { method: "POST", body: event })).text();
    });
  }
}

export default {
  async fetch(request, env) {
    if (request.method !== "POST") return Response.json({ status: "ok" });
    const job = await request.json<WorkflowJob>();
    const { id } = await env.CALLBACK.create({ id: job.request_id, params: job });
    return Response.json({ id }, { status: 202 });
  },
} satisfies ExportedHandler<WorkflowEnv>;
