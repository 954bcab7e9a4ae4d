/**
 * What a command of the command line is: its options, its help, and what it does with a client. Parsing is Node's own
 * `parseArgs`, strict: what a command does not know it refuses.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { PollhookClient } from "../client/index.ts";

/** What a command talks to. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line on standard output. */
  readonly out: (line: string) => void;
  /** One line on standard error. */
  readonly err: (line: string) => void;
  /** The text of a file, or of standard input for `-`. */
  readonly read: (path: string) => Promise<string>;
  /** Replaces the last line of a terminal; `null` where there is no terminal. */
  readonly status: ((text: string) => void) | null;
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O & typeof COMMON; allowPositionals: true; strict: true }>
>["values"];

export interface Spec<O extends Options> {
  /** Half a line for the list of commands. */
  readonly summary: string;
  /** What stands behind `pollhook`: `wait ID [options]`. */
  readonly usage: string;
  /** Lines on the options, and an example or two. */
  readonly help: string;
  readonly options: O;
  /** How many words it needs that are no options. */
  readonly words: number;
  /** Returns the exit code. */
  readonly run: (call: {
    readonly args: Values<O>;
    readonly words: readonly string[];
    readonly io: Io;
  }) => Promise<number>;
}

export interface Command {
  readonly summary: string;
  readonly usage: string;
  readonly execute: (argv: readonly string[], io: Io) => Promise<number>;
}

/** Done, and well. */
export const OK = 0;
/** Refused, failed, or ended badly. */
export const BAD = 1;
/** Called in a way that makes no sense. */
export const USAGE = 2;

export class UsageError extends Error {}

const COMMON = {
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const COMMON_HELP = `  --json                 print JSON, one value a line
  -h, --help             print this`;

/** Makes a command of what is particular about it. */
export function command<const O extends Options>(spec: Spec<O>): Command {
  const help = `Usage: pollhook ${spec.usage}\n\n${spec.summary}.\n\n${spec.help.trimEnd()}`;
  return {
    summary: spec.summary,
    usage: spec.usage,
    async execute(argv, io) {
      const { values, positionals } = parse(argv, spec.options);
      if ((values as { help?: boolean }).help) {
        io.out(help.replace(/\n\n(?=Example)/, `\n${COMMON_HELP}\n\n`));
        return OK;
      }
      if (positionals.length !== spec.words) throw new UsageError(`Usage: pollhook ${spec.usage}`);
      return spec.run({ args: values, words: positionals, io });
    },
  };
}

function parse<const O extends Options>(argv: readonly string[], options: O) {
  try {
    const config = {
      args: [...argv],
      options: { ...options, ...COMMON },
      allowPositionals: true,
      strict: true,
    } as const;
    const { values, positionals } = parseArgs(config);
    return { values: values as unknown as Values<O>, positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The client that the environment describes. */
export function clientOf({ env }: Io): PollhookClient {
  const { POLLHOOK_URL: url, POLLHOOK_TOKEN: token } = env;
  if (!url || !/^https?:\/\//.test(url))
    throw new UsageError("Set POLLHOOK_URL to where Pollhook is reached: https://…");
  if (!token) throw new UsageError("Set POLLHOOK_TOKEN to a token of yours.");
  return new PollhookClient({ url, token });
}

/** A number that an option was given; the server judges which are sensible. */
export function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new UsageError(`--${name} must be a number.`);
  return value;
}

/** A word out of a few. */
export function oneOf<const Word extends string>(
  name: string,
  text: string | undefined,
  words: readonly Word[],
): Word | undefined {
  const word = words.find((word) => word === text);
  if (text !== undefined && word === undefined)
    throw new UsageError(`--${name} must be one of ${words.join(", ")}.`);
  return word;
}

/** The object without the members that are `undefined`. */
export const defined = <T extends object>(values: T): { [Name in keyof T]: Exclude<T[Name], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
