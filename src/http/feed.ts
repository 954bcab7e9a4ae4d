/**
 * `GET /v1/events`: the events of a tenant, or of a bounded token's owner, for those who cannot be called, and
 * `GET /v1/jobs/{id}/event`. The tenant's object has their order, each job's object its event; what is signed, and with
 * what, is as a callback would have it.
 */
import * as v from "valibot";
import type { Claims } from "../crypto/token.ts";
import { findDestination } from "../job/admission.ts";
import type { StoredEvent } from "../job/event-read.ts";
import { isJobId } from "../job/ids.ts";
import { withJob } from "../job/placement.ts";
import type { NamedDestination } from "../job/record.ts";
import { logError } from "../log.ts";
import { USER_AGENT } from "../net/outbound.ts";
import { decodeCursor, encodeCursor } from "../tenant/query.ts";
import type { Tenant } from "../tenant/tenant.ts";
import { signedEvent } from "../webhook/deliver.ts";
import { openDestination, signingKeys } from "../webhook/destination.ts";
import { tenantKeys } from "../webhook/signature.ts";
import { jsonText } from "./answer.ts";
import { tokenBound } from "./auth.ts";
import type { Call } from "./call.ts";
import { MAX_WAIT_SECONDS } from "./jobs.ts";
import { cursorText, wholeText } from "./paging.ts";
import { isProblem, JOB_NOT_FOUND, type Problem, problem } from "./problem.ts";
import { parseBody } from "./schema.ts";

/** So long a wait is held by the tenant's object at a time: a caller who has gone does not come back for the next. */
const HOLD_MS = 10_000;
const RETRY_SECONDS = 10;
export const DEFAULT_EVENTS = 20;
export const MAX_EVENTS = 100;

/** An isolate has 128 MB. A larger answer of the provider makes a page of its own… */
const SMALL_ANSWER_BYTES = 256 * 1024;
/** …of smaller ones a page has so many bytes, or what one round of reading adds to that. */
const PAGE_BYTES = 4 * 1024 * 1024;
const READ_AT_ONCE = 6;
/** Of a body that is written as a JSON string, at a time. */
const PIECE_BYTES = 64 * 1024;

/** In place of a cursor: from now on. */
export const LATEST = "latest";

export const FeedQuery = v.strictObject({
  after: v.optional(cursorText((text) => (text === LATEST ? LATEST : readSeq(text)))),
  wait: v.optional(wholeText(0, MAX_WAIT_SECONDS, " of seconds")),
  limit: v.optional(wholeText(1, MAX_EVENTS)),
});

type FindKeys = (destination: NamedDestination | null) => Promise<Uint8Array<ArrayBuffer>[]>;
type TenantPage = Awaited<ReturnType<Tenant["events"]>>;

/** An event as it is answered: `head` is all but its body. */
interface Shown {
  readonly head: object;
  readonly body: Uint8Array;
}

/** `GET /v1/events` */
export async function feed(call: Call, claims: Claims): Promise<Response | Problem> {
  const query = parseBody(FeedQuery, Object.fromEntries(new URL(call.request.url).searchParams));
  if (isProblem(query)) return query;
  const { after = 0, wait = 0, limit = DEFAULT_EVENTS } = query;
  const page = await waited(call, claims, after === LATEST ? null : after, limit, wait * 1_000);
  if (wait > 0 && page.isFull)
    return problem("unavailable", "As many wait for events as may; come again, or ask without wait.", {
      headers: { "retry-after": String(RETRY_SECONDS) },
    });
  const { events, next } = await filled(call, claims.sub, page);
  return streamed(pageText(events, writeSeq(next)));
}

/** The page once something is in it, or as it is after that time. */
async function waited(
  { env }: Call,
  { sub, own }: Claims,
  after: number | null,
  limit: number,
  waitMs: number,
): Promise<TenantPage> {
  const until = Date.now() + waitMs;
  const look = (from: number | null) =>
    env.TENANT.getByName(sub).events(from, limit, Math.min(HOLD_MS, until - Date.now()), own);
  let page = await look(after);
  while (page.entries.length === 0 && !page.isFull && Date.now() < until) page = await look(page.next);
  return page;
}

/** The events of the page, as many as it can hold. */
async function filled(
  call: Call,
  tenant: string,
  { entries, next }: TenantPage,
): Promise<{ events: Shown[]; next: number }> {
  const read = (id: string, maxBytes: number) =>
    withJob(call.env, tenant, id, (job) => job.event(tenant, id, maxBytes));
  const find = keyFinder(call, tenant);
  const events: Shown[] = [];
  let [bytes, last] = [0, 0];
  for (let i = 0; i < entries.length; i += READ_AT_ONCE) {
    const batch = entries.slice(i, i + READ_AT_ONCE);
    const reads = await Promise.all(batch.map(({ id }) => read(id, SMALL_ANSWER_BYTES)));
    for (const [j, { seq, id, eventId }] of batch.entries()) {
      const isLarge = reads[j]?.kind === "too_large";
      if (isLarge && events.length > 0) return { events, next: last };
      const event = isLarge ? await read(id, Number.MAX_SAFE_INTEGER) : reads[j];
      last = seq;
      if (event?.kind === "unreadable") logError("feed.unreadable", { job: id });
      // One whose job was erased, or started anew, or cannot be read, is passed over: it must not hold up the others.
      if (event?.kind !== "event" || event.id !== eventId) continue;
      const shown = await show(event, { cursor: writeSeq(seq), job_id: id }, find);
      events.push(shown);
      bytes += shown.body.length;
      if (isLarge) return { events, next: seq };
    }
    if (bytes > PAGE_BYTES) return { events, next: last };
  }
  return { events, next };
}

/** `GET /v1/jobs/{id}/event` */
export async function jobEvent(call: Call, { sub, own }: Claims): Promise<Response | Problem> {
  const { env, jobId } = call;
  if (!isJobId(jobId)) return JOB_NOT_FOUND;
  const event = await withJob(env, sub, jobId, (job) =>
    job.event(sub, jobId, Number.MAX_SAFE_INTEGER, { own }),
  );
  if (event.kind === "not_found") return JOB_NOT_FOUND;
  if (event.kind === "other_owner") return tokenBound();
  if (event.kind !== "event")
    return problem("nothing_to_deliver", "The job has no event: not yet, never, or none that can be read.");
  return streamed(eventText(await show(event, { job_id: jobId }, keyFinder(call, sub)), "\n"));
}

/** What signs an event: its destination's secret, as it is now or as its job last read it, or else the tenant's. */
function keyFinder({ env, config: { masterKeys } }: Call, tenant: string): FindKeys {
  const asked = new Map<string, ReturnType<typeof findDestination>>();
  return async (destination) => {
    if (!destination) return tenantKeys(masterKeys, tenant);
    const { name } = destination;
    const asking = asked.get(name) ?? findDestination(env, tenant, name);
    asked.set(name, asking);
    const now = await asking;
    const copy = now?.kind === "found" ? now.read.copy : destination.copy;
    const content = copy && (await openDestination(copy.sealed, tenant, name, masterKeys));
    return content ? signingKeys(content, Date.now()) : tenantKeys(masterKeys, tenant);
  };
}

/** An event as its callback would have it. */
async function show(
  { id, parts, answer, attempts, destination }: StoredEvent,
  place: { readonly cursor?: string; readonly job_id: string },
  find: FindKeys,
): Promise<Shown> {
  const keys = await find(destination);
  const event = await signedEvent({ eventId: id, number: Math.max(1, attempts), parts, answer, keys });
  return {
    head: { ...place, id, headers: { "user-agent": USER_AGENT, ...event.headers } },
    body: event.body,
  };
}

function* pageText(events: readonly Shown[], next: string): Generator<string> {
  yield '{"events":[';
  for (const [i, event] of events.entries()) yield* eventText(event, i < events.length - 1 ? "," : "");
  yield `],"next_cursor":"${next}"}\n`;
}

/** The event as JSON, its body piece by piece; `end` comes behind it. */
function* eventText({ head, body }: Shown, end: string): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"body":"`;
  const decoder = new TextDecoder();
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    const text = decoder.decode(body.subarray(at, at + PIECE_BYTES), { stream: true });
    yield JSON.stringify(text).slice(1, -1);
  }
  yield `"}${end}`;
}

/** Written as it is read: never all of it as text at once. */
function streamed(pieces: Generator<string>): Response {
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return jsonText(stream);
}

const writeSeq = (seq: number): string => encodeCursor(String(seq));

const readSeq = (text: string): number | null => {
  const seq = decodeCursor(text);
  return /^\d{1,16}$/.test(seq) ? Number(seq) : null;
};
