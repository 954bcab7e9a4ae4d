/**
 * The command line as a whole: the program that knows all commands, and what becomes of that which goes wrong: a line
 * and an exit code: 0 done, 1 refused or ended badly, 2 called in a way that makes no sense.
 */
import { readFileSync } from "node:fs";
import { Command as Commander, CommanderError } from "commander";
import { PollhookError } from "../client/index.ts";
import { BAD, type Command, type Io, OK, USAGE, UsageError } from "./command.ts";
import { destinations } from "./commands/destinations.ts";
import { cancel, job, redeliver, register, wait } from "./commands/jobs.ts";
import { list } from "./commands/list.ts";
import { listen } from "./commands/listen.ts";
import { token } from "./commands/mint.ts";
import { verify } from "./commands/verify.ts";
import { watch } from "./commands/watch.ts";
import { detailOf } from "./server.ts";
import { suggestionFor } from "./suggestion.ts";

const COMMANDS: readonly Command[] = [register, job, wait, watch, list, redeliver, cancel, listen, token];

const CLOSING = `
POLLHOOK_URL says where Pollhook is, POLLHOOK_TOKEN who you are. --help behind a
command tells more, --json prints JSON. It ends with 0 when all is well, 1 when
something is refused or has ended badly, 2 when it was called wrongly.`;

/** Runs one command; resolves to the exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const said = { out: "", err: "" };
  let code = OK;
  const program = programOf(said, io, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    const isJson = argv.includes("--json");
    if (error instanceof CommanderError) return explainCall(error, said, isJson, io);
    if (error instanceof UsageError) return explainUsage(error.message, isJson, io);
    if (error instanceof PollhookError) return explain(error, isJson, io);
    throw error;
  }
}

/** What commander writes is kept, so that it is said in one piece, and in the form that was asked for. */
function programOf(said: { out: string; err: string }, io: Io, end: (code: number) => void): Commander {
  const program = new Commander("pollhook")
    .usage("COMMAND [options]")
    .helpOption("-h, --help", "print this")
    .version(version(), "-V, --version", "print the version")
    .helpCommand("help [COMMAND]", "print this, or what a command does")
    // Here, too, for those who say it in front.
    .option("--json", "print JSON, one value a line")
    .addHelpText("after", CLOSING)
    .exitOverride()
    .configureHelp({ visibleCommands: leavesOf, subcommandTerm: pathOf })
    .configureOutput({
      writeOut: (text) => {
        said.out += text;
      },
      writeErr: (text) => {
        said.err += text;
      },
    });
  for (const add of COMMANDS) add(program, io, end);
  const group = program
    .command("destinations")
    .summary("The callbacks that have names")
    .description("The callbacks that have names.")
    .usage("COMMAND [options]")
    .helpOption("-h, --help", "print this")
    .helpCommand(false);
  for (const add of destinations) add(group, io, end);
  verify(program, io, end);
  for (const parent of [program, group])
    parent.on("command:*", ([word = ""]: readonly string[]) => {
      const names = parent.commands.map((command) => command.name());
      throw new UsageError(`unknown command '${word}'${suggestionFor(word, names)}`);
    });
  return program;
}

/** All commands that do something, also those within others. */
const leavesOf = (command: Commander): Commander[] =>
  command.commands.flatMap((child) => (child.commands.length > 0 ? leavesOf(child) : [child]));

const pathOf = (command: Commander): string =>
  command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();

/** Of the package: this file is as deep in it where it is written as where it is built. */
const version = (): string =>
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;

/** What commander ends with when it has printed help, and when it could not make sense of the call. */
function explainCall(
  { code, exitCode }: CommanderError,
  said: { out: string; err: string },
  isJson: boolean,
  io: Io,
) {
  if (exitCode === 0) {
    io.out(said.out.trimEnd());
    return OK;
  }
  // Help that nobody has asked for, for want of a command.
  const isHelp = code === "commander.help";
  if (isHelp && isJson) return explainUsage("A command is missing; --help lists them.", isJson, io);
  if (!isHelp) return explainUsage(said.err.replace(/^error: /, "").trimEnd(), isJson, io);
  io.err(said.err.trimEnd());
  return USAGE;
}

function explainUsage(detail: string, isJson: boolean, io: Io): number {
  io.err(
    isJson ? JSON.stringify({ code: "usage", status: null, field: null, detail }) : `pollhook: ${detail}`,
  );
  return USAGE;
}

function explain(error: PollhookError, isJson: boolean, io: Io): number {
  const { code, status, field } = error;
  const detail = detailOf(error, io);
  io.err(isJson ? JSON.stringify({ code, status, field, detail }) : `pollhook: ${detail} (${code})`);
  return BAD;
}
