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
  number,
  OK,
  text,
  texts,
  UsageError,
  word,
} from "../command.ts";
import { jobLines } from "../print.ts";

export const register: Command = command({
  name: "register",
  summary: "Registers a request and prints its job",
  notes: "A provider key of your own is read from POLLHOOK_PROVIDER_KEY.",
  usage: "(--request-id ID | --fetch-url URL | --response FILE) [options]",
  options: {
    requestId: text("ID", "the id of the provider's generation answer"),
    fetchUrl: text("URL", "its fetch_result"),
    response: text("FILE", "the whole answer, as it came; - for standard input"),
    endpoint: text("NAME", "the provider's path in front of /fetch, such as v6/video"),
    callbackUrl: text("URL", "where the event goes"),
    destination: text("NAME", "the same, by name"),
    eta: number("SECONDS", "until the first poll"),
    deadline: number("SECONDS", "until it is given up"),
    format: word(["standard", "provider"], "FORMAT"),
    metadata: text("JSON", "an object that is handed back in the event"),
    index: texts("NAME", "of metadata that lists can be filtered by; up to three times"),
  },
  examples: [
    "pollhook register --request-id 12202888 --eta 20 --callback-url https://your-app.example.com/hook",
    "curl … | pollhook register --response - --endpoint v3 --destination app",
  ],
  async run({ args, io }) {
    const extras: RegistrationExtras = defined({
      endpoint: args.endpoint,
      callback_url: args.callbackUrl,
      destination: args.destination,
      eta: args.eta,
      deadline_seconds: args.deadline,
      format: args.format,
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
            ...defined({ request_id: args.requestId, fetch_url: args.fetchUrl }),
          });
    return show(job, args.json, io);
  },
});

export const job: Command = command({
  name: "job",
  summary: "Prints a job with its timeline",
  words: ["ID"],
  examples: ["pollhook job job_k5zcct67ygy3wdgtzggqgg7u6oqwee5e"],
  run: async ({ args, words: [id = ""], io }) => show(await clientOf(io).job(id), args.json, io),
});

export const wait: Command = command({
  name: "wait",
  summary: "Waits for a job; ends with 0 only if the request has succeeded",
  words: ["ID"],
  options: {
    until: word(["outcome", "over"], "WORD", "outcome (the default), or over: the delivery, too"),
    timeout: number("SECONDS", "how long; ends with 1 when that is not enough"),
  },
  examples: ["pollhook wait job_… --timeout 120 --json | jq .result.output"],
  async run({ args, words: [id = ""], io }) {
    const { until = "outcome" } = args;
    const job = await clientOf(io).wait(id, { until, ...defined({ timeoutSeconds: args.timeout }) });
    show(job, args.json, io);
    return endOf(job, until === "over");
  },
});

export const cancel: Command = command({
  name: "cancel",
  summary: "Stops a job",
  words: ["ID"],
  examples: ["pollhook cancel job_…"],
  run: async ({ args, words: [id = ""], io }) => show(await clientOf(io).cancel(id), args.json, io),
});

export const redeliver: Command = command({
  name: "redeliver",
  summary: "Sends a job's event again, at once",
  notes: "It is not tried again when no answer comes: the event may have gone out. Look with pollhook job.",
  words: ["ID"],
  options: {
    callbackUrl: text("URL", "to this URL from now on"),
    destination: text("NAME", "to this destination from now on"),
  },
  examples: ["pollhook redeliver job_… --callback-url https://your-app.example.com/repaired"],
  async run({ args, words: [id = ""], io }) {
    const to = defined({ callback_url: args.callbackUrl, destination: args.destination });
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
