/**
 * The commands of destinations: list, put, test, rotate, pause, resume, delete.
 */
import { type Destination, Destinations } from "../../client/index.ts";
import {
  BAD,
  type Command,
  command,
  defined,
  flag,
  type Io,
  needed,
  number,
  OK,
  text,
  texts,
  UsageError,
  word,
} from "../command.ts";
import { destinationLine } from "../print.ts";
import { clientOf } from "../server.ts";

const open = (io: Io): Destinations => new Destinations(clientOf(io));

const list = command({
  name: "list",
  summary: "Lists destinations, by name",
  examples: ["pollhook destinations list"],
  async run({ args, io }) {
    for await (const destination of open(io).list()) show(destination, args.json, io);
    return OK;
  },
});

const put = command({
  name: "put",
  summary: "Creates or replaces a destination; prints its secret when that is new",
  words: ["NAME"],
  usage: "NAME --url URL [options]",
  options: {
    url: needed(text("URL", "where its events go")),
    header: texts("NAME: VALUE", "sent with every attempt; several times for several. Without: as they were"),
    format: word(["standard", "provider"], "FORMAT"),
    retrySchedule: text("LIST", "seconds before attempts 2, 3, …: 5,60,3600"),
    maxInFlight: number("NUMBER"),
    maxPerSecond: number("NUMBER"),
    ownSecret: flag("takes the secret from POLLHOOK_SECRET in place of a new one"),
  },
  examples: [
    "pollhook destinations put app --url https://your-app.example.com/hook --retry-schedule 5,60,3600",
  ],
  async run({ args, words: [name = ""], io }) {
    const more = defined({
      headers: args.header && Object.fromEntries(args.header.map(headerOf)),
      format: args.format,
      retry_schedule: args.retrySchedule === undefined ? undefined : gapsOf(args.retrySchedule),
      secret: args.ownSecret ? ownSecret(io) : undefined,
      max_in_flight: args.maxInFlight,
      max_per_second: args.maxPerSecond,
    });
    const saved = await open(io).put(name, { url: args.url, ...more });
    show(saved, args.json, io);
    if (!args.json && saved.secret !== undefined) io.out(`secret: ${saved.secret}  (is not shown again)`);
    return OK;
  },
});

const test = command({
  name: "test",
  summary: "Sends a destination a ping; ends with 1 when that is not accepted",
  words: ["NAME"],
  examples: ["pollhook destinations test app"],
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
  name: "rotate",
  summary: "Gives a destination a new secret and prints it; the old one signs, too, for a while",
  words: ["NAME"],
  options: {
    overlap: number("SECONDS", "how long both sign (86400)"),
    ownSecret: flag("takes the secret from POLLHOOK_SECRET in place of a new one"),
  },
  examples: ["pollhook destinations rotate app --overlap 3600"],
  async run({ args, words: [name = ""], io }) {
    const secret = args.ownSecret ? ownSecret(io) : undefined;
    const to = defined({ overlapSeconds: args.overlap, secret });
    const rotated = await open(io).rotateSecret(name, to);
    io.out(args.json ? JSON.stringify(rotated) : rotated.secret);
    return OK;
  },
});

const switched = (verb: "pause" | "resume", summary: string) =>
  command({
    name: verb,
    summary,
    words: ["NAME"],
    examples: [`pollhook destinations ${verb} app`],
    run: async ({ args, words: [name = ""], io }) => show(await open(io)[verb](name), args.json, io),
  });

const remove = command({
  name: "delete",
  summary: "Deletes a destination; what was still to go there can be redelivered elsewhere",
  words: ["NAME"],
  examples: ["pollhook destinations delete app"],
  async run({ args, words: [name = ""], io }) {
    await open(io).delete(name);
    if (args.json) io.out(JSON.stringify({ name, deleted: true }));
    return OK;
  },
});

export const destinations: readonly Command[] = [
  list,
  put,
  test,
  rotate,
  switched("pause", "Holds the deliveries to a destination back"),
  switched("resume", "Lets them go again"),
  remove,
];

function ownSecret({ env }: Io): string {
  if (env.POLLHOOK_SECRET) return env.POLLHOOK_SECRET;
  throw new UsageError("Set POLLHOOK_SECRET to the secret.");
}

function gapsOf(list: string): number[] {
  const gaps = list.split(",").filter((text) => text !== "");
  if (gaps.some((text) => !Number.isFinite(Number(text))))
    throw new UsageError("--retry-schedule must be numbers of seconds: 5,60,3600");
  return gaps.map(Number);
}

function show(destination: Destination, asJson: boolean | undefined, io: Io): number {
  io.out(asJson ? JSON.stringify(destination) : destinationLine(destination));
  return OK;
}

function headerOf(text: string): readonly [string, string] {
  const at = text.indexOf(":");
  if (at < 1) throw new UsageError('--header must be "NAME: VALUE".');
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
