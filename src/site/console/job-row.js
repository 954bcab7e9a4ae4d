/**
 * One row of a list of jobs. Drawn again and again while the job goes on: only what has changed is touched.
 */
import { h, replace } from "./dom.js";
import { writeRoute } from "./route.js";
import { badge } from "./ui.js";
import { clock, duration, relative } from "./words.js";

/** What stands above the cells, but for the box. */
export const COLUMNS = [
  "Status",
  "Request",
  "To",
  "Registered",
  "Delivered after",
  "Polls",
  "Attempts",
  "Note",
];

/** More is not seen anyway. */
const NOTE_CHARS = 300;

/**
 * @typedef {import("./job-rows.js").Job} Job
 * @typedef {{ now: number, index: number, top: number, isPicked: boolean | undefined, isActive: boolean }} Drawing
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {(job: Job, how: Drawing) => void} draw
 * @property {(isActive: boolean) => void} activate Whether the Tab key stops here.
 * @property {(isBox: boolean) => void} focus
 */

/**
 * @param {boolean} isPickable
 * @returns {Row}
 */
export function jobRow(isPickable) {
  const box = h("input", { type: "checkbox" });
  const status = h("div", { role: "gridcell", class: "job-status" });
  const endpoint = h("span");
  const request = new Text();
  const link = h("a", { class: "mono" }, endpoint, request);
  const time = h("time");
  const [to, after, polls, attempts, note] = ["to", "after", "polls", "attempts", "note"].map((name) =>
    h("div", { role: "gridcell", class: `job-${name}` }),
  );
  const element = h(
    "div",
    { role: "row", class: "job-row" },
    isPickable && h("div", { role: "gridcell", class: "job-box" }, box),
    status,
    h("div", { role: "gridcell", class: "job-request" }, link),
    to,
    h("div", { role: "gridcell", class: "job-time" }, time),
    after,
    polls,
    attempts,
    note,
  );
  let shownStates = "";

  return {
    element,
    draw(job, { now, index, top, isPicked, isActive }) {
      const states = statesOf(job);
      if (states.join() !== shownStates) {
        shownStates = states.join();
        replace(
          status,
          states.map((word) => badge(word)),
        );
      }
      const name = `${job.endpoint} / ${job.request_id}`;
      say(endpoint, job.endpoint);
      const rest = ` / ${job.request_id}`;
      if (request.data !== rest) {
        request.data = rest;
        endpoint.style.setProperty("--rest", `${rest.length}ch`);
      }
      put(link, "title", name);
      put(link, "href", writeRoute("jobs", job.id));
      put(box, "aria-label", `Select ${name}`);
      const target = targetOf(job);
      if (to) hint(to, target, job.callback_url ?? target);
      say(time, relative(job.registered_at, now));
      put(time, "datetime", job.registered_at);
      put(time, "title", clock(job.registered_at));
      if (after) say(after, duration(deliveryMs(job)));
      if (polls) say(polls, String(job.polls));
      if (attempts) say(attempts, String(job.attempts));
      if (note) hint(note, noteOf(job).slice(0, NOTE_CHARS), noteOf(job).slice(0, 4 * NOTE_CHARS));
      put(element, "aria-rowindex", String(index + 2));
      if (isPickable) put(element, "aria-selected", String(isPicked === true));
      if (box.checked !== (isPicked === true)) box.checked = isPicked === true;
      element.style.setProperty("top", `${top}px`);
      this.activate(isActive);
    },
    activate(isActive) {
      put(box, "tabindex", isActive ? "0" : "-1");
      put(link, "tabindex", isActive ? "0" : "-1");
    },
    focus(isBox) {
      (isBox && isPickable ? box : link).focus({ preventScroll: true });
    },
  };
}

/** From the outcome to the delivery, in ms; `null` where there was none. @param {Job} job */
export const deliveryMs = ({ finished_at, delivered_at }) =>
  finished_at === null || delivered_at === null ? null : Date.parse(delivered_at) - Date.parse(finished_at);

/** The status, and the outcome where it says more. @param {Job} job */
const statesOf = ({ status, outcome }) =>
  outcome === null || outcome === "succeeded" || outcome === status ? [status] : [status, outcome];

/** @param {Job} job */
function targetOf({ destination, callback_url }) {
  if (destination !== null) return destination;
  return callback_url === null ? "–" : (URL.parse(callback_url)?.host ?? callback_url);
}

/** What went wrong, what it waits for, else what its caller calls it. @param {Job} job */
function noteOf({ error, delivery_error, parked, metadata }) {
  const fault = error ?? delivery_error;
  if (fault) return `${fault.reason}: ${fault.message}`;
  if (parked !== null) return `parked: ${parked}`;
  const text = JSON.stringify(metadata);
  return text === "{}" ? "" : text;
}

/** @param {Element} element @param {string} text */
const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** @param {Element} element @param {string} text @param {string} title */
const hint = (element, text, title) => {
  say(element, text);
  put(element, "title", title);
};

/** @param {Element} element @param {string} name @param {string} value */
const put = (element, name, value) => {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
};
