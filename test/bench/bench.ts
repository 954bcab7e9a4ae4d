/**
 * `npm run bench`: runs the parts, and writes test/bench/results.md and the plots that it shows.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, runCommand } from "../demo/worker-process.ts";
import { PARTS } from "./parts.ts";
import { withParts } from "./results.ts";
import type { Section } from "./section.ts";

const USAGE = `Usage: npm run bench -- [options]

Writes test/bench/results.md and test/bench/plots: of the parts that ran, the others stay as they are.

  --only <parts>  with commas between them, of: ${Object.keys(PARTS).join(", ")}
  --help          this text
`;

const FOLDER = join(ROOT, "test", "bench");
const RESULTS = join(FOLDER, "results.md");
const PLOTS = join(FOLDER, "plots");

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: "string" }, help: { type: "boolean" } } });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const names = values.only === undefined ? Object.keys(PARTS) : values.only.split(",");
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) throw new Error(`There is no part ${unknown}.\n\n${USAGE}`);
  for (const name of Object.keys(PARTS).filter((part) => names.includes(part))) await run(name);
  return 0;
}

/** Runs one part and writes what came of it at once: should the next one fail, it is not lost. */
async function run(name: string): Promise<void> {
  say(`${name} …`);
  const startedAt = Date.now();
  const section = await PARTS[name]?.();
  if (!section) return;
  mkdirSync(PLOTS, { recursive: true });
  for (const plot of section.plots) writeFileSync(join(PLOTS, `${plot.name}.svg`), plot.svg);
  const ran = new Map<string, { section: Section; setting: string }>([
    [name, { section, setting: setting() }],
  ]);
  writeFileSync(RESULTS, withParts(read(RESULTS), Object.keys(PARTS), ran));
  say(`${name}: ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** On what, and when. */
function setting(): string {
  const cores = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const { version } = JSON.parse(read(join(ROOT, "node_modules", "workerd", "package.json"))) as {
    version: string;
  };
  const machine = `${cores[0]?.model.trim() || "an unnamed processor"}, ${cores.length} cores, ${memory}`;
  return `${new Date().toISOString().slice(0, 10)}, on ${machine}; Node ${process.versions.node}, workerd ${version}.`;
}

await runCommand(main);
