/**
 * The client of Pollhook's API. A call that may be lost on the way is made again where a second one does no harm;
 * whatever fails in the end rejects with a `PollhookError`, and an aborted call with its signal's reason.
 */
import { isJob, isPageOf, isToken, membersOf } from "./answers.ts";
import { invalid, jsonOf } from "./arguments.ts";
import { PollhookError } from "./error.ts";
import { events } from "./events.ts";
import { type FollowOptions, feedPage, followFeed } from "./feed.ts";
import { type WaitOptions, waitFor } from "./follow.ts";
import type { JobEvent } from "./job-event.ts";
import { leavable } from "./leaving.ts";
import { type CallOptions, type ClientOptions, path, query, Transport } from "./transport.ts";
import type {
  Callback,
  FeedEvent,
  FeedPage,
  FeedQuery,
  Job,
  JobPage,
  ListedJob,
  ListQuery,
  MintedToken,
  Registration,
  RegistrationExtras,
  TokenRequest,
} from "./types.ts";

export interface EventsOptions extends CallOptions {
  /** The id of the last event that was seen; those behind it follow. */
  readonly lastEventId?: string | undefined;
}

/**
 * @example
 * const pollhook = new PollhookClient({ url: "https://pollhook.your-domain.example", token });
 * const { id } = await pollhook.register({ endpoint: "v6/video", request_id: 65919758, destination: "app" });
 * const { outcome, result } = await pollhook.wait(id);
 */
export class PollhookClient {
  /** For helpers that call routes of their own, such as `Destinations`. */
  readonly transport: Transport;

  constructor(options: ClientOptions) {
    this.transport = new Transport(options);
  }

  /**
   * Registers a request; doing so again answers with the same job. A registration that is text is sent as it is, so that
   * numbers past 2^53 keep their digits.
   * @example await pollhook.register({ request_id: "12202888", callback_url: "https://your-app.example.com/hook" })
   */
  async register(registration: Registration | string, { signal }: CallOptions = {}): Promise<Job> {
    const body = typeof registration === "string" ? jsonObjectText(registration) : jsonOf(registration);
    return this.#register(body, signal);
  }

  /**
   * Registers the request that a generation call of the provider has queued. `answer` is what that call was answered;
   * as text it is sent as it came, so that ids past 2^53 keep their digits. Without a `callback` the job is watched, and
   * its event stands in the feed.
   * @example await pollhook.registerResponse(await generation.text(), { destination: "app" })
   */
  async registerResponse(
    answer: object | string,
    callback: string | RegistrationExtras = {},
    { signal }: CallOptions = {},
  ): Promise<Job> {
    const response =
      typeof answer === "string" ? jsonObjectText(answer, "response") : jsonOf(answer, "response");
    const extras = jsonOf(typeof callback === "string" ? { callback_url: callback } : callback);
    return this.#register(`{"response":${response}${extras === "{}" ? "}" : `,${extras.slice(1)}`}`, signal);
  }

  /** @example const { status } = await pollhook.job("job_…") */
  async job(id: string, { signal }: CallOptions = {}): Promise<Job> {
    return this.transport.call({
      method: "GET",
      path: path`/v1/jobs/${id}`,
      repetition: "safe",
      answer: isJob,
      signal,
    });
  }

  /**
   * The job, as soon as its outcome is known or it is over. Rejects with `wait_over` when `timeoutSeconds` have passed,
   * whatever goes on then; before that, as every call does, with what is left after its retries.
   * @example const job = await pollhook.wait(id, { until: "over", timeoutSeconds: 120 })
   */
  async wait(id: string, options: WaitOptions = {}): Promise<Job> {
    return waitFor(this.transport, id, options);
  }

  /**
   * What happens to a job, to its end, beginning with what has happened already.
   * @example for await (const { type, data } of pollhook.events(id)) console.log(type, data)
   */
  events(
    id: string,
    { lastEventId = "", signal }: EventsOptions = {},
  ): AsyncGenerator<JobEvent, void, undefined> {
    return leavable((own) => events(this.transport, id, lastEventId, own), signal);
  }

  /**
   * Stops a job: a waiting one becomes `canceled`, one that is being delivered `undelivered`.
   * @example await pollhook.cancel("job_…")
   */
  async cancel(id: string, { signal }: CallOptions = {}): Promise<Job> {
    const call = {
      method: "POST",
      path: path`/v1/jobs/${id}/cancel`,
      repetition: "safe",
      answer: isJob,
      signal,
    } as const;
    try {
      return await this.transport.call<Job>(call);
    } catch (error) {
      // A first try whose answer was lost may be what has ended it.
      if (!(error instanceof PollhookError) || error.code !== "already_over" || error.tries === 1)
        throw error;
      const job = await this.job(id, { signal });
      if (job.outcome === "canceled" || job.delivery_error?.reason === "canceled") return job;
      throw error;
    }
  }

  /**
   * Sends the event again, at once; to `to`, from now on, if given. Not repeated when no answer comes: look at the job's
   * timeline before you do that, as the event may have gone out.
   * @example await pollhook.redeliver("job_…", { callback_url: "https://your-app.example.com/repaired" })
   */
  async redeliver(id: string, to: Callback = {}, { signal }: CallOptions = {}): Promise<Job> {
    const body = jsonOf(to);
    return this.transport.call({
      method: "POST",
      path: path`/v1/jobs/${id}/redeliver`,
      body,
      repetition: "once",
      answer: isJob,
      signal,
    });
  }

  /**
   * The jobs that fit, newest first; further pages are fetched as they are needed.
   * @example for await (const job of pollhook.list({ status: "undelivered" })) await pollhook.redeliver(job.id)
   */
  async *list(filter: ListQuery = {}, options: CallOptions = {}): AsyncGenerator<ListedJob, void, undefined> {
    for await (const { jobs } of this.pages(filter, options)) yield* jobs;
  }

  /** The same, a page at a time; `next_cursor` can be kept to go on later. */
  async *pages(
    filter: ListQuery = {},
    { signal }: CallOptions = {},
  ): AsyncGenerator<JobPage, void, undefined> {
    const { metadata = {}, cursor, ...conditions } = filter;
    const named = Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value] as const);
    const fixed = { ...conditions, ...Object.fromEntries(named) };
    for (let next: string | null | undefined = cursor; next !== null; ) {
      const at = `/v1/jobs${query({ ...fixed, cursor: next })}`;
      const page: JobPage = await this.transport.call({
        method: "GET",
        path: at,
        repetition: "safe",
        answer: isPageOf("jobs"),
        signal,
      });
      yield page;
      next = page.next_cursor;
    }
  }

  /**
   * One page of the feed of events, for those who cannot be called. Keep `next_cursor` when its events are dealt with.
   * @example const { events, next_cursor } = await pollhook.feed({ after: cursor, wait: 30 })
   */
  async feed({ signal, ...asked }: FeedQuery & CallOptions = {}): Promise<FeedPage> {
    return feedPage(this.transport, asked, signal);
  }

  /**
   * Every event from `after` on, for ever: outages are waited out. Ends when `signal` aborts it, or by a refusal (401, 403, 422).
   * @example
   * for await (const { body, cursor } of pollhook.followFeed({ after: await load() })) {
   *   const { type, data } = JSON.parse(body); // Pollhook was asked itself: there is nothing to verify
   *   await save(cursor);
   * }
   */
  followFeed(options: FollowOptions = {}): AsyncGenerator<FeedEvent, void, undefined> {
    return leavable((signal) => followFeed(this.transport, { ...options, signal }), options.signal);
  }

  /**
   * A short-lived token that may do at most what this client's may: for a phone, say.
   * @example const { token } = await pollhook.mintToken({ scope: "jobs:write", expires_in: 600, request_id: 65919758 })
   */
  async mintToken(request: TokenRequest, { signal }: CallOptions = {}): Promise<MintedToken> {
    const body = jsonOf(request);
    return this.transport.call({
      method: "POST",
      path: "/v1/tokens",
      body,
      repetition: "safe",
      answer: isToken,
      signal,
    });
  }

  #register(body: string, signal: AbortSignal | undefined): Promise<Job> {
    return this.transport.call({
      method: "POST",
      path: "/v1/jobs",
      body,
      repetition: "safe",
      answer: isJob,
      signal,
    });
  }
}

/** `text`, if it is one JSON object and nothing else: it is sent as it is. `field` is what it is called, if it is a part. */
function jsonObjectText(text: string, field: string | null = null): string {
  const detail = `${field === null ? "What is sent" : "The generation answer"} must be a JSON object.`;
  try {
    if (membersOf(JSON.parse(text))) return text;
  } catch (cause) {
    throw invalid(detail, field, cause);
  }
  throw invalid(detail, field);
}
