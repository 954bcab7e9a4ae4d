/**
 * The command line as a whole: finds the command, and turns what goes wrong into a line and an exit code: 0 done, 1
 * refused or ended badly, 2 called in a way that makes no sense.
 */
import { PollhookError } from "../client/index.ts";
import { BAD, type Command, type Io, OK, USAGE, UsageError } from "./command.ts";
import { destinations } from "./commands/destinations.ts";
import { cancel, job, redeliver, register, wait } from "./commands/jobs.ts";
import { list } from "./commands/list.ts";
import { token } from "./commands/mint.ts";
import { verify } from "./commands/verify.ts";
import { watch } from "./commands/watch.ts";

const COMMANDS: Readonly<Record<string, Command | Readonly<Record<string, Command>>>> = {
  register,
  job,
  wait,
  watch,
  list,
  redeliver,
  cancel,
  token,
  destinations,
  verify,
};

/** Runs one command; resolves to the exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [first = "", second = "", ...rest] = argv;
  try {
    if (first === "" || isHelp(first) || first === "help") {
      io.out(usageOf(COMMANDS));
      return first === "" ? USAGE : OK;
    }
    const found = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
    if (!found) throw new UsageError(`There is no command "${first}". See pollhook --help.`);
    if (isCommand(found)) return await found.execute(argv.slice(1), io);
    if (isHelp(second)) {
      io.out(usageOf(found));
      return OK;
    }
    const sub = Object.hasOwn(found, second) ? found[second] : undefined;
    if (!sub) throw new UsageError(`Usage: pollhook ${first} ${Object.keys(found).join(" | ")}`);
    return await sub.execute(rest, io);
  } catch (error) {
    return explain(error, argv.includes("--json"), io);
  }
}

function explain(error: unknown, asJson: boolean, io: Io): number {
  if (error instanceof UsageError) {
    io.err(`pollhook: ${error.message}`);
    return USAGE;
  }
  if (!(error instanceof PollhookError)) throw error;
  const { code, status, field, detail } = error;
  io.err(asJson ? JSON.stringify({ code, status, field, detail }) : `pollhook: ${detail} (${code})`);
  return BAD;
}

const isCommand = (found: Command | Readonly<Record<string, Command>>): found is Command =>
  typeof found.execute === "function";

const isHelp = (word: string): boolean => word === "--help" || word === "-h";

function usageOf(commands: typeof COMMANDS): string {
  const all = Object.values(commands).flatMap((found) => (isCommand(found) ? [found] : Object.values(found)));
  const names = all.map(({ usage }) => usage.split(" [")[0]?.split(" (")[0] ?? "");
  const width = Math.max(...names.map((name) => name.length)) + 2;
  return [
    "Usage: pollhook COMMAND [options]",
    "",
    ...all.map(({ summary }, index) => `  ${(names[index] ?? "").padEnd(width)}${summary}`),
    "",
    "POLLHOOK_URL says where Pollhook is, POLLHOOK_TOKEN who you are. --help behind a command tells more, --json prints",
    "JSON. It ends with 0 when all is well, 1 when something is refused or has ended badly, 2 when it was called wrongly.",
  ].join("\n");
}
