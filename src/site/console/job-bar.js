/**
 * What is selected in a list of jobs, and what can be done with it.
 */
import { mayUnbounded, Refusal } from "./api.js";
import { startAll, startPicked } from "./bulk.js";
import { h, replace } from "./dom.js";
import { button } from "./ui.js";
import { counted } from "./words.js";

/** @typedef {import("./job-rows.js").Job} Job */

/**
 * @param {() => readonly Job[]} jobsOf All that are loaded.
 * @param {() => void} onChange
 */
export function jobBar(jobsOf, onChange) {
  /** @type {Set<string>} */
  let picked = new Set();
  /** Not only those that are loaded: all that fit. */
  let isAll = false;
  let query = new URLSearchParams();

  const howMany = h("p", { role: "status" });
  const widen = button("", async () => {
    isAll = true;
    changed();
  });
  const buttons = [
    widen,
    action("Redeliver…", "redeliver"),
    action("Cancel jobs…", "cancel"),
    button("Clear", async () => clear()),
  ];
  const element = h("div", { class: "job-bar", role: "group", "aria-label": "Selected jobs" });

  /** @param {string} label @param {import("./works.js").Kind} kind */
  function action(label, kind) {
    return button(label, async () => {
      try {
        const chosen = jobsOf().filter(({ id }) => picked.has(id));
        if (await (isAll ? startAll(kind, query) : startPicked(kind, chosen))) clear();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        document.dispatchEvent(new CustomEvent("say", { detail: error.message }));
      }
    });
  }

  function clear() {
    picked = new Set();
    isAll = false;
    changed();
  }

  function changed() {
    onChange();
    draw();
  }

  function draw() {
    element.hidden = picked.size === 0 && !isAll;
    if (element.hidden) return replace(element);
    const words = isAll ? "All that fit are selected" : `${counted(picked.size, "job")} selected`;
    if (howMany.textContent !== words) replace(howMany, words);
    widen.hidden = isAll || picked.size < jobsOf().length || !mayUnbounded("jobs:write");
    replace(widen, query.size > 0 ? "Select all that fit the filter" : "Select all jobs");
    if (!element.hasChildNodes()) replace(element, howMany, ...buttons);
  }

  draw();
  return {
    element,
    has: (/** @type {string} */ id) => isAll || picked.has(id),
    isEmpty: () => picked.size === 0 && !isAll,
    /** @param {readonly string[]} ids @param {boolean} isOn */
    set(ids, isOn) {
      if (isAll) picked = new Set(jobsOf().map(({ id }) => id));
      isAll = false;
      for (const id of ids)
        if (isOn) picked.add(id);
        else picked.delete(id);
      changed();
    },
    /** What is selected, for who comes back to it. */
    kept: () => ({ picked, isAll }),
    /** Begins anew, with another filter. @param {URLSearchParams} other @param {{ picked: Set<string>, isAll: boolean }} [kept] */
    begin(other, kept = { picked: new Set(), isAll: false }) {
      query = other;
      ({ picked, isAll } = kept);
      changed();
    },
    /** The jobs have changed: what is no longer there is not selected either. */
    prune() {
      if (picked.size > 0)
        picked = new Set(
          jobsOf()
            .map(({ id }) => id)
            .filter((id) => picked.has(id)),
        );
      draw();
    },
  };
}
