#!/usr/bin/env node
/**
 * The package's `bin`: what the commands need of the process they run in.
 */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { UsageError } from "./command.ts";
import { run } from "./run.ts";

/** Carriage return, and erase to the end of the line. */
const ERASE_LINE = "\r\x1b[K";

// Whoever reads along may have enough, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  read: async (path) => {
    if (path === "-") return text(process.stdin);
    return readFile(path, "utf8").catch(() => Promise.reject(new UsageError(`${path} cannot be read.`)));
  },
  status: process.stdout.isTTY ? (line) => process.stdout.write(ERASE_LINE + line) : null,
});
