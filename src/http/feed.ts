/**
 * `GET /v1/events`: the events of a tenant, or of a bounded token's owner, for those who cannot be called, and
 * `GET /v1/jobs/{id}/event`. The tenant's object has their order, each job's object its event; what is signed, and with
 * what, is as a callback would have it.
 */
import * as v from "valibot";
import type { Claims } from "../crypto/token.ts";
import { findDestination } from "../job/admission.ts";
import type { EventRead } from "../job/event-read.ts";
import { isJobId } from "../job/ids.ts";
import type { NamedDestination } from "../job/record.ts";
import { USER_AGENT } from "../net/outbound.ts";
import { decodeCursor, encodeCursor } from "../tenant/query.ts";
import { signedEvent } from "../webhook/deliver.ts";
import { openDestination, signingKeys } from "../webhook/destination.ts";
import { tenantKeys } from "../webhook/signature.ts";
import { jsonResponse } from "./answer.ts";
import { tokenBound } from "./auth.ts";
import { type Call, withJob } from "./call.ts";
import { MAX_WAIT_SECONDS } from "./jobs.ts";
import { cursorText, wholeText } from "./paging.ts";
import { isProblem, JOB_NOT_FOUND, type Problem, problem } from "./problem.ts";
import { parseBody } from "./schema.ts";

/** So long a wait is held by the tenant's object at a time: a caller who has gone does not come back for the next. */
const HOLD_MS = 10_000;
const RETRY_SECONDS = 10;
export const DEFAULT_EVENTS = 20;
export const MAX_EVENTS = 100;
/** A larger answer of the provider makes a page of its own: an isolate has 128 MB. */
const SMALL_EVENT_BYTES = 256 * 1024;

/** In place of a cursor: from now on. */
export const LATEST = "latest";

export const FeedQuery = v.strictObject({
  after: v.optional(cursorText((text) => (text === LATEST ? LATEST : readSeq(text)))),
  wait: v.optional(wholeText(0, MAX_WAIT_SECONDS, " of seconds")),
  limit: v.optional(wholeText(1, MAX_EVENTS)),
});

type Event = Extract<EventRead, { kind: "event" }>;
type FindKeys = (destination: NamedDestination | null) => Promise<Uint8Array<ArrayBuffer>[]>;

/** `GET /v1/events` */
export async function feed(call: Call, claims: Claims): Promise<Response | Problem> {
  const { request, env } = call;
  const query = parseBody(FeedQuery, Object.fromEntries(new URL(request.url).searchParams));
  if (isProblem(query)) return query;
  const { after = 0, wait = 0, limit = DEFAULT_EVENTS } = query;
  const { sub, own } = claims;
  const from = after === LATEST ? null : after;
  const until = Date.now() + wait * 1_000;
  const look = (behind: number | null) =>
    env.TENANT.getByName(sub).events(behind, limit, Math.min(HOLD_MS, until - Date.now()), own);
  let page = await look(from);
  while (page.entries.length === 0 && !page.isFull && Date.now() < until) page = await look(page.next);
  if (wait > 0 && page.isFull)
    return problem("unavailable", "As many wait for events as may; come again, or ask without wait.", {
      headers: { "retry-after": String(RETRY_SECONDS) },
    });
  const read = (id: string, maxBytes: number) => withJob(env, id, (job) => job.event(sub, id, maxBytes));
  const reads = await Promise.all(page.entries.map(({ id }) => read(id, SMALL_EVENT_BYTES)));
  const find = keyFinder(call, sub);
  const events: object[] = [];
  const answer = (next: number): Response => jsonResponse({ events, next_cursor: writeSeq(next) });
  for (const [i, { seq, id, eventId }] of page.entries.entries()) {
    const isLarge = reads[i]?.kind === "too_large";
    if (isLarge && i > 0) return answer(page.entries[i - 1]?.seq ?? 0);
    const event = isLarge ? await read(id, Number.MAX_SAFE_INTEGER) : reads[i];
    // One whose job was erased, or started anew, is passed over.
    if (event?.kind === "event" && event.id === eventId)
      events.push({ cursor: writeSeq(seq), job_id: id, ...(await shown(event, find)) });
    if (isLarge) return answer(seq);
  }
  return answer(page.next);
}

/** `GET /v1/jobs/{id}/event` */
export async function jobEvent(call: Call, { sub, own }: Claims): Promise<Response | Problem> {
  const { env, jobId } = call;
  if (!isJobId(jobId)) return JOB_NOT_FOUND;
  const event = await withJob(env, jobId, (job) => job.event(sub, jobId, Number.MAX_SAFE_INTEGER, { own }));
  if (event.kind === "not_found") return JOB_NOT_FOUND;
  if (event.kind === "other_owner") return tokenBound();
  if (event.kind !== "event")
    return problem("nothing_to_deliver", "The job has no event yet, or never will.");
  return jsonResponse({ job_id: jobId, ...(await shown(event, keyFinder(call, sub))) });
}

/** What signs an event: its destination's secret, as it is now or was last read, or else the tenant's. */
function keyFinder({ env, config }: Call, tenant: string): FindKeys {
  const found = new Map<string | undefined, ReturnType<FindKeys>>();
  const find: FindKeys = async (destination) => {
    const { masterKeys } = config;
    if (!destination) return tenantKeys(masterKeys, tenant);
    const { name } = destination;
    const now = await findDestination(env, tenant, name);
    const copy = now?.kind === "found" ? now.read.copy : destination.copy;
    const content = copy && (await openDestination(copy.sealed, tenant, name, masterKeys));
    return content ? signingKeys(content, Date.now()) : tenantKeys(masterKeys, tenant);
  };
  return (destination) => {
    const known = found.get(destination?.name) ?? find(destination);
    found.set(destination?.name, known);
    return known;
  };
}

/** An event as its callback would have it. */
export async function shown({ id, body, attempts, destination }: Event, find: FindKeys) {
  const event = await signedEvent({
    eventId: id,
    number: Math.max(1, attempts),
    parts: [[0, body.length]],
    answer: body,
    keys: await find(destination),
  });
  const headers = { "user-agent": USER_AGENT, ...event.headers };
  return { id, headers, body: new TextDecoder().decode(event.body) };
}

const writeSeq = (seq: number): string => encodeCursor(String(seq));

const readSeq = (text: string): number | null => {
  const seq = decodeCursor(text);
  return /^\d{1,16}$/.test(seq) ? Number(seq) : null;
};
