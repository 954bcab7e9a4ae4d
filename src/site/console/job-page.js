/**
 * The page of one job: what is drawn of it, and drawn anew only where it has changed.
 */
import { now } from "./api.js";
import { h, replace } from "./dom.js";
import { factsOf, keyOf, nameOf, resultOf, toneOf } from "./entries.js";
import { jobActions } from "./job-actions.js";
import { jobEvent } from "./job-event.js";
import { jobFacts } from "./job-facts.js";
import { keyed, onChange } from "./live.js";
import { outputItem, outputsOf } from "./outputs.js";
import { timeAxis } from "./time-axis.js";
import { badge, copyButton, preOf } from "./ui.js";
import { duration } from "./words.js";

/** @typedef {import("../../client/types.ts").Job} Job */

/**
 * @param {string} id
 * @param {() => void} onChanged
 * @param {() => void} onErased
 */
export function jobPage(id, onChanged, onErased) {
  const title = h("h1", { class: "break", tabindex: "-1" });
  const badges = h("p", { class: "row" });
  const live = h("span", { class: "muted" });
  const told = h("p", { class: "hidden", role: "status" });
  const progress = h("div", { class: "progress" });
  const axis = timeAxis();
  const rows = h("tbody");
  const actions = jobActions(id, onChanged, onErased);
  const facts = jobFacts();
  const outputs = section("Outputs");
  const metadata = section("Metadata");
  const answer = section("The provider's answer");
  /** @type {string | null} */
  let callbackUrl = null;
  const event = jobEvent(id, () => callbackUrl);
  /** @type {string | null} */
  let status = null;

  const table = h(
    "details",
    { open: true },
    h("summary", {}, "All entries"),
    h(
      "div",
      { class: "sideways", tabindex: "0", role: "region", "aria-label": "All entries of the timeline" },
      h(
        "table",
        { class: "entries" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["After", "Time", "What", "Result", "HTTP", "Took", "Answer"].map((name) =>
              h("th", { scope: "col" }, name),
            ),
          ),
        ),
        rows,
      ),
    ),
  );
  const element = h(
    "div",
    {},
    h("div", { class: "row" }, title, badges),
    h(
      "p",
      { class: "row" },
      h("code", { class: "break" }, id),
      copyButton("Copy the id", () => id),
      live,
    ),
    told,
    actions.element,
    h(
      "section",
      { class: "card", "aria-label": "Timeline" },
      h("h2", {}, "Timeline"),
      progress,
      axis.element,
      table,
    ),
    h("div", { class: "columns" }, facts.element, h("div", {}, outputs.element, metadata.element)),
    answer.element,
    event.element,
  );

  const showBadges = onChange((/** @type {Job} */ { status, outcome, parked }) =>
    replace(
      badges,
      badge(status),
      outcome === null || outcome === status ? null : badge(outcome),
      parked === null ? null : badge(`parked: ${parked}`, "waiting"),
    ),
  );
  const showMetadata = onChange((/** @type {object} */ value) =>
    metadata.show(Object.keys(value).length === 0 ? null : [preOf("Metadata", value)]),
  );
  const showAnswer = onChange((/** @type {object | null} */ value) => answer.show(value && answerOf(value)));
  const showOutputs = onChange((/** @type {Job["result"]} */ value) => outputs.show(value && listOf(value)));

  /** @param {Job} job */
  function tick(job) {
    const at = now();
    axis.show(job, at);
    facts.show(job, at);
    replace(progress, ...progressOf(job, at));
  }

  return {
    element,
    tick,
    close: axis.close,
    /** @param {string} text */
    say: (text) => replace(live, text),
    /** @param {Job} job */
    show(job) {
      const from = Date.parse(job.registered_at);
      callbackUrl = job.callback_url;
      if (status !== null && status !== job.status) {
        replace(told, `The job is ${job.status} now.`);
        event.forget();
      }
      status = job.status;
      replace(title, `${job.endpoint} ${job.request_id}`);
      showBadges(job);
      actions.show(job);
      tick(job);
      keyed(
        rows,
        job.timeline,
        (entry, i) => keyOf(entry, i, job.timeline),
        (entry) => ({ element: rowOf(entry, from) }),
      );
      showMetadata(job.metadata);
      showAnswer(job.result);
      showOutputs(job.outcome === "succeeded" ? job.result : null);
      event.element.hidden = job.outcome === null || job.outcome === "canceled";
    },
  };
}

/** A part of the page that is not there while it has nothing to show. @param {string} title */
function section(title) {
  const content = h("div");
  const element = h(
    "section",
    { class: "card", hidden: true, "aria-label": title },
    h("h2", {}, title),
    content,
  );
  return {
    element,
    /** @param {import("./dom.js").Child[] | null} children */
    show(children) {
      element.hidden = children === null;
      replace(content, children ?? []);
    },
  };
}

/** @param {import("../../client/types.ts").TimelineEntry} entry @param {number} from */
function rowOf(entry, from) {
  const { after, http, took } = factsOf(entry, from);
  const at = new Date(entry.at);
  return h(
    "tr",
    {},
    h("td", { class: "number" }, after),
    h("td", { class: "number", title: entry.at }, at.toLocaleTimeString(undefined, { hour12: false })),
    h("td", {}, nameOf(entry)),
    h("td", { class: toneOf(entry) }, resultOf(entry)),
    h("td", { class: "number" }, http),
    h("td", { class: "number" }, took),
    h("td", { class: "break" }, entry.response ? h("code", {}, entry.response) : ""),
  );
}

/** How far a job is that runs. @param {Job} job @param {number} now */
function progressOf(job, now) {
  const passed = Math.max(0, now - Date.parse(job.registered_at));
  const due = job.next_poll_at ?? job.next_attempt_at;
  const what = job.next_poll_at === null ? "attempt" : "poll";
  const left = due === null ? null : Date.parse(due) - now;
  const next =
    left === null
      ? ""
      : left <= 0
        ? `; the next ${what} is due`
        : `; next ${what} in ${duration(Math.ceil(left / 1_000) * 1_000)}`;
  if (job.status === "delivering")
    return [h("p", {}, job.parked ? `Parked: ${job.parked}.` : `Delivering${next}.`)];
  if (job.status !== "waiting") return [];
  const round = (/** @type {number} */ ms) => duration(Math.floor(ms / 1_000) * 1_000 || 0);
  if (job.eta === null) return [h("p", {}, `Waiting for ${round(passed)}, without an ETA${next}.`)];
  const eta = job.eta * 1_000;
  const said =
    passed < eta
      ? `${round(passed)} of about ${round(eta)}`
      : `${round(passed - eta)} past its ETA of ${round(eta)}`;
  return [
    h("progress", {
      max: Math.max(1, eta),
      value: Math.min(passed, eta),
      "aria-label": "Time against the ETA",
    }),
    h("p", {}, `${said}${next}.`),
  ];
}

/** @param {object} value */
const answerOf = (value) => [
  h(
    "p",
    {},
    copyButton("Copy the answer", () => JSON.stringify(value)),
  ),
  preOf("The provider's answer", value),
];

/** @param {NonNullable<Job["result"]>} answer */
function listOf(answer) {
  const { outputs, more } = outputsOf(answer);
  if (outputs.length === 0) return [h("p", { class: "muted" }, "The answer names none.")];
  return [
    h("ul", { class: "outputs" }, ...outputs.map(outputItem)),
    more > 0 ? h("p", { class: "hint" }, `And ${more} more, in the answer.`) : null,
  ];
}
