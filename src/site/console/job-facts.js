/**
 * What is known of a job, name by name.
 */
import { h, replace } from "./dom.js";
import { keyed } from "./live.js";
import { writeRoute } from "./route.js";
import { outside } from "./ui.js";
import { clock, duration, relative } from "./words.js";

/** @typedef {import("../../client/types.ts").Job} Job */
/** @typedef {import("./dom.js").Child} Child */

const TIMES = /** @type {const} */ ([
  ["Registered", "registered_at"],
  ["Deadline", "deadline_at"],
  ["Finished", "finished_at"],
  ["Delivered", "delivered_at"],
  ["Next poll", "next_poll_at"],
  ["Next attempt", "next_attempt_at"],
  ["Kept until", "expires_at"],
]);

export function jobFacts() {
  const list = h("dl", { class: "facts" });
  return {
    element: h("section", { class: "card", "aria-label": "Facts" }, h("h2", {}, "Facts"), list),
    /** @param {Job} job @param {number} now */
    show: (job, now) => keyed(list, factsOf(job, now), ({ name }) => name, makeFact),
  };
}

/** @typedef {{ name: string, said: string, shown?: () => Child, tone?: string | undefined }} Fact */

/** What is said decides whether it is shown anew: a link that has the focus keeps it. @param {Fact} fact */
function makeFact({ name }) {
  const value = h("dd");
  /** @type {string | null} */
  let last = null;
  return {
    element: h("div", {}, h("dt", {}, name), value),
    update: (/** @type {Fact} */ { said, shown, tone = "" }) => {
      if (said === last) return;
      last = said;
      value.className = tone;
      replace(value, shown ? shown() : said);
    },
  };
}

/** @param {Job} job @param {number} now @returns {Fact[]} */
function factsOf(job, now) {
  const { error, delivery_error: fault, callback_url: url, destination } = job;
  return [
    ...(error ? [{ name: "Error", said: `${error.reason}: ${error.message}`, tone: "bad" }] : []),
    ...(fault ? [{ name: "Delivery error", said: `${fault.reason}: ${fault.message}`, tone: "bad" }] : []),
    ...(job.parked ? [{ name: "Parked", said: job.parked, tone: "wait" }] : []),
    to("Endpoint", job.endpoint, "jobs", null, { endpoint: job.endpoint }),
    { name: "Request", said: job.request_id },
    url === null
      ? destination === null
        ? { name: "Callback", said: "none: its event can be fetched" }
        : to("Destination", destination, "destinations", destination)
      : { name: "Callback", said: url, shown: () => outside(url) },
    { name: "Format", said: job.format },
    { name: "ETA", said: job.eta === null ? "none" : duration(job.eta * 1_000) },
    ...TIMES.filter(([, key]) => job[key] !== null).map(([name, key]) => ({
      name,
      said: `${clock(job[key])}, ${relative(job[key], now)}`,
    })),
    { name: "Polls", said: String(job.polls) },
    { name: "Attempts", said: String(job.attempts) },
    { name: "Event", said: job.event_id },
  ];
}

/** A fact that leads to another view. @param {string} name @param {string} said @param {string} view @param {string | null} id @param {Record<string, string>} [query] @returns {Fact} */
const to = (name, said, view, id, query) => ({
  name,
  said,
  shown: () => h("a", { href: writeRoute(view, id, query) }, said),
});
