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
    /** Marks the one that is shown, and leads to the others with whatever else these are filtered by; the counts are of all jobs. @param {URLSearchParams} query */
    mark(query) {
      const current = query.get("status") ?? "";
      const rest = [...query].filter(([name]) => name !== "status");
      for (const { status, link } of links) {
        const other = new URLSearchParams([["status", status], ...rest]);
        link.setAttribute("href", writeRoute("jobs", null, other));
        if (rest.length > 0) link.title = "The count is of all jobs; the link keeps the other filters.";
        else link.removeAttribute("title");
        if (status === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    /** @param {Record<string, number>} by */
    show(by) {
      const all = Object.values(by).reduce((sum, n) => sum + n, 0);
      for (const { status, figure } of links)
        replace(figure, number(status === "" ? all : (by[status] ?? 0)));
    },
  };
}
