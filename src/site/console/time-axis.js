/**
 * A job's time from its registration on, drawn: its polls, its attempts and what else happened as marks that can be
 * pointed at, and walked along with the arrow keys. All of it stands in the table beneath too.
 */
import { h, replace, svg } from "./dom.js";
import { exact, keyOf, laneOf, sentenceOf, toneOf } from "./entries.js";
import { keyed } from "./live.js";
import { LEAST_GAP, timeScale } from "./time-scale.js";
import { clock } from "./words.js";

/** @typedef {import("../../client/types.ts").Job} Job */
/** @typedef {import("./entries.js").TimelineEntry} TimelineEntry */

const LANES = ["Job", "Polls", "Delivery"];
const LANE_HEIGHT = 40;
const ROW_HEIGHT = 17;
/** Half a label has room in it. */
const SIDE = 26;
const BOTTOM = 24;

/** One shape for each tone: colour is not all that tells them apart. */
const SHAPES = /** @type {Readonly<Record<string, string>>} */ ({
  good: "M6 0A6 6 0 1 1-6 0A6 6 0 1 1 6 0Z",
  bad: "M-5-5L5 5M-5 5L5-5",
  wait: "M0-6L6.5 5H-6.5Z",
  off: "M4.5 0A4.5 4.5 0 1 1-4.5 0A4.5 4.5 0 1 1 4.5 0Z",
  busy: "M-5-5H5V5H-5Z",
});
const LEGEND = /** @type {const} */ ([
  ["off", "still at work"],
  ["good", "succeeded"],
  ["wait", "tried again or waiting"],
  ["bad", "failed"],
]);

/** @returns {{ element: HTMLElement, show: (job: Job, now: number) => void, close: () => void }} */
export function timeAxis() {
  const ground = svg("g", { "aria-hidden": "true" });
  const marks = svg("g", {});
  const drawing = svg("svg", { class: "axis", role: "group", onkeydown: walk }, ground, marks);
  const scroller = h("div", { class: "sideways" }, drawing);
  const tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  const note = h("span", { class: "muted" });
  const legend = h(
    "p",
    { class: "legend" },
    ...LEGEND.flatMap(([tone, text]) => [
      h(
        "span",
        {},
        svg("svg", { class: "key", viewBox: "-8 -8 16 16", "aria-hidden": "true" }, shape(tone)),
        text,
      ),
    ]),
    note,
  );
  const element = h("div", { class: "timeline" }, scroller, tip, legend);
  /** @type {{ job: Job, now: number } | null} */
  let shown = null;
  const observer = new ResizeObserver(() => draw());
  observer.observe(scroller);

  function draw() {
    const room = scroller.clientWidth;
    if (!shown || room === 0) return;
    const { job, now } = shown;
    const { timeline } = job;
    const from = Date.parse(job.registered_at);
    const after = (/** @type {string} */ iso) => Math.max(0, Date.parse(iso) - from);
    const isRunning = job.status === "waiting" || job.status === "delivering";
    const next = job.next_poll_at ?? job.next_attempt_at;
    const end = Math.max(
      1,
      ...timeline.map(({ at, duration_ms = 0 }) => after(at) + duration_ms),
      ...[job.finished_at, job.delivered_at].map((iso) => (iso === null ? 0 : after(iso))),
      ...(isRunning ? [now - from, next === null ? 0 : after(next)] : []),
      // Of a job that waits for it, it is what there is to be seen.
      ...(job.status === "waiting" && job.eta !== null ? [job.eta * 1_000] : []),
    );
    const lanes = LANES.map((_, lane) => timeline.filter((entry) => laneOf(entry) === lane));
    const times = lanes.map((entries) => entries.map(({ at }) => after(at)));
    const width = Math.max(room, Math.ceil(new Set(times.flat()).size * LEAST_GAP * 1.1) + 2 * SIDE);
    const scale = timeScale(times, end, width - 2 * SIDE);
    const x = (/** @type {number} */ ms) => SIDE + scale.x(Math.min(ms, end));
    const flags = flagsOf(job, isRunning ? now : null);
    const top = flags.length * ROW_HEIGHT + 6;
    const bottom = top + LANES.length * LANE_HEIGHT;
    const laneY = (/** @type {number} */ i) => top + i * LANE_HEIGHT + 24;
    for (const [name, value] of Object.entries({ width, height: bottom + BOTTOM }))
      drawing.setAttribute(name, String(value));
    drawing.setAttribute(
      "aria-label",
      `Time axis, ${timeline.length} entries; the table beneath has all of them. Arrow keys go from mark to mark.`,
    );
    replace(
      ground,
      ...LANES.map((_, i) => line(SIDE, laneY(i), width - SIDE, laneY(i), "lane")),
      ...scale.ticks.flatMap((ms) => [
        line(x(ms), top, x(ms), bottom, "grid"),
        text(x(ms), bottom + 15, exact(ms), "middle"),
      ]),
      ...flags.flatMap(([iso, label, tone], row) => {
        const ms = after(iso);
        const at = x(ms);
        const isRight = at > width / 2;
        const y = row * ROW_HEIGHT;
        // What lies behind the end is told at the edge, so that it does not push everything else together.
        return [
          ms > end ? null : line(at, y + 4, at, bottom, `flag ${tone}`),
          text(
            at + (isRight ? -4 : 4),
            y + 13,
            ms > end ? `${label} ›` : label,
            isRight ? "end" : "start",
            `said ${tone}`,
          ),
        ];
      }),
      // Over the lines, which would strike them through.
      ...LANES.map((label, i) => text(0, laneY(i) - 13, label, "start", "label")),
    );
    keyed(
      marks,
      timeline,
      (entry, i) => keyOf(entry, i, timeline),
      (entry) => ({ element: makeMark(entry, from) }),
    );
    for (const [i, entry] of timeline.entries()) {
      const { at, duration_ms = 0 } = entry;
      const left = x(after(at));
      const y = laneY(laneOf(entry));
      const mark = marks.children[i];
      mark?.setAttribute("transform", `translate(${left.toFixed(1)} ${y})`);
      const wide = x(after(at) + duration_ms) - left;
      mark?.querySelector(".took")?.setAttribute("width", String(wide));
      // It can be pointed at for as long as it took.
      mark?.querySelector(".hit")?.setAttribute("width", String(Math.max(LEAST_GAP, wide + LEAST_GAP / 2)));
    }
    if (!marks.querySelector('[tabindex="0"]')) marks.firstElementChild?.setAttribute("tabindex", "0");
    replace(note, scale.isEven ? "" : "Not to scale: long waits are shortened.");
  }

  /** @param {TimelineEntry} entry @param {number} from */
  function makeMark(entry, from) {
    const tone = toneOf(entry);
    const mark = svg(
      "g",
      {
        class: `mark ${tone}`,
        role: "img",
        tabindex: "-1",
        "aria-label": sentenceOf(entry, from),
        onfocus: () => {
          marks.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
          mark.setAttribute("tabindex", "0");
          point(mark, entry, from);
        },
        onblur: hide,
        onmouseenter: () => point(mark, entry, from),
        onmouseleave: () => {
          if (document.activeElement !== mark) hide();
        },
      },
      svg("rect", { class: "hit", x: -LEAST_GAP / 2, y: -16, height: 32, rx: 3 }),
      entry.duration_ms ? svg("rect", { class: "took", y: 8, height: 3 }) : null,
      shape(tone),
    );
    return mark;
  }

  /** @param {SVGElement} mark @param {TimelineEntry} entry @param {number} from */
  function point(mark, entry, from) {
    replace(
      tip,
      h("b", {}, sentenceOf(entry, from)),
      h("span", { class: "muted" }, clock(entry.at)),
      entry.response ? h("code", {}, entry.response) : null,
    );
    tip.hidden = false;
    const place = mark.getBoundingClientRect();
    const ground = element.getBoundingClientRect();
    const left = place.left + place.width / 2 - ground.left - tip.offsetWidth / 2;
    tip.style.setProperty("left", `${Math.max(0, Math.min(left, ground.width - tip.offsetWidth))}px`);
    tip.style.setProperty("top", `${place.bottom - ground.top + 4}px`);
  }

  function hide() {
    tip.hidden = true;
  }

  /** @param {Event} event */
  function walk(event) {
    const { key } = /** @type {KeyboardEvent} */ (event);
    if (key === "Escape") return hide();
    // In the order of time, whatever the lane.
    const all = /** @type {SVGElement[]} */ ([...marks.children]);
    const at = all.indexOf(/** @type {SVGElement} */ (document.activeElement));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[key];
    if (to === undefined) return;
    event.preventDefault();
    all[Math.max(0, Math.min(to, all.length - 1))]?.focus();
  }

  return {
    element,
    show(job, now) {
      shown = { job, now };
      draw();
    },
    close: () => observer.disconnect(),
  };
}

/**
 * What stands over the lanes: the present, the outcome, the ETA and the deadline.
 *
 * @param {Job} job
 * @param {number | null} now Of a job that runs.
 * @returns {[iso: string, label: string, tone: string][]}
 */
function flagsOf({ outcome, finished_at, eta, registered_at, deadline_at }, now) {
  const from = Date.parse(registered_at);
  const etaMs = (eta ?? 0) * 1_000;
  /** @type {[string | null, string | null, string][]} */
  const known = [
    [now === null ? null : new Date(now).toISOString(), "now", "busy"],
    [finished_at, outcome, outcome === "succeeded" ? "good" : "bad"],
    [eta === null ? null : new Date(from + etaMs).toISOString(), `ETA ${exact(etaMs)}`, "off"],
    // Once it is over, none is kept to.
    [finished_at === null ? deadline_at : null, `deadline ${exact(Date.parse(deadline_at) - from)}`, "wait"],
  ];
  return known.flatMap(([iso, label, tone]) => (iso && label ? [[iso, label, tone]] : []));
}

/** @param {string} tone */
const shape = (tone) => svg("path", { class: `shape ${tone}`, d: SHAPES[tone] ?? SHAPES.busy });

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} name */
const line = (x1, y1, x2, y2, name) => svg("line", { x1, y1, x2, y2, class: name });

/** @param {number} x @param {number} y @param {string} said @param {string} anchor @param {string} [name] */
const text = (x, y, said, anchor, name = "tick") =>
  svg("text", { x, y, "text-anchor": anchor, class: name }, said);
