/**
 * What a command of the command line is: its options, its help, and what it does. Parsing and help are
 * commander's; here it is told of a command by a table, from which the types of the options follow.
 */
import { type Command as Commander, InvalidArgumentError, Option } from "commander";

/** What a command talks to. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line on standard output. */
  readonly out: (line: string) => void;
  /** One line on standard error. */
  readonly err: (line: string) => void;
  /** The text of a file, or of standard input for `-`. */
  readonly read: (path: string) => Promise<string>;
  /** The text of a file that may not be there yet. */
  readonly load: (path: string) => Promise<string | null>;
  /** Replaces a file, or leaves it as it is. */
  readonly save: (path: string, text: string) => Promise<void>;
  /** From now on an interrupt (Ctrl-C) aborts the signal, and no more than that. */
  readonly interrupted: () => AbortSignal;
  /** Replaces the last line of a terminal; `null` where there is no terminal. */
  readonly status: ((text: string) => void) | null;
}

interface OptionSpec {
  readonly type: "flag" | "text" | "texts" | "number" | "word";
  /** What its value is called in the help. */
  readonly value: string | null;
  readonly help: string;
  readonly words?: readonly string[];
  readonly isNeeded?: boolean;
}

type ValueOf<Spec extends OptionSpec> = Spec extends { readonly type: "flag" }
  ? boolean
  : Spec extends { readonly type: "number" }
    ? number
    : Spec extends { readonly type: "texts" }
      ? readonly string[]
      : Spec extends { readonly words: readonly (infer Word)[] }
        ? Word
        : string;

/** By their names without dashes: `requestId` is `--request-id`. */
type Options = Readonly<Record<string, OptionSpec>>;
type Values<O extends Options> = {
  readonly [Name in keyof O]:
    | ValueOf<O[Name]>
    | (O[Name] extends { readonly isNeeded: true } ? never : undefined);
} & { readonly json: boolean | undefined };

export const flag = (help: string) => ({ type: "flag", value: null, help }) as const;
export const text = (value: string, help = "") => ({ type: "text", value, help }) as const;
/** May be said several times. */
export const texts = (value: string, help = "") => ({ type: "texts", value, help }) as const;
/** The server judges which numbers are sensible. */
export const number = (value: string, help = "") => ({ type: "number", value, help }) as const;
/** A word out of a few. */
export const word = <const Words extends readonly string[]>(words: Words, value = "WORD", help = "") =>
  ({ type: "word", value, words, help: help || oneOf(words) }) as const;
/** Without it the command makes no sense. */
export const needed = <const Spec extends OptionSpec>(spec: Spec) => ({ ...spec, isNeeded: true }) as const;

export interface Spec<O extends Options> {
  /** What it is called by. */
  readonly name: string;
  /** Half a line for the list of commands. */
  readonly summary: string;
  /** What else its help says. */
  readonly notes?: string;
  /** What stands behind its name, if that is more than its words: `(--request-id ID | …) [options]`. */
  readonly usage?: string;
  /** What it needs that is no option: `["ID"]`. */
  readonly words?: readonly string[];
  readonly options?: O;
  /** Lines to type. */
  readonly examples: readonly string[];
  /** Returns the exit code. */
  readonly run: (call: {
    readonly args: Values<O>;
    readonly words: readonly string[];
    readonly io: Io;
  }) => Promise<number>;
}

/** Adds itself to a program, or to a command that has commands of its own; `end` hears the exit code. */
export type Command = (parent: Commander, io: Io, end: (code: number) => void) => void;

/** Done, and well. */
export const OK = 0;
/** Refused, failed, or ended badly. */
export const BAD = 1;
/** Called in a way that makes no sense. */
export const USAGE = 2;

export class UsageError extends Error {}

/** Makes a command of what is particular about it. */
export const command =
  <const O extends Options = Record<never, never>>(spec: Spec<O>): Command =>
  (parent, io, end) => {
    const { name, summary, notes, words = [], usage = [...words, "[options]"].join(" "), examples } = spec;
    const self = parent
      .command(name)
      .summary(summary)
      // Commander breaks the lines, as the terminal is wide.
      .description(
        [`${summary}.`, ...(notes === undefined ? [] : [notes.replaceAll("\n", " ")])].join("\n\n"),
      )
      .usage(usage)
      .showHelpAfterError(`Usage: pollhook ${nameOf(parent, name)} ${usage}`)
      .addHelpText(
        "after",
        `\nExample${examples.length > 1 ? "s" : ""}:\n${examples.map(indent).join("\n")}`,
      );
    for (const word of words) self.argument(`<${word}>`);
    for (const [name, option] of Object.entries<OptionSpec>(spec.options ?? {}))
      self.addOption(optionOf(name, option));
    self.option("--json", "print JSON, one value a line");
    self.helpOption("-h, --help", "print this");
    self.action(async () => {
      const args = self.optsWithGlobals<Values<O>>();
      end(await spec.run({ args, words: self.args, io }));
    });
  };

const nameOf = (parent: Commander, name: string): string =>
  parent.parent ? `${parent.name()} ${name}` : name;

const indent = (line: string): string => `  ${line}`;

function optionOf(name: string, { type, value, help, words, isNeeded = false }: OptionSpec): Option {
  const flags = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const option = new Option(value === null ? flags : `${flags} <${value}>`, help);
  option.makeOptionMandatory(isNeeded);
  if (type === "number") option.argParser(numberOf);
  if (type === "texts") option.argParser((text, before: readonly string[] = []) => [...before, text]);
  // Not commander's `choices`, which would show them a second time in the help.
  if (words)
    option.argParser((text) => (words.includes(text) ? text : refuse(`It must be ${oneOf(words)}.`)));
  return option;
}

/** Commander makes an error of it that names the option. */
function refuse(detail: string): never {
  throw new InvalidArgumentError(detail);
}

function numberOf(text: string): number {
  const value = Number(text);
  return text.trim() === "" || !Number.isFinite(value) ? refuse("It must be a number.") : value;
}

/** `a, b or c` */
const oneOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;

/** The object without the members that are `undefined`. */
export const defined = <T extends object>(values: T): { [Name in keyof T]: Exclude<T[Name], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

/** A number that is counted with. */
export function whole(name: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
  throw new UsageError(`--${name} must be a whole number, at least ${least}.`);
}
