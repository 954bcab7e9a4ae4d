/**
 * A command that runs parts, and writes what came of each into a results.md and the plots that it shows.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../demo/worker-process.ts";
import { withParts } from "./results.ts";
import type { Section } from "./section.ts";

export interface Report {
  /** As it is called: `npm run bench`. */
  readonly command: string;
  /** Below the root of the checkout; results.md and plots/ are in it. */
  readonly folder: string;
  /** What results.md begins with. */
  readonly head: string;
  /** In their order; each is loaded when it runs: what one needs, the others need not have. */
  readonly parts: Readonly<Record<string, () => Promise<Section>>>;
  /** Those that run only where they are named. */
  readonly onlyByName?: readonly string[];
  /** Those that run beside the others, which take turns: they measure no time, and spend most of theirs waiting. */
  readonly beside?: readonly string[];
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Runs what `--only` names, or all; 1 where something did not hold. Rejects where a part could not be run to its end. */
export async function runReport(report: Report): Promise<number> {
  const { parts, onlyByName = [] } = report;
  const { values } = parseArgs({ options: { only: { type: "string" }, help: { type: "boolean" } } });
  const usage = usageOf(report);
  if (values.help) {
    say(usage);
    return 0;
  }
  const names = values.only?.split(",") ?? Object.keys(parts).filter((name) => !onlyByName.includes(name));
  const unknown = names.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) throw new Error(`There is no part ${unknown}.\n\n${usage}`);
  const chosen = Object.keys(parts).filter((name) => names.includes(name));
  const { beside = [] } = report;
  const failures = await Promise.all([
    inTurn(
      report,
      chosen.filter((name) => !beside.includes(name)),
    ),
    ...chosen.filter((name) => beside.includes(name)).map((name) => runPart(report, name)),
  ]);
  return failures.every((count) => count === 0) ? 0 : 1;
}

async function inTurn(report: Report, names: readonly string[]): Promise<number> {
  let failures = 0;
  for (const name of names) failures += await runPart(report, name);
  return failures;
}

function usageOf({ command, folder, parts, onlyByName = [] }: Report): string {
  const named = onlyByName.length > 0 ? `; only where they are named: ${onlyByName.join(", ")}` : "";
  return `Usage: ${command} -- [options]

Writes ${folder}/results.md and ${folder}/plots: of the parts that ran, the others stay as they are.

  --only <parts>  with commas between them, of: ${Object.keys(parts).join(", ")}${named}
  --help          this text
`;
}

/** Runs one part and writes what came of it at once: should the next one fail, it is not lost. */
async function runPart({ folder, head, parts }: Report, name: string): Promise<number> {
  say(`${name} …`);
  const startedAt = Date.now();
  const section = await parts[name]?.();
  if (!section) return 0;
  const results = join(ROOT, folder, "results.md");
  if (section.plots.length > 0) mkdirSync(join(ROOT, folder, "plots"), { recursive: true });
  for (const plot of section.plots) writeFileSync(join(ROOT, folder, "plots", `${plot.name}.svg`), plot.svg);
  const ran = new Map<string, { section: Section; setting: string }>([
    [name, { section, setting: setting() }],
  ]);
  writeFileSync(results, withParts(head, read(results), Object.keys(parts), ran));
  const failures = section.failures ?? [];
  for (const failure of failures) say(`${name}: FAILED: ${failure}`);
  say(`${name}: ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  return failures.length;
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
