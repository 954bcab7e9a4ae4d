/**
 * `npm run bench:throughput`: Pollhook beside a bare Worker, a Workflow and a queue, in one run. Prints tables, and ratios
 * beside what they should be; fails only when a job is lost or arrives twice, never for being slow.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, runCommand } from "../../demo/worker-process.ts";
import { profileSubjects } from "./profiling.ts";
import type { ThroughputOptions } from "./run.ts";
import { FULL, throughputBody, throughputSection } from "./section.ts";
import { availableSubjects, ON_PLAIN_WORKERD, SUBJECTS, type SubjectName } from "./subjects.ts";

const USAGE = `Usage: npm run bench:throughput -- [options]

  --subjects <a,b>  of ${SUBJECTS.join(", ")} (default: all that can run here)
                    bullmq needs a redis-server on the PATH, and npm install --no-save bullmq@6.7.0 ioredis@6.0.0
  --jobs <n>        whose whole life is measured; at most 300 where wrangler dev is the server (default: ${FULL.jobs})
  --waiting <n>     that wait while memory and disk are looked at, or as many as the time allows (default: ${FULL.waiting})
  --rounds <n>      in which all but the slow subjects take turns (default: ${FULL.rounds})
  --profile <into>  write profiles of subjects on plain workerd into the folder, and measure nothing
  --root <folder>   another checkout, whose Pollhook is measured in place of this one's
  --help            this text
`;

function positive(flag: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${flag} must be a whole number, 1 or more.\n\n${USAGE}`);
  return Number(text);
}

function subjectsIn(text: string): SubjectName[] {
  return text.split(",").map((name) => {
    const known = SUBJECTS.find((subject) => subject === name);
    if (known === undefined) throw new Error(`There is no ${name}.\n\n${USAGE}`);
    return known;
  });
}

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      subjects: { type: "string" },
      jobs: { type: "string", default: String(FULL.jobs) },
      waiting: { type: "string", default: String(FULL.waiting) },
      rounds: { type: "string", default: String(FULL.rounds) },
      profile: { type: "string" },
      root: { type: "string", default: ROOT },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options: ThroughputOptions = {
    subjects: values.subjects === undefined ? availableSubjects() : subjectsIn(values.subjects),
    jobs: positive("--jobs", values.jobs),
    waiting: positive("--waiting", values.waiting),
    rounds: positive("--rounds", values.rounds),
    root: resolve(values.root),
    say: (text) => process.stderr.write(`${text}\n`),
  };
  if (values.profile === undefined) {
    const { result } = await throughputSection(options);
    process.stdout.write(`${throughputBody(result)}\n`);
  } else {
    const plain = options.subjects.filter((name) => ON_PLAIN_WORKERD.includes(name));
    process.stdout.write(await profileSubjects({ ...options, subjects: plain }, resolve(values.profile)));
  }
  return 0;
});
