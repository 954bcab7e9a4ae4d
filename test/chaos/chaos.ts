/**
 * `npm run chaos`: attacks the promises, and writes what came of it into test/chaos/results.md. It ends with 1 where one of
 * them did not hold.
 */
import { runCommand } from "../demo/worker-process.ts";
import { runReport } from "../report/command.ts";
import { PARTS } from "./parts.ts";

const HEAD = `# Under fault

Written by \`npm run chaos\`; [what is promised](../../README.md#guarantees-and-their-limits). Events lost must be 0.`;

await runCommand(() =>
  runReport({
    command: "npm run chaos",
    folder: "test/chaos",
    head: HEAD,
    parts: PARTS,
    // Ten minutes of measuring, which nothing else may share the machine with.
    onlyByName: ["load"],
    // Its outages last for minutes.
    beside: ["crash"],
  }),
);
