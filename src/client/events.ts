/**
 * The events of a job: over server-sent events where the server has them and `fetch` can stream, resumed by
 * `Last-Event-ID` when the connection is lost; else from looks at the job.
 */
import { Limit, throwIfAborted } from "./abort.ts";
import { membersOf } from "./answers.ts";
import { checkLastEventId } from "./arguments.ts";
import { errorOfAnswer, PollhookError } from "./error.ts";
import { polledEvents } from "./follow.ts";
import { EVENT_TYPES, type JobEvent } from "./job-event.ts";
import { gapMs, mayRepeat } from "./retry.ts";
import { type SseMessage, SseParser } from "./sse.ts";
import { failure, path, retryAfterOf, type Transport } from "./transport.ts";

/** The server sends a comment every 15 s; a connection that is silent for longer than two of them is lost. */
const SILENCE_LIMIT_MS = 40_000;
/** When the server has ended a stream in order. */
const RECONNECT_MS = 1_000;
/** Where there is no such route, nothing may be had of it, or something in between does not let it through. */
const WITHOUT_STREAM: ReadonlySet<number> = new Set([404, 405, 406]);

/** The events of a job to its end; those behind `lastEventId` where that is known. */
export async function* events(
  transport: Transport,
  id: string,
  lastEventId: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<JobEvent, void, undefined> {
  checkLastEventId(lastEventId);
  let last = lastEventId;
  for (let failures = 0, streaming = transport.canStream; streaming; ) {
    let pauseMs = RECONNECT_MS;
    const connection = new Connection(transport, id, last);
    try {
      for await (const message of connection.messages(signal)) {
        failures = 0;
        last = message.id;
        const event = eventOf(message);
        if (!event) continue;
        yield event;
        throwIfAborted(signal);
        if (event.type === "done") return;
      }
      // One that ends without a word is as good as one that was lost.
      if (!connection.isStream) streaming = false;
      else if (connection.isEmpty && ++failures > 3) streaming = false;
      pauseMs = connection.retryMs ?? RECONNECT_MS;
    } catch (error) {
      if (!(error instanceof PollhookError)) throw error;
      // As many watch as may: a look is answered all the same.
      if (error.code === "unavailable") break;
      const gap = mayRepeat(error, "safe") ? gapMs(error, ++failures, Math.random()) : null;
      if (gap === null) throw error;
      pauseMs = Math.max(gap, connection.retryMs ?? 0);
    }
    if (streaming) await transport.sleep(pauseMs, signal);
  }
  yield* polledEvents(transport, id, last, signal);
}

/** One stream, from its request to its end. */
class Connection {
  isStream = true;
  isEmpty = true;
  readonly #transport: Transport;
  readonly #path: string;
  readonly #last: string;
  readonly #parser: SseParser;

  constructor(transport: Transport, id: string, last: string) {
    this.#transport = transport;
    this.#path = path`/v1/jobs/${id}/events`;
    this.#last = last;
    this.#parser = new SseParser(last);
  }

  get retryMs(): number | null {
    return this.#parser.retryMs;
  }

  async *messages(signal: AbortSignal | undefined): AsyncGenerator<SseMessage, void, undefined> {
    throwIfAborted(signal);
    const limit = new Limit(SILENCE_LIMIT_MS, signal);
    try {
      const body = await this.#open(limit, signal);
      if (body) yield* this.#read(body.getReader(), limit, signal);
    } finally {
      limit.end();
    }
  }

  /** `null`, with `isStream` false, where the server has no stream to give. */
  async #open(limit: Limit, signal: AbortSignal | undefined): Promise<ReadableStream<Uint8Array> | null> {
    const headers = {
      accept: "text/event-stream",
      ...(this.#last !== "" && { "last-event-id": this.#last }),
    };
    const response = await this.#transport.send(this.#path, { method: "GET", headers }, limit, signal);
    const isEvents = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
    if (response.status === 200 && isEvents && response.body) return response.body;
    if (response.ok || WITHOUT_STREAM.has(response.status)) {
      this.isStream = false;
      return null;
    }
    const text = await limit.within(response.text()).catch(() => "");
    throw errorOfAnswer(response.status, text, retryAfterOf(response));
  }

  async *#read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    limit: Limit,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SseMessage, void, undefined> {
    // Not every `fetch` ends the body together with the call.
    const cancel = () => void reader.cancel().catch(() => {});
    limit.signal.addEventListener("abort", cancel);
    try {
      for (;;) {
        const { done, value } = await reader
          .read()
          .catch((cause) => Promise.reject(failure(cause, limit, signal)));
        if (limit.signal.aborted) throw failure(undefined, limit, signal);
        if (done) return;
        limit.restart();
        for (const message of this.#parse(value)) {
          this.isEmpty = false;
          yield message;
        }
      }
    } finally {
      limit.signal.removeEventListener("abort", cancel);
      await reader.cancel().catch(() => {});
    }
  }

  #parse(bytes: Uint8Array): SseMessage[] {
    try {
      return this.#parser.push(bytes);
    } catch (cause) {
      throw new PollhookError({ code: "unexpected_answer", detail: "The event stream is too large.", cause });
    }
  }
}

/** `null` for a kind that this client does not know. */
function eventOf({ id, event, data }: SseMessage): JobEvent | null {
  if (!EVENT_TYPES.has(event)) return null;
  const detail = "An event's data is no JSON object.";
  try {
    const members = membersOf(JSON.parse(data));
    if (members) return { id, type: event, data: members } as unknown as JobEvent;
  } catch (cause) {
    throw new PollhookError({ code: "unexpected_answer", detail, cause });
  }
  throw new PollhookError({ code: "unexpected_answer", detail });
}
