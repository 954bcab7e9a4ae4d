/**
 * The same job on BullMQ, as a process beside a Redis server: the registration adds a delayed job, whose worker polls and
 * POSTs. It is told where Redis is in `REDIS_PORT`, where to listen in `PORT`, the provider in `PROVIDER_ORIGINS`. The
 * library is no dependency: `npm ci` refuses a lock file with it wherever the registry lacks one of its native parts.
 */
import { createServer } from "node:http";

/** What is used of the library. */
interface Bullmq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => { add(name: string, data: QueueJob, options: object): Promise<unknown> };
  readonly Worker: new (
    name: string,
    work: (job: { readonly data: QueueJob }) => Promise<void>,
    options: object,
  ) => unknown;
}

interface QueueJob {
  readonly request_id: string;
  readonly eta: number;
  readonly callback_url: string;
}

const NAME = "bench";
/** Jobs under way at one time: enough that none waits for another. */
const CONCURRENCY = 64;

const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT) };
const library: string = "bullmq";
const { Queue, Worker } = (await import(library)) as Bullmq;
const queue = new Queue(NAME, { connection });

new Worker(
  NAME,
  async ({ data: { request_id, callback_url } }) => {
    const url = `${process.env.PROVIDER_ORIGINS}/api/v3/fetch/${request_id}`;
    const provider = await (await fetch(url, { method: "POST", body: "{}" })).json();
    const event = JSON.stringify({ type: "job.succeeded", data: { request_id, provider } });
    await (await fetch(callback_url, { method: "POST", body: event })).text();
  },
  { connection, concurrency: CONCURRENCY },
);

const server = createServer((request, response) => {
  if (request.method !== "POST") {
    response.end(JSON.stringify({ status: "ok" }));
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("end", async () => {
    const job = JSON.parse(Buffer.concat(chunks).toString()) as QueueJob;
    const delay = Math.ceil(job.eta * 1000);
    await queue.add(NAME, job, { jobId: `job-${job.request_id}`, delay, removeOnComplete: true });
    response.statusCode = 202;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ id: job.request_id }));
  });
});
server.listen(Number(process.env.PORT), "127.0.0.1");
