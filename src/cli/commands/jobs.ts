/**
 * The commands of one job: register, job, wait, cancel, redeliver.
 */
import type { Job, RegistrationExtras } from "../../client/index.ts";
import {
  BAD,
  type Command,
  clientOf,
  command,
  defined,
  type Io,
  numberOf,
  OK,
  oneOf,
  UsageError,
} from "../command.ts";
import { jobLines } from "../print.ts";

const CALLBACK = { "callback-url": { type: "string" }, destination: { type: "string" } } as const;

export const register: Command = command({
  summary: "Registers a request and prints its job",
  usage: "register (--request-id ID | --fetch-url URL | --response FILE) [options]",
  help: `  --request-id ID        the id of the provider's generation answer
  --fetch-url URL        its fetch_result
  --response FILE        the whole answer, as it came; - for standard input
  --endpoint NAME        the provider's path in front of /fetch, such as v6/video
  --callback-url URL     where the event goes
  --destination NAME     the same, by name
  --eta SECONDS          until the first poll
  --deadline SECONDS     until it is given up
  --format FORMAT        standard or provider
  --metadata JSON        an object that is handed back in the event
  --index NAME           of metadata that lists can be filtered by; up to three times

A provider key of your own is read from POLLHOOK_PROVIDER_KEY.

Examples:
  pollhook register --request-id 12202888 --eta 20 --callback-url https://your-app.example.com/hook
  curl … | pollhook register --response - --endpoint v3 --destination app`,
  options: {
    ...CALLBACK,
    "request-id": { type: "string" },
    "fetch-url": { type: "string" },
    response: { type: "string" },
    endpoint: { type: "string" },
    eta: { type: "string" },
    deadline: { type: "string" },
    format: { type: "string" },
    metadata: { type: "string" },
    index: { type: "string", multiple: true },
  },
  words: 0,
  async run({ args, io }) {
    const extras: RegistrationExtras = defined({
      endpoint: args.endpoint,
      callback_url: args["callback-url"],
      destination: args.destination,
      eta: numberOf("eta", args.eta),
      deadline_seconds: numberOf("deadline", args.deadline),
      format: oneOf("format", args.format, ["standard", "provider"]),
      metadata: args.metadata === undefined ? undefined : objectOf(args.metadata),
      index: args.index,
      key: io.env.POLLHOOK_PROVIDER_KEY || undefined,
    });
    const client = clientOf(io);
    const { response } = args;
    const job =
      response !== undefined
        ? await client.registerResponse(await io.read(response), extras)
        : await client.register({
            ...extras,
            ...defined({ request_id: args["request-id"], fetch_url: args["fetch-url"] }),
          });
    return show(job, args.json, io);
  },
});

export const job: Command = command({
  summary: "Prints a job with its timeline",
  usage: "job ID [options]",
  help: `Options:

Example:
  pollhook job job_k5zcct67ygy3wdgtzggqgg7u6oqwee5e`,
  options: {},
  words: 1,
  run: async ({ args, words: [id = ""], io }) => show(await clientOf(io).job(id), args.json, io),
});

export const wait: Command = command({
  summary: "Waits for a job; ends with 0 only if the request has succeeded",
  usage: "wait ID [--until over] [--timeout SECONDS] [options]",
  help: `  --until WORD           outcome (the default), or over: the delivery, too
  --timeout SECONDS      how long; ends with 1 when that is not enough

Example:
  pollhook wait job_… --timeout 120 --json | jq .result.output`,
  options: { until: { type: "string" }, timeout: { type: "string" } },
  words: 1,
  async run({ args, words: [id = ""], io }) {
    const until = oneOf("until", args.until, ["outcome", "over"]) ?? "outcome";
    const limit = defined({ timeoutSeconds: numberOf("timeout", args.timeout) });
    const job = await clientOf(io).wait(id, { until, ...limit });
    show(job, args.json, io);
    return endOf(job, until === "over");
  },
});

export const cancel: Command = command({
  summary: "Stops a job",
  usage: "cancel ID [options]",
  help: `Options:

Example:
  pollhook cancel job_…`,
  options: {},
  words: 1,
  run: async ({ args, words: [id = ""], io }) => show(await clientOf(io).cancel(id), args.json, io),
});

export const redeliver: Command = command({
  summary: "Sends a job's event again, at once",
  usage: "redeliver ID [options]",
  help: `  --callback-url URL     to this URL from now on
  --destination NAME     to this destination from now on

It is not tried again when no answer comes: the event may have gone out. Look with pollhook job.

Example:
  pollhook redeliver job_… --callback-url https://your-app.example.com/repaired`,
  options: CALLBACK,
  words: 1,
  async run({ args, words: [id = ""], io }) {
    const to = defined({ callback_url: args["callback-url"], destination: args.destination });
    return show(await clientOf(io).redeliver(id, to), args.json, io);
  },
});

/** What a script is told of how a job has ended. */
export const endOf = ({ outcome, status }: Pick<Job, "outcome" | "status">, withDelivery: boolean): number =>
  outcome === "succeeded" && !(withDelivery && status === "undelivered") ? OK : BAD;

function show(job: Job, asJson: boolean | undefined, io: Io): number {
  for (const line of asJson ? [JSON.stringify(job)] : jobLines(job)) io.out(line);
  return OK;
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new UsageError("--metadata must be a JSON object.");
}
