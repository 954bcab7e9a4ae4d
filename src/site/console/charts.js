/**
 * Bars over time, with a table of the same numbers for those who do not see them, or want to know exactly.
 */
import { h, replace, svg } from "./dom.js";
import { keyed } from "./live.js";
import { writeRoute } from "./route.js";
import { number } from "./words.js";

/**
 * @typedef {{ key: string, name: string, tone: string }} Kind What a bar is made of, from below.
 * @typedef {{ label: string, counts: Readonly<Record<string, number>> }} Part
 */

const STEP = 10;
const GAP = 1.5;
const HEIGHT = 100;

/**
 * @param {string} title
 * @param {readonly Kind[]} kinds
 * @param {string} [size] `small` for one beside others.
 */
export function barChart(title, kinds, size = "") {
  const drawing = svg("svg", { role: "img", preserveAspectRatio: "none", class: "bars" });
  const most = h("p", { class: "ends muted", "aria-hidden": "true" });
  const ends = h("p", { class: "ends muted", "aria-hidden": "true" });
  const rows = h("tbody");
  const caption = h("figcaption", { class: "muted" });
  const element = h(
    "figure",
    { class: `chart ${size}` },
    kinds.length < 2 ? null : h("p", { class: "legend" }, ...kinds.map(legendOf)),
    most,
    drawing,
    ends,
    caption,
    h(
      "details",
      {},
      h("summary", {}, "As a table"),
      h(
        "div",
        { class: "sideways", tabindex: "0", role: "region", "aria-label": `${title}, as a table` },
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, ...["From", ...kinds.map(({ name }) => name)].map(headOf))),
          rows,
        ),
      ),
    ),
  );

  /**
   * @param {readonly Part[]} parts
   * @param {string} said What the caption adds.
   * @param {readonly [string, string]} range The labels of its beginning and its end.
   */
  function show(parts, said, [from, to]) {
    const sums = parts.map(({ counts }) => kinds.reduce((sum, { key }) => sum + (counts[key] ?? 0), 0));
    const top = Math.max(1, ...sums);
    const totals = kinds.map(({ key, name }) => {
      const total = parts.reduce((sum, { counts }) => sum + (counts[key] ?? 0), 0);
      return `${number(total)} ${name}`;
    });
    drawing.setAttribute("viewBox", `0 0 ${Math.max(1, parts.length) * STEP} ${HEIGHT}`);
    drawing.setAttribute("aria-label", `${title}, ${from} to ${to}: ${totals.join(", ")}.`);
    replace(drawing, ...parts.map((part, i) => column(part, i, top)));
    replace(most, number(top));
    replace(ends, h("span", {}, from), h("span", {}, to));
    replace(caption, said);
    const filled = parts.filter((_, i) => (sums[i] ?? 0) > 0);
    replace(rows, ...(filled.length === 0 ? [emptyRow(kinds.length + 1)] : filled.map(rowOf)));
  }

  /** @param {Part} part @param {number} i @param {number} top */
  function column({ label, counts }, i, top) {
    let y = HEIGHT;
    const said = kinds.map(({ key, name }) => `${number(counts[key] ?? 0)} ${name}`).join(", ");
    return svg(
      "g",
      {},
      svg("title", {}, `${label}: ${said}`),
      // All of the column can be pointed at.
      svg("rect", { class: "ground", x: i * STEP, y: 0, width: STEP, height: HEIGHT }),
      ...kinds.map(({ key, tone }) => {
        const height = ((counts[key] ?? 0) / top) * HEIGHT;
        y -= height;
        return svg("rect", { class: tone, x: i * STEP + GAP / 2, y, width: STEP - GAP, height });
      }),
    );
  }

  /** @param {Part} part */
  const rowOf = ({ label, counts }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, label),
      ...kinds.map(({ key }) => h("td", { class: "number" }, number(counts[key] ?? 0))),
    );

  return { element, show };
}

/** @param {string} name */
const headOf = (name) => h("th", { scope: "col" }, name);

/** @param {Kind} kind */
const legendOf = ({ name, tone }) =>
  h("span", {}, h("i", { class: `patch ${tone}`, "aria-hidden": "true" }), name);

/** @param {number} columns */
const emptyRow = (columns) => h("tr", {}, h("td", { colspan: columns, class: "muted" }, "Nothing."));

/**
 * A number with a bar beneath it, for a cell of a table; the number alone is what is read out.
 *
 * @param {string} text
 * @param {number | null} value
 * @param {number} most What a full bar stands for.
 */
export const barCell = (text, value, most) =>
  h(
    "td",
    { class: "number" },
    text,
    svg(
      "svg",
      { class: "cell-bar", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "track", width: 100, height: 4 }),
      svg("rect", { class: "busy", width: most > 0 ? (100 * (value ?? 0)) / most : 0, height: 4 }),
    ),
  );

/**
 * A table with a row for each endpoint, behind one for all of them.
 *
 * @template Figures
 * @param {string} name
 * @param {string[]} heads
 * @returns {{ element: HTMLElement, show: (all: [string, Figures][], cells: (figures: Figures) => Node[]) => void }}
 */
export function endpointTable(name, heads) {
  const rows = h("tbody");
  const element = h(
    "div",
    { class: "sideways", tabindex: "0", role: "region", "aria-label": `${name}, by endpoint` },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
      rows,
    ),
  );
  /** @param {[string, Figures][]} all @param {(figures: Figures) => Node[]} cells */
  function show(all, cells) {
    keyed(
      rows,
      all,
      ([endpoint], i) => (i === 0 ? "" : endpoint),
      ([endpoint], i) => {
        const head = h(
          "th",
          { scope: "row" },
          i === 0 ? "All" : h("a", { href: writeRoute("jobs", null, { endpoint }) }, endpoint),
        );
        const row = h("tr", {}, head);
        return {
          element: row,
          update: (/** @type {[string, Figures]} */ [, figures]) => {
            for (const cell of [...row.children].slice(1)) cell.remove();
            row.append(...cells(figures));
          },
        };
      },
    );
  }
  return { element, show };
}
