#!/usr/bin/env node
/**
 * The package's `bin`: what the commands need of the process they run in.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
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
  load: (path) =>
    readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw new UsageError(`${path} cannot be read.`);
    }),
  save: async (path, text) => {
    const aside = `${path}.${process.pid}`;
    const written = writeFile(aside, text, { flush: true }).then(() => rename(aside, path));
    await written.catch(() => Promise.reject(new UsageError(`${path} cannot be written.`)));
  },
  interrupted: () => {
    const controller = new AbortController();
    // Once: a second one ends the process, as ever.
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort());
    return controller.signal;
  },
  status: process.stdout.isTTY ? (line) => process.stdout.write(ERASE_LINE + line) : null,
});
