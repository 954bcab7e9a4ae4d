/**
 * `pollhook list`: the jobs that fit, newest first.
 */
import {
  type Command,
  command,
  defined,
  flag,
  number,
  OK,
  text,
  texts,
  UsageError,
  whole,
  word,
} from "../command.ts";
import { jobLine } from "../print.ts";
import { clientOf } from "../server.ts";

const DEFAULT_COUNT = 50;
const MAX_PAGE = 200;

export const list: Command = command({
  name: "list",
  summary: "Lists jobs, newest first",
  options: {
    status: word(["waiting", "delivering", "delivered", "undelivered", "finished", "canceled"]),
    outcome: word(["succeeded", "failed", "expired", "canceled"]),
    endpoint: text("NAME", "the provider's path in front of /fetch"),
    requestId: text("ID"),
    destination: text("NAME"),
    host: text("HOST", "of the callback"),
    createdAfter: text("TIME", "such as 2026-11-20T12:00:00Z"),
    createdBefore: text("TIME"),
    metadata: texts("NAME=VALUE", "that was indexed; up to three times"),
    count: number("NUMBER", `how many (${DEFAULT_COUNT})`),
    all: flag("every one of them"),
  },
  examples: [
    "pollhook list --status undelivered --host your-app.example.com",
    "pollhook list --all --json | jq -r .id",
  ],
  async run({ args, io }) {
    const wanted = whole("count", args.count, 1) ?? DEFAULT_COUNT;
    const count = args.all ? Number.POSITIVE_INFINITY : wanted;
    const filter = defined({
      status: args.status,
      outcome: args.outcome,
      endpoint: args.endpoint,
      request_id: args.requestId,
      destination: args.destination,
      host: args.host,
      created_after: args.createdAfter,
      created_before: args.createdBefore,
    });
    const metadata = Object.fromEntries((args.metadata ?? []).map(pairOf));
    const limit = Math.min(MAX_PAGE, count);
    let left = count;
    for await (const job of clientOf(io).list({ ...filter, metadata, limit })) {
      io.out(args.json ? JSON.stringify(job) : jobLine(job));
      if (--left <= 0) break;
    }
    return OK;
  },
});

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError("--metadata must be NAME=VALUE.");
  return [text.slice(0, at), text.slice(at + 1)];
}
