/**
 * `pollhook listen`: follows the feed of events and brings each to a local server as a callback would have, one at a
 * time, in their order. What was dealt with is kept as a cursor, so that the next run goes on from there.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { FeedEvent, PollhookClient, PollhookError } from "../../client/index.ts";
import {
  BAD,
  type Command,
  command,
  flag,
  type Io,
  number,
  OK,
  text,
  UsageError,
  whole,
} from "../command.ts";
import { type Forwarded, forward, isAccepted, isFinal } from "../forward.ts";
import { feedLine, forwardedLine, typeOf } from "../print.ts";
import { clientOf, detailOf } from "../server.ts";

const DEFAULT_RETRIES = 3;
const FIRST_GAP_MS = 1_000;
const LONGEST_GAP_MS = 30_000;
/** Pages of one: an event is signed when its page is made, and a receiver takes that for five minutes. */
const PAGE = 1;

export const listen: Command = command({
  name: "listen",
  summary: "Follows your events and replays each to a local server; prints them without one",
  notes: `A server that is down or answers no 2xx gets the event again after 1, 2, 4 … s, but for 410; then the next
one comes. Ctrl-C ends it with 0 and prints the cursor to go on from.`,
  options: {
    forward: text("URL", "such as http://localhost:3000/hook"),
    after: text("CURSOR", "begin behind it; latest, from now on, is the default"),
    all: flag("begin with the oldest event that is kept"),
    cursorFile: text("PATH", "go on from the cursor in it, if there is one, and keep it there"),
    retries: number("NUMBER", `of an event that is not accepted (${DEFAULT_RETRIES})`),
    limit: number("NUMBER", "end after so many; with 1 if one of them was not accepted"),
  },
  examples: [
    "pollhook listen --forward http://localhost:3000/hook",
    "pollhook listen --all --limit 10 --json | jq -r .body",
  ],
  async run({ args, io }) {
    const { json: isJson = false } = args;
    const to = args.forward === undefined ? null : urlOf(args.forward);
    if (args.all && args.after !== undefined) throw new UsageError("--all and --after say different things.");
    const limit = whole("limit", args.limit, 1) ?? Number.POSITIVE_INFINITY;
    const retries = whole("retries", args.retries, 0) ?? DEFAULT_RETRIES;
    const client = clientOf(io);
    const signal = io.interrupted();
    const kept = new Cursor(args.cursorFile ?? null, io);
    let [count, code] = [0, OK];
    try {
      await kept.begin(client, args.all ? undefined : (args.after ?? "latest"), signal);
      const onOutage = (error: PollhookError, pauseMs: number): void =>
        note(error.code, `${detailOf(error, io)} Trying again in ${inSeconds(pauseMs)}.`, isJson, io);
      const after = kept.value === null ? {} : { after: kept.value };
      for await (const event of client.followFeed({ ...after, limit: PAGE, signal, onOutage })) {
        if (to && !(await replay(event, to, { retries, isJson, signal, io }))) code = BAD;
        if (!to) io.out(isJson ? JSON.stringify(event) : feedLine(event, new Date()));
        await kept.move(event.cursor);
        if (++count >= limit) break;
      }
      kept.tell(isJson);
      return code;
    } catch (error) {
      // One that only the caller has named may be what is wrong.
      if (signal.aborted || kept.isServers) kept.tell(isJson);
      if (signal.aborted) return OK;
      throw error;
    }
  },
});

interface Replaying {
  readonly retries: number;
  readonly isJson: boolean;
  readonly signal: AbortSignal;
  readonly io: Io;
}

/** Whether the server has accepted it in the end. */
async function replay(
  event: FeedEvent,
  to: URL,
  { retries, isJson, signal, io }: Replaying,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const forwarded = await forward(to, event, signal);
    if (isFinal(forwarded) || tries > retries) {
      const at = new Date();
      io.out(
        isJson ? JSON.stringify(shown(event, forwarded, tries, at)) : forwardedLine(event, forwarded, at),
      );
      return isAccepted(forwarded);
    }
    const gapMs = Math.min(FIRST_GAP_MS * 2 ** (tries - 1), LONGEST_GAP_MS);
    const what = forwarded.fault ?? `answered ${forwarded.status}`;
    note("not_accepted", `${event.id}: ${what}. Trying again in ${inSeconds(gapMs)}.`, isJson, io);
    await sleep(gapMs, undefined, { signal });
  }
}

const shown = (event: FeedEvent, { status, fault, durationMs }: Forwarded, tries: number, at: Date) => ({
  at: at.toISOString(),
  id: event.id,
  type: typeOf(event.body),
  job_id: event.job_id,
  cursor: event.cursor,
  http_status: status,
  fault,
  duration_ms: durationMs,
  tries,
});

/** How far the events are dealt with; in a file, too, if there is one. */
class Cursor {
  value: string | null = null;
  /** Whether it came from the server in this run. */
  isServers = false;
  readonly #file: string | null;
  readonly #io: Io;

  constructor(file: string | null, io: Io) {
    this.#file = file;
    this.#io = io;
  }

  /**
   * From the file, or else from `after`; what is `latest` now is kept at once. The file is written in any case: one that
   * cannot be must show before an event goes out, which else would go out again at each start.
   */
  async begin(client: PollhookClient, after: string | undefined, signal: AbortSignal): Promise<void> {
    const kept = this.#file === null ? null : await this.#io.load(this.#file);
    const text = kept ?? "";
    const found = text.trim();
    // It has been kept once, and is lost: to begin with what is latest would pass over what came since.
    if (kept !== null && found === "" && after === "latest")
      throw new UsageError(`${this.#file} is empty: say where to begin, by --after or --all, or delete it.`);
    if (found === "" && after === "latest")
      return this.move((await client.feed({ after, signal })).next_cursor);
    this.value = found || (after ?? null);
    if (this.#file !== null) await this.#io.save(this.#file, text);
  }

  async move(cursor: string): Promise<void> {
    this.value = cursor;
    this.isServers = true;
    if (this.#file !== null) await this.#io.save(this.#file, `${cursor}\n`);
  }

  tell(isJson: boolean): void {
    const { value } = this;
    this.#io.out(isJson ? JSON.stringify({ next_cursor: value }) : `cursor: ${value ?? "none yet"}`);
  }
}

function note(code: string, detail: string, isJson: boolean, io: Io): void {
  io.err(isJson ? JSON.stringify({ code, status: null, field: null, detail }) : `pollhook: ${detail}`);
}

const inSeconds = (ms: number): string => `${Math.max(1, Math.round(ms / 1000))} s`;

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new UsageError("--forward must be a URL: http://localhost:3000/hook");
}
