/**
 * `npm run bench`: runs the parts, and writes test/bench/results.md and the plots that it shows.
 */
import { runCommand } from "../demo/worker-process.ts";
import { runReport } from "../report/command.ts";
import { PARTS } from "./parts.ts";

const HEAD = `# Results

Written by \`npm run bench\`; [what it measures](../../README.md#figures). Only ratios taken in one run are compared.`;

await runCommand(() =>
  runReport({ command: "npm run bench", folder: "test/bench", head: HEAD, parts: PARTS }),
);
