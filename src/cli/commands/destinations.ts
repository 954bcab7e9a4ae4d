/**
 * The commands of destinations: list, put, test, rotate, pause, resume, delete.
 */
import { type Destination, Destinations } from "../../client/index.ts";
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
import { destinationLine } from "../print.ts";

const open = (io: Io): Destinations => new Destinations(clientOf(io));

const put = command({
  summary: "Creates or replaces a destination; prints its secret when that is new",
  usage: "destinations put NAME --url URL [options]",
  help: `  --url URL                where its events go
  --header "NAME: VALUE"   sent with every attempt; several times for several. Without: as they were
  --format FORMAT          standard or provider
  --retry-schedule LIST    seconds before attempts 2, 3, …: 5,60,3600
  --max-in-flight NUMBER
  --max-per-second NUMBER
  --own-secret             takes the secret from POLLHOOK_SECRET in place of a new one

Example:
  pollhook destinations put app --url https://your-app.example.com/hook --retry-schedule 5,60,3600`,
  options: {
    url: { type: "string" },
    header: { type: "string", multiple: true },
    format: { type: "string" },
    "retry-schedule": { type: "string" },
    "max-in-flight": { type: "string" },
    "max-per-second": { type: "string" },
    "own-secret": { type: "boolean" },
  },
  words: 1,
  async run({ args, words: [name = ""], io }) {
    if (args.url === undefined) throw new UsageError("--url is needed.");
    const secret = args["own-secret"] ? io.env.POLLHOOK_SECRET : undefined;
    if (args["own-secret"] && !secret) throw new UsageError("Set POLLHOOK_SECRET to the secret.");
    const schedule = args["retry-schedule"];
    const gaps = schedule?.split(",").filter((text) => text !== "");
    const more = defined({
      headers: args.header && Object.fromEntries(args.header.map(headerOf)),
      format: oneOf("format", args.format, ["standard", "provider"]),
      retry_schedule: gaps?.map((text) => numberOf("retry-schedule", text) ?? 0),
      secret,
      max_in_flight: numberOf("max-in-flight", args["max-in-flight"]),
      max_per_second: numberOf("max-per-second", args["max-per-second"]),
    });
    const saved = await open(io).put(name, { url: args.url, ...more });
    show(saved, args.json, io);
    if (!args.json && saved.secret !== undefined) io.out(`secret: ${saved.secret}  (is not shown again)`);
    return OK;
  },
});

const list = command({
  summary: "Lists destinations, by name",
  usage: "destinations list [options]",
  help: "Options:\n\nExample:\n  pollhook destinations list",
  options: {},
  words: 0,
  async run({ args, io }) {
    for await (const destination of open(io).list()) show(destination, args.json, io);
    return OK;
  },
});

const test = command({
  summary: "Sends a destination a ping; ends with 1 when that is not accepted",
  usage: "destinations test NAME [options]",
  help: "Options:\n\nExample:\n  pollhook destinations test app",
  options: {},
  words: 1,
  async run({ args, words: [name = ""], io }) {
    const result = await open(io).test(name);
    const { delivered, http_status, reason } = result;
    const text = delivered
      ? `delivered (${http_status})`
      : `not delivered: ${reason}${http_status ? ` (${http_status})` : ""}`;
    io.out(args.json ? JSON.stringify(result) : text);
    return delivered ? OK : BAD;
  },
});

const rotate = command({
  summary: "Gives a destination a new secret and prints it; the old one signs, too, for a while",
  usage: "destinations rotate NAME [--overlap SECONDS] [options]",
  help: `  --overlap SECONDS        how long both sign (86400)

Example:
  pollhook destinations rotate app --overlap 3600`,
  options: { overlap: { type: "string" } },
  words: 1,
  async run({ args, words: [name = ""], io }) {
    const rotated = await open(io).rotateSecret(name, numberOf("overlap", args.overlap));
    io.out(args.json ? JSON.stringify(rotated) : rotated.secret);
    return OK;
  },
});

const switched = (verb: "pause" | "resume", summary: string) =>
  command({
    summary,
    usage: `destinations ${verb} NAME [options]`,
    help: `Options:\n\nExample:\n  pollhook destinations ${verb} app`,
    options: {},
    words: 1,
    run: async ({ args, words: [name = ""], io }) => show(await open(io)[verb](name), args.json, io),
  });

const remove = command({
  summary: "Deletes a destination; what was still to go there can be redelivered elsewhere",
  usage: "destinations delete NAME [options]",
  help: "Options:\n\nExample:\n  pollhook destinations delete app",
  options: {},
  words: 1,
  async run({ words: [name = ""], io }) {
    await open(io).delete(name);
    return OK;
  },
});

export const destinations: Readonly<Record<string, Command>> = {
  list,
  put,
  test,
  rotate,
  pause: switched("pause", "Holds the deliveries to a destination back"),
  resume: switched("resume", "Lets them go again"),
  delete: remove,
};

function show(destination: Destination, asJson: boolean | undefined, io: Io): number {
  io.out(asJson ? JSON.stringify(destination) : destinationLine(destination));
  return OK;
}

function headerOf(text: string): readonly [string, string] {
  const at = text.indexOf(":");
  if (at < 1) throw new UsageError('--header must be "NAME: VALUE".');
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
