/**
 * The rows of a list of jobs: of thousands, only those near the screen are elements. A grid with one stop for the Tab
 * key: the arrow keys go from row to row, and between a row's box and its link.
 */
import { now } from "./api.js";
import { h } from "./dom.js";
import { COLUMNS, jobRow } from "./job-row.js";

/** Rows that are there above and below what is seen. */
const SPARE_ROWS = 8;

/**
 * @typedef {import("./job-rows.js").Job} Job
 * @typedef {import("./job-row.js").Row} Row
 * @typedef {object} Picking What is picked, and who hears of a pick; `null`: nothing can be.
 * @property {(id: string) => boolean} has
 * @property {(ids: readonly string[], isOn: boolean) => void} set
 */

/**
 * @param {Picking | null} picking
 * @param {() => void} onSeen Called whenever rows have been drawn.
 */
export function jobGrid(picking, onSeen) {
  /** @type {readonly Job[]} */
  let jobs = [];
  /** Those that are there as elements. @type {Map<string, Row>} */
  let rows = new Map();
  /** Whose controls the Tab key stops at. @type {string | null} */
  let active = null;
  /** Where a range begins. @type {string | null} */
  let lastPicked = null;
  let rowHeight = 40;
  let isAsked = false;

  const all = h("input", {
    type: "checkbox",
    "aria-label": "Select all that are loaded",
    onchange: () =>
      picking?.set(
        jobs.map(({ id }) => id),
        all.checked,
      ),
  });
  const head = h(
    "div",
    { role: "row", class: "job-row", "aria-rowindex": 1 },
    picking && h("div", { role: "columnheader" }, all),
    ...COLUMNS.map((name) => h("div", { role: "columnheader" }, name)),
  );
  const body = h("div", {
    role: "rowgroup",
    class: "job-body",
    onclick: clicked,
    onkeydown: pressed,
    onfocusin: focused,
  });
  // As high as a row is, whatever the style sheet and the size of the text make of that.
  const probe = h("div", { class: "job-probe" });
  const grid = h(
    "div",
    { role: "grid", "aria-label": "Jobs", "aria-multiselectable": picking && "true" },
    h("div", { role: "rowgroup", class: "job-head" }, head),
    body,
  );
  const element = h("div", { class: picking ? "jobs pickable" : "jobs" }, grid, probe);

  const sizes = new ResizeObserver(() => {
    rowHeight = probe.getBoundingClientRect().height || rowHeight;
    stretch();
    draw();
  });
  sizes.observe(probe);
  sizes.observe(document.documentElement);
  addEventListener("scroll", drawSoon, { passive: true });

  function drawSoon() {
    if (!isAsked) requestAnimationFrame(draw);
    isAsked = true;
  }

  /** How far the rows are scrolled beyond the top of the screen. */
  const scrolled = () => -body.getBoundingClientRect().top;

  /** As high as if all rows were there. */
  const stretch = () => body.style.setProperty("height", `${jobs.length * rowHeight}px`);

  /** The first and the last row on the screen. @returns {readonly [number, number]} */
  function seen() {
    const top = Math.max(0, scrolled());
    const end = jobs.length - 1;
    const first = Math.min(Math.floor(top / rowHeight), Math.max(0, end));
    return [first, Math.min(end, Math.ceil((scrolled() + innerHeight) / rowHeight))];
  }

  function draw() {
    isAsked = false;
    if (!element.isConnected) return;
    const [first, last] = seen();
    const focusedAt = hasFocus() ? indexOf(active) : -1;
    if (focusedAt < 0 && !(active !== null && rows.has(active) && isBetween(indexOf(active), first, last)))
      active = jobs[first]?.id ?? null;
    // What has the focus stays, however far away.
    const shown = [
      focusedAt,
      ...range(Math.max(0, first - SPARE_ROWS), Math.min(jobs.length - 1, last + SPARE_ROWS)),
    ];
    drawRows([...new Set(shown)].filter((i) => i >= 0).sort((a, b) => a - b));
    onSeen();
  }

  /** @param {readonly number[]} indices Ascending. */
  function drawRows(indices) {
    const before = rows;
    rows = new Map();
    for (const i of indices) {
      const job = /** @type {Job} */ (jobs[i]);
      rows.set(job.id, before.get(job.id) ?? jobRow(picking !== null));
    }
    for (const [id, { element }] of before) if (!rows.has(id)) element.remove();
    const at = now();
    /** @type {Element | null} */
    let next = body.firstElementChild;
    for (const i of indices) {
      const job = /** @type {Job} */ (jobs[i]);
      const row = /** @type {Row} */ (rows.get(job.id));
      row.draw(job, {
        now: at,
        index: i,
        top: i * rowHeight,
        isPicked: picking?.has(job.id),
        isActive: job.id === active,
      });
      // An element that is moved loses the focus: only new ones are put in.
      if (next === row.element) next = next.nextElementSibling;
      else body.insertBefore(row.element, next);
    }
  }

  const hasFocus = () => body.contains(document.activeElement);
  /** @param {string | null} id */
  const indexOf = (id) => jobs.findIndex((job) => job.id === id);
  /** @param {Event} event */
  const idOf = ({ target }) =>
    [...rows].find(([, { element }]) => target instanceof Node && element.contains(target))?.[0] ?? null;

  /** @param {MouseEvent} event */
  function clicked(event) {
    const { target, shiftKey } = event;
    const id = idOf(event);
    if (!(target instanceof HTMLInputElement) || id === null) return;
    const [from, to] = [indexOf(shiftKey ? lastPicked : id), indexOf(id)];
    const picked = range(Math.min(from, to), Math.max(from, to));
    lastPicked = id;
    picking?.set(
      (from < 0 ? [to] : picked).map((i) => /** @type {Job} */ (jobs[i]).id),
      target.checked,
    );
  }

  /** @param {Event} event */
  function focused(event) {
    const id = idOf(event);
    if (id === null || id === active) return;
    rows.get(active ?? "")?.activate(false);
    rows.get(id)?.activate(true);
    active = id;
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (altKey || ctrlKey || metaKey) return;
    const at = indexOf(idOf(event));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: jobs.length - 1 }[key];
    const isBox = target instanceof HTMLInputElement;
    if (to !== undefined) focusRow(Math.min(Math.max(to, 0), jobs.length - 1), isBox);
    else if (key === "ArrowLeft" || key === "ArrowRight") focusRow(at, key === "ArrowLeft");
    else return;
    event.preventDefault();
  }

  /** @param {number} index @param {boolean} isBox */
  function focusRow(index, isBox) {
    const job = jobs[index];
    if (!job) return;
    const top = index * rowHeight - scrolled();
    // Clear of the head above and of the bar below.
    if (top < 2 * rowHeight) scrollBy(0, top - 2 * rowHeight);
    else if (top + 3 * rowHeight > innerHeight) scrollBy(0, top + 3 * rowHeight - innerHeight);
    draw();
    if (!rows.has(job.id))
      drawRows([...new Set([index, ...[...rows.keys()].map(indexOf)])].sort((a, b) => a - b));
    rows.get(job.id)?.focus(isBox);
  }

  return {
    element,
    /**
     * Shows these jobs. What is looked at stays where it is on the screen, if `isHeld`.
     *
     * @param {readonly Job[]} those
     * @param {{ isHeld: boolean, isWhole: boolean }} how `isWhole`: there are no more than these.
     */
    show(those, { isHeld, isWhole }) {
      const first = Math.max(0, Math.floor(scrolled() / rowHeight));
      const seen = jobs.slice(first, first + 50);
      const focusedAt = hasFocus() ? indexOf(active) : -1;
      const isBox = document.activeElement instanceof HTMLInputElement;
      jobs = those;
      grid.setAttribute("aria-rowcount", String(isWhole ? jobs.length + 1 : -1));
      stretch();
      if (isHeld) {
        const places = new Map(jobs.map(({ id }, i) => [id, i]));
        const i = seen.findIndex(({ id }) => places.has(id));
        const moved = (places.get(seen[i]?.id ?? "") ?? 0) - (first + i);
        if (i >= 0 && moved !== 0) scrollBy(0, moved * rowHeight);
      }
      this.drawPicks();
      // Its job is gone from the list: the one in its place has it.
      if (focusedAt >= 0 && !hasFocus()) focusRow(Math.min(focusedAt, jobs.length - 1), isBox);
    },
    /** Draws them again, with what is picked. */
    drawPicks() {
      const count = picking ? jobs.reduce((sum, { id }) => sum + Number(picking.has(id)), 0) : 0;
      all.checked = count > 0 && count === jobs.length;
      all.indeterminate = count > 0 && count < jobs.length;
      draw();
    },
    /** Somebody is in the midst of it: nothing is to move away under their hands. */
    isInUse: () => hasFocus() || scrolled() > 0,
    seen,
    /** Gives the job's link the focus, if it is there. @param {string} id */
    focus(id) {
      draw();
      rows.get(id)?.focus(false);
    },
    close() {
      sizes.disconnect();
      removeEventListener("scroll", drawSoon);
    },
  };
}

/** @param {number} i @param {number} from @param {number} to */
const isBetween = (i, from, to) => i >= from && i <= to;

/** @param {number} from @param {number} to */
const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
