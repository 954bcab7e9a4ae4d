/**
 * `npm run bench:schedule`: the schedule that learns beside the loops that people use, in virtual time. About a minute
 * on two cores; the same figures everywhere.
 */
import { scheduleBody, scheduleSection } from "./schedule/section.ts";

const { title, figures } = await scheduleSection();
process.stdout.write(`## ${title}\n\n${scheduleBody(figures)}\n`);
