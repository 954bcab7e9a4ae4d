/**
 * `pollhook list`: the jobs that fit, newest first.
 */
import { type Command, clientOf, command, defined, numberOf, OK, oneOf, UsageError } from "../command.ts";
import { jobLine } from "../print.ts";

const DEFAULT_COUNT = 50;
const MAX_PAGE = 200;

export const list: Command = command({
  summary: "Lists jobs, newest first",
  usage: "list [options]",
  help: `  --status WORD          waiting, delivering, delivered, undelivered, finished or canceled
  --outcome WORD         succeeded, failed, expired or canceled
  --endpoint NAME        the provider's path in front of /fetch
  --request-id ID
  --destination NAME
  --host HOST            of the callback
  --created-after TIME   such as 2026-11-20T12:00:00Z
  --created-before TIME
  --metadata NAME=VALUE  that was indexed; up to three times
  --count NUMBER         how many (${DEFAULT_COUNT})
  --all                  every one of them

Examples:
  pollhook list --status undelivered --host your-app.example.com
  pollhook list --all --json | jq -r .id`,
  options: {
    status: { type: "string" },
    outcome: { type: "string" },
    endpoint: { type: "string" },
    "request-id": { type: "string" },
    destination: { type: "string" },
    host: { type: "string" },
    "created-after": { type: "string" },
    "created-before": { type: "string" },
    metadata: { type: "string", multiple: true },
    count: { type: "string" },
    all: { type: "boolean" },
  },
  words: 0,
  async run({ args, io }) {
    const count = args.all ? Number.POSITIVE_INFINITY : (numberOf("count", args.count) ?? DEFAULT_COUNT);
    if (!(count >= 1)) throw new UsageError("--count must be at least 1.");
    const filter = defined({
      status: oneOf("status", args.status, [
        "waiting",
        "delivering",
        "delivered",
        "undelivered",
        "finished",
        "canceled",
      ]),
      outcome: oneOf("outcome", args.outcome, ["succeeded", "failed", "expired", "canceled"]),
      endpoint: args.endpoint,
      request_id: args["request-id"],
      destination: args.destination,
      host: args.host,
      created_after: args["created-after"],
      created_before: args["created-before"],
    });
    const metadata = Object.fromEntries((args.metadata ?? []).map(pairOf));
    const limit = Math.min(MAX_PAGE, Math.ceil(count));
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
