/**
 * `--profile`: where subjects on plain workerd spend their time while they register, and while jobs live. Not minified,
 * so that functions have their names; with the profiler on, nothing is measured.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../demo/process-group.ts";
import { percent, table } from "../flow/figures.ts";
import { Bench } from "./measure.ts";
import { Profiler } from "./profile.ts";
import type { ThroughputOptions } from "./run.ts";
import { type Running, type Subject, subjectsOf } from "./subjects.ts";

const CONNECTIONS = 32;
const REGISTERING_MS = 6_000;
const ETAS_OVER_SECONDS = 2;
const SHOWN = 25;

/** Writes two profiles a subject into the folder; returns the functions that weigh most in each. */
export async function profileSubjects(
  { subjects: names, jobs, root, say }: ThroughputOptions,
  into: string,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pollhook-profile-"));
  const bench = new Bench();
  try {
    await mkdir(into, { recursive: true });
    const { provider } = await bench.origins();
    const surroundings = { root, folder, providerOrigin: provider, minify: false };
    const shown: string[] = [];
    for (const subject of await subjectsOf(names, surroundings)) {
      const works = {
        register: (running: Running) => bench.register(running, CONNECTIONS, REGISTERING_MS),
        life: (running: Running) => bench.wholeLife(running, jobs, ETAS_OVER_SECONDS),
      };
      for (const [what, work] of Object.entries(works)) {
        const file = join(into, `${subject.name}-${what}.cpuprofile`);
        say(file);
        shown.push(`${file}\n${await profileOne(bench, subject, work, file)}`);
      }
    }
    return shown.join("\n");
  } finally {
    await bench.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function profileOne(
  bench: Bench,
  subject: Subject,
  work: (running: Running) => Promise<unknown>,
  file: string,
): Promise<string> {
  const inspectAt = `127.0.0.1:${await freePort()}`;
  const running = await subject.start(inspectAt);
  try {
    await bench.warmUp(running);
    const profiler = await Profiler.start(inspectAt);
    await work(running);
    const { text, heaviest } = await profiler.stop();
    await writeFile(file, text);
    const rows = heaviest.slice(0, SHOWN).map(({ name, share }) => [name, percent(share)]);
    return table([["function", "of the time"], ...rows]);
  } finally {
    await running.stop();
  }
}
