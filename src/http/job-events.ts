/**
 * `GET /v1/jobs/{id}/events`: what happens to a job, as server-sent events, for as long as it runs or somebody watches.
 * Each look asks the job's object anew, which holds it until something happens.
 */
import type { Claims } from "../crypto/token.ts";
import { isJobId } from "../job/ids.ts";
import { withJob } from "../job/placement.ts";
import type { ProgressEvent } from "../job/progress.ts";
import { tokenBound } from "./auth.ts";
import type { Call } from "./call.ts";
import { JOB_NOT_FOUND, type Problem, problem } from "./problem.ts";

/** So that nothing in between takes the connection for dead, a comment goes out after this. */
const HEARTBEAT_MS = 15_000;
/** Then the stream ends, and whoever wants more comes again. */
const STREAM_LIMIT_MS = 10 * 60_000;
const RETRY_SECONDS = 15;

const encoder = new TextEncoder();

export async function jobEvents({ request, env, jobId }: Call, claims: Claims): Promise<Response | Problem> {
  if (!isJobId(jobId)) return JOB_NOT_FOUND;
  const look = (after: string, waitMs: number) =>
    withJob(env, claims.sub, jobId, (job) =>
      job.progress(claims.sub, jobId, after, waitMs, { own: claims.own }),
    );
  let last = request.headers.get("last-event-id") ?? "";
  const first = await look(last, 0);
  if (first.kind === "not_found") return JOB_NOT_FOUND;
  if (first.kind === "other_owner") return tokenBound();
  if (first.isFull)
    return problem("unavailable", "As many watch this job as may; look at it instead.", {
      headers: { "retry-after": String(RETRY_SECONDS) },
    });
  const endAt = Date.now() + STREAM_LIMIT_MS;
  let next: typeof first | null = first;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const seen = next ?? (await look(last, HEARTBEAT_MS));
      next = null;
      // It was erased, or others have taken the place: whoever comes again learns more.
      if (seen.kind !== "progress" || seen.isFull) return controller.close();
      last = seen.events.at(-1)?.id ?? last;
      const text = seen.events.map((event) => written(event, claims)).join("");
      controller.enqueue(encoder.encode(text || ":\n\n"));
      if (seen.isOver || Date.now() >= endAt) controller.close();
    },
  });
  return new Response(stream, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}

/** What a receiver answered is not for a bounded token. */
function written({ id, type, data }: ProgressEvent, { own }: Claims): string {
  const shown = own === undefined ? data : { ...data, response: undefined };
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(shown)}\n\n`;
}
