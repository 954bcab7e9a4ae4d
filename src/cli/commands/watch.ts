/**
 * `pollhook watch`: what happens to a job, line by line, with a bar against its eta while it waits.
 */
import type { Job } from "../../client/index.ts";
import { BAD, type Command, command, type Io } from "../command.ts";
import { eventLine, jobLine, progress } from "../print.ts";
import { clientOf } from "../server.ts";
import { endOf } from "./jobs.ts";

const REDRAW_MS = 500;

export const watch: Command = command({
  name: "watch",
  summary: "Follows a job to its end; ends with 0 only if it has succeeded and was not left undelivered",
  notes:
    "On a terminal there is a bar: the time that has passed, against the eta (without one, the deadline).",
  words: ["ID"],
  examples: ["pollhook watch job_k5zcct67ygy3wdgtzggqgg7u6oqwee5e"],
  async run({ args, words: [id = ""], io }) {
    const client = clientOf(io);
    const job = await client.job(id);
    if (!args.json) io.out(jobLine(job));
    const bar = args.json ? null : drawBar(job, io);
    try {
      for await (const event of client.events(id)) {
        bar?.clear();
        if (event.type === "outcome") bar?.end();
        io.out(args.json ? JSON.stringify(event) : eventLine(event));
        if (event.type === "done") return endOf(event.data, true);
      }
      // It has not been seen to its end.
      return BAD;
    } finally {
      bar?.end();
    }
  },
});

/** Draws until it is ended; what is cleared comes back at the next drawing. */
function drawBar(job: Job, { status }: Io) {
  if (!status || job.outcome !== null) return null;
  const draw = () => status(progress(job, Date.now()));
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  return {
    clear: () => status(""),
    end: () => {
      clearInterval(timer);
      status("");
    },
  };
}
