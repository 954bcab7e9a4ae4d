/**
 * How many jobs there are in each status, as links to them.
 */
import { h, replace } from "./dom.js";
import { STATUSES } from "./job-filter.js";
import { writeRoute } from "./route.js";
import { number } from "./words.js";

export function jobCounts() {
  const links = ["", ...STATUSES].map((status) => {
    const figure = h("b", {});
    const link = h("a", { href: writeRoute("jobs", null, { status }) }, status || "All", figure);
    return { status, figure, link };
  });
  return {
    element: h(
      "nav",
      { "aria-label": "Jobs by status" },
      h("ul", { class: "job-counts" }, ...links.map(({ link }) => h("li", {}, link))),
    ),
    /** Marks the one that is shown, if one is: the counts are of all jobs, whatever else these are filtered by. @param {URLSearchParams} query */
    mark(query) {
      const current = query.size === 0 ? "" : query.size === 1 ? query.get("status") : null;
      for (const { status, link } of links)
        if (status === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
    },
    /** @param {Record<string, number>} by */
    show(by) {
      const all = Object.values(by).reduce((sum, n) => sum + n, 0);
      for (const { status, figure } of links)
        replace(figure, number(status === "" ? all : (by[status] ?? 0)));
    },
  };
}
