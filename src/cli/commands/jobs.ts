/**
 * The commands of one job: register, job, wait, cancel, redeliver.
 */
import type { Job, PollhookClient } from "../../client/index.ts";
import {
  BAD,
  type Command,
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
import { answerLine, clientOf } from "../server.ts";

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
    eta: number("SECONDS", "until it is ready, as the provider says"),
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
    const { response, requestId, fetchUrl } = args;
    if ((response ?? requestId ?? fetchUrl) === undefined)
      throw new UsageError("Name the request: by --request-id, --fetch-url or --response.");
    const said = defined({
      request_id: requestId,
      fetch_url: fetchUrl,
      endpoint: args.endpoint,
      callback_url: args.callbackUrl,
      destination: args.destination,
      eta: args.eta,
      deadline_seconds: args.deadline,
      format: args.format,
      index: args.index,
      key: io.env.POLLHOOK_PROVIDER_KEY || undefined,
    });
    // As they came: parsed and written again, big integers would lose their digits.
    const texts = defined({
      metadata: args.metadata === undefined ? undefined : objectText("--metadata", args.metadata),
      response: response === undefined ? undefined : objectText(response, await io.read(response)),
    });
    const members = [
      ...Object.entries(said).map(([name, value]) => [name, JSON.stringify(value)]),
      ...Object.entries(texts),
    ].map(([name, text]) => `"${name}":${text}`);
    const client = clientOf(io);
    return show(await client.register(`{${members.join()}}`), { client, args, io });
  },
});

export const job: Command = command({
  name: "job",
  summary: "Prints a job with its timeline",
  words: ["ID"],
  examples: ["pollhook job job_k5zcct67ygy3wdgtzggqgg7u6oqwee5e"],
  async run({ args, words: [id = ""], io }) {
    const client = clientOf(io);
    return show(await client.job(id), { client, args, io });
  },
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
    const client = clientOf(io);
    const job = await client.wait(id, { until, timeoutSeconds: args.timeout });
    show(job, { client, args, io });
    return endOf(job, until === "over");
  },
});

export const cancel: Command = command({
  name: "cancel",
  summary: "Stops a job",
  words: ["ID"],
  examples: ["pollhook cancel job_…"],
  async run({ args, words: [id = ""], io }) {
    const client = clientOf(io);
    return show(await client.cancel(id), { client, args, io });
  },
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
    const client = clientOf(io);
    return show(await client.redeliver(id, to), { client, args, io });
  },
});

/** What a script is told of how a job has ended. */
export const endOf = ({ outcome, status }: Pick<Job, "outcome" | "status">, withDelivery: boolean): number =>
  outcome === "succeeded" && !(withDelivery && status === "undelivered") ? OK : BAD;

interface Shown {
  readonly client: PollhookClient;
  readonly args: { readonly json: boolean | undefined };
  readonly io: Io;
}

/** The job that the client was answered last. */
function show(job: Job, { client, args, io }: Shown): number {
  for (const line of args.json ? [answerLine(client)] : jobLines(job)) io.out(line);
  return OK;
}

/** `text`, if it is one JSON object and nothing else. */
function objectText(name: string, text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return text;
  } catch {
    // Said below.
  }
  throw new UsageError(`${name} must be a JSON object.`);
}
