/**
 * The floor of the throughput bench: what one object per job costs on this runtime before anything is done well. One
 * `put` and one `setAlarm` a registration; the alarm polls, puts, POSTs, deletes. No auth, no checks, no retries.
 */
import { DurableObject } from "cloudflare:workers";

interface FloorEnv {
  readonly JOB: DurableObjectNamespace<Floor>;
  readonly PROVIDER_ORIGINS: string;
}

interface FloorJob {
  readonly request_id: string;
  readonly eta: number;
  readonly callback_url: string;
}

export class Floor extends DurableObject<FloorEnv> {
  register(job: FloorJob): void {
    this.ctx.storage.put("job", job);
    this.ctx.storage.setAlarm(Date.now() + job.eta * 1000);
  }

  override async alarm(): Promise<void> {
    const job = await this.ctx.storage.get<FloorJob>("job");
    if (!job) return;
    const url = `${this.env.PROVIDER_ORIGINS}/api/v3/fetch/${job.request_id}`;
    const answer = await (await fetch(url, { method: "POST", body: "{}" })).json();
    this.ctx.storage.put("job", { ...job, answer });
    const { request_id } = job;
    const event = JSON.stringify({ type: "job.succeeded", data: { request_id, provider: answer } });
    await (await fetch(job.callback_url, { method: "POST", body: event })).text();
    this.ctx.storage.delete("job");
  }
}

export default {
  async fetch(request, env) {
    if (request.method !== "POST") return Response.json({ status: "ok" });
    const job = await request.json<FloorJob>();
    await env.JOB.getByName(job.request_id).register(job);
    return Response.json({ id: job.request_id }, { status: 202 });
  },
} satisfies ExportedHandler<FloorEnv>;
