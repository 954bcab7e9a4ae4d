/**
 * What may be called changes after a job was registered: its destination moves or goes while an attempt is under way, the
 * server learns its public name, local targets are forbidden again. Each attempt is judged by what is true when it is made,
 * and a redelivery to a callback that may be called repairs what was refused.
 */
import { type Receiver, startReceiver } from "../../simulator/receiver.ts";
import type { PollhookNode } from "../node.ts";
import { HeldReceiver } from "./held-receiver.ts";

const TENANT = "changes";
const LIMIT_MS = 90_000;
/** May be called by nobody, whatever the server allows. */
const NEVER = [
  "ftp://127.0.0.1/hook",
  "https://user:secret@example.com/",
  "hook",
  `https://example.com/${"a".repeat(2_048)}`,
];
const LOCAL = [
  "http://127.0.0.1:8080/hook",
  "https://10.0.0.1/",
  "https://[::ffff:127.0.0.1]/",
  "https://hook.localhost/",
];
/** Nobody listens there. */
const NO_PROVIDER = "https://127.0.0.1:9";

interface Job {
  readonly id: string;
  readonly status: string;
  readonly callback_url: string | null;
  readonly attempts: number;
  readonly delivery_error: { readonly reason: string } | null;
  readonly timeline: readonly { readonly type: string; readonly result?: string; readonly reason?: string }[];
}

export interface Changes {
  /** What was asked, each a change or an attempt to make one. */
  readonly checks: number;
  readonly complaints: readonly string[];
}

/** Starts the node, and leaves it running; with `restarts`, it is killed and started again under other variables. */
export async function tryChanges(node: PollhookNode, { restarts }: { restarts: boolean }): Promise<Changes> {
  const [held, good] = [await HeldReceiver.start(), await startReceiver()];
  try {
    const run = new Run(node, held, good);
    await run.start({});
    await Promise.all([run.movesInFlight(), run.isDeletedInFlight(), run.isRegisteredAgainInFlight()]);
    if (restarts) await afterRestarts(run, held);
    return { checks: run.checks, complaints: run.complaints };
  } finally {
    await Promise.all([held.close(), good.close()]);
  }
}

/** Attempts are under way when the node is killed; the next ones are made under other rules. */
async function afterRestarts(run: Run, held: HeldReceiver): Promise<void> {
  const own = await run.underWay("/hook/own");
  await run.start({ PUBLIC_URL: held.origin });
  await run.becameOwnHost(own, "/hook/own");
  await run.start({});
  const plain = await run.underWay("/hook/plain");
  const secure = await run.failed(held.origin.replace("http:", "https:"));
  await run.start({ ALLOW_PRIVATE_TARGETS: "false" });
  await run.becamePrivate(plain, "scheme");
  await run.becamePrivate(secure, "private_address", { wake: true });
  run.check("nobody was called meanwhile", held.to("/hook/plain").length === 1);
  await run.start({});
  await run.isRepaired(plain, "/hook/plain");
  await run.isRepaired(secure, "/hook/secure");
}

class Run {
  checks = 0;
  readonly complaints: string[] = [];
  readonly #node: PollhookNode;
  readonly #held: HeldReceiver;
  readonly #good: Receiver;
  #token = "";
  #ids = 0;

  constructor(node: PollhookNode, held: HeldReceiver, good: Receiver) {
    this.#node = node;
    this.#held = held;
    this.#good = good;
  }

  async start(vars: Readonly<Record<string, string>>): Promise<void> {
    await this.#node.stop();
    // Nothing here asks a provider.
    await this.#node.start({ PROVIDER_ORIGINS: NO_PROVIDER, ...vars });
    this.#token = await this.#node.token(TENANT);
  }

  check(what: string, holds: boolean, seen?: unknown): void {
    this.checks++;
    if (!holds)
      this.complaints.push(`${what}: not so${seen === undefined ? "" : `, but ${JSON.stringify(seen)}`}`);
  }

  /** A destination is given another URL while an attempt at the first one is under way. */
  async movesInFlight(): Promise<void> {
    const path = "/v1/destinations/moving";
    const hook = "/hook/moving";
    const [from, url] = [this.#held.origin + hook, this.#good.origin + hook];
    const headers = { authorization: "Bearer for-the-first-host" };
    await this.#expect(201, "PUT", path, { url: from, headers, retry_schedule: [1, 1] });
    const { id } = await this.#registered({ destination: "moving" });
    await this.#held.holding(hook);
    const before = await this.#text(path);
    await Promise.all(NEVER.map((bad) => this.#expect(422, "PUT", path, { url: bad, headers: {} }, "url")));
    await this.#expect(422, "PUT", path, { url }, "headers");
    const isUnchanged = withoutFlow(await this.#text(path)) === withoutFlow(before);
    this.check("a destination stays as it was when its change is refused", isUnchanged);
    await this.#expect(200, "PUT", path, { url, headers: {}, retry_schedule: [1, 1] });
    this.check("the first attempt was under way all the time", this.#held.isHolding(hook));
    this.#held.release(hook, 500);
    const job = await this.#until(id, ({ status }) => status === "delivered");
    const [first, ...more] = this.#held.to(hook);
    const [second] = this.#good.deliveries(hook);
    this.check("it went on at the new URL", job.status === "delivered" && more.length === 0, job.status);
    this.check("the first host had its header", first?.headers.authorization === headers.authorization);
    this.check("the second host never sees it", second !== undefined && !("authorization" in second.headers));
    const isSame = second?.headers["webhook-id"] === first?.headers["webhook-id"];
    this.check("it is the same event, in the same bytes", isSame && second?.body === first?.body);
  }

  /** A destination is deleted while an attempt is under way, and made anew. */
  async isDeletedInFlight(): Promise<void> {
    const path = "/v1/destinations/deleted";
    const hook = "/hook/deleted";
    await this.#expect(201, "PUT", path, { url: this.#held.origin + hook, retry_schedule: [1, 1] });
    const { id } = await this.#registered({ destination: "deleted" });
    await this.#held.holding(hook);
    await this.#expect(204, "DELETE", path);
    this.check("the attempt was under way all the time", this.#held.isHolding(hook));
    this.#held.release(hook, 500);
    const job = await this.#until(id, ({ status }) => status === "undelivered");
    this.check("it is not sent on", job.delivery_error?.reason === "destination_missing", job.delivery_error);
    this.check("the host sees one attempt", this.#held.to(hook).length === 1);
    await this.#expect(201, "PUT", path, { url: this.#good.origin + hook });
    await this.#isRedelivered(id, hook, {});
  }

  /** A job whose first attempt is under way is registered again, and redelivered, to what may not be called. */
  async isRegisteredAgainInFlight(): Promise<void> {
    const hook = "/hook/again";
    const callback_url = this.#held.origin + hook;
    const request = { endpoint: "v3", callback_url, response: this.#success() };
    const { id } = await this.#registered(request);
    await this.#held.holding(hook);
    // All at once: an attempt is given up after 15 s, and a busy machine takes its time.
    await Promise.all(
      [...NEVER, this.#node.origin].flatMap((url) => [
        this.#expect(422, "POST", "/v1/jobs", { ...request, callback_url: url }, "callback_url"),
        this.#expect(422, "POST", `/v1/jobs/${id}/redeliver`, { callback_url: url }, "callback_url"),
      ]),
    );
    const other = { callback_url: this.#good.origin + hook };
    await this.#expect(409, "POST", "/v1/jobs", { ...request, ...other }, "callback_url");
    const job = await this.#job(id);
    this.check("the job keeps its callback", job.callback_url === callback_url, job.callback_url);
    this.check("the attempt was under way all the time", this.#held.isHolding(hook) && job.attempts === 1);
    this.check("nobody else was called", this.#good.deliveries(hook).length === 0);
    await this.#isRedelivered(id, hook, other);
  }

  /** A job with a plain callback whose first attempt is under way. */
  async underWay(hook: string): Promise<string> {
    const { id } = await this.#registered({ callback_url: this.#held.origin + hook });
    await this.#held.holding(hook);
    this.check("an attempt is under way", this.#held.isHolding(hook));
    return id;
  }

  /** A job whose first attempt has failed: nobody speaks TLS there. */
  async failed(callback_url: string): Promise<string> {
    const { id } = await this.#registered({ callback_url });
    const job = await this.#until(id, ({ timeline }) => timeline.some(({ type }) => type === "attempt"));
    this.check("the first attempt failed", job.status === "delivering", job);
    return id;
  }

  /** The server was told that the callback's host is its own. */
  async becameOwnHost(id: string, hook: string): Promise<void> {
    await this.#isRefused(id, "own_host");
    this.check("it is not called any more", this.#held.to(hook).length === 1);
    const path = `/v1/jobs/${id}/redeliver`;
    await this.#expect(422, "POST", path, { callback_url: `${this.#held.origin}/hook/x` }, "callback_url");
    await this.#isRedelivered(id, hook, { callback_url: this.#good.origin + hook });
    const [before] = this.#held.to(hook);
    const [after] = this.#good.deliveries(hook);
    this.check("it is the same event", before?.headers["webhook-id"] === after?.headers["webhook-id"]);
  }

  /** Local targets are forbidden again. `wake`: the next attempt may be far off. */
  async becamePrivate(id: string, fault: string, { wake = false } = {}): Promise<void> {
    const path = `/v1/jobs/${id}/redeliver`;
    if (wake) await this.#expect(202, "POST", path);
    await this.#isRefused(id, fault);
    for (const callback_url of [...NEVER, ...LOCAL])
      await this.#expect(422, "POST", path, { callback_url }, "callback_url");
    await this.#expect(202, "POST", path);
    await this.#isRefused(id, fault);
  }

  async isRepaired(id: string, hook: string): Promise<void> {
    await this.#isRedelivered(id, hook, { callback_url: this.#good.origin + hook });
  }

  async #isRefused(id: string, fault: string): Promise<void> {
    const job = await this.#until(id, ({ status }) => status === "undelivered");
    this.check("the attempt is refused", job.delivery_error?.reason === "target_refused", job);
    const last = job.timeline.at(-1);
    this.check(`because of ${fault}`, last?.result === "refused" && last.reason === fault, last);
  }

  async #isRedelivered(id: string, hook: string, body: object): Promise<void> {
    await this.#expect(202, "POST", `/v1/jobs/${id}/redeliver`, body);
    const job = await this.#until(id, ({ status }) => status === "delivered");
    this.check("a redelivery repairs it", job.status === "delivered", job);
    this.check("with one request", this.#good.deliveries(hook).length === 1);
  }

  /** A success that is delivered without a poll. */
  #success = (): object => ({
    status: "success",
    id: `change-${++this.#ids}`,
    output: ["https://example.com/a.png"],
  });

  async #registered(fields: object): Promise<Job> {
    const body = { endpoint: "v3", response: this.#success(), ...fields };
    return (await (await this.#expect(202, "POST", "/v1/jobs", body)).json()) as Job;
  }

  /** One call, and whether it was answered so; of a refusal the field is looked at, too. */
  async #expect(
    status: number,
    method: string,
    path: string,
    body?: object,
    field?: string,
  ): Promise<Response> {
    const response = await this.#node.call(this.#token, method, path, body);
    const text = response.status === status && field === undefined ? "" : await response.clone().text();
    const isNamed = field === undefined || text.includes(`"field":"${field}"`);
    this.check(`${method} ${path} is answered ${status}`, response.status === status && isNamed, text);
    return response;
  }

  async #text(path: string): Promise<string> {
    return (await this.#node.call(this.#token, "GET", path)).text();
  }

  async #job(id: string): Promise<Job> {
    return JSON.parse(await this.#text(`/v1/jobs/${id}`)) as Job;
  }

  /** The job when it is so, or as it is when the time is up. */
  async #until(id: string, isSo: (job: Job) => boolean): Promise<Job> {
    const limit = Date.now() + LIMIT_MS;
    let job = await this.#job(id);
    while (!isSo(job) && Date.now() < limit)
      job = JSON.parse(await this.#text(`/v1/jobs/${id}?wait=5`)) as Job;
    return job;
  }
}

/** How the deliveries of a destination do changes by itself. */
const withoutFlow = (text: string): string => JSON.stringify({ ...(JSON.parse(text) as object), flow: null });
