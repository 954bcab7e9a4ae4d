/**
 * Statistics of a window that ends now: outcomes over time, and for each endpoint how long it takes and what it costs.
 */
import { call, mayUnbounded } from "./api.js";
import { barCell, barChart, endpointTable } from "./charts.js";
import { h, replace } from "./dom.js";
import { faultOf } from "./fault.js";
import { keyed, repeat } from "./live.js";
import { writeRoute } from "./route.js";
import { button } from "./ui.js";
import { clock, duration, number } from "./words.js";

/**
 * @typedef {Record<"p50" | "p95" | "p99", number | null>} Percentiles
 * @typedef {Record<"succeeded" | "failed" | "expired" | "canceled", number>} Outcomes
 * @typedef {Record<"detection_lag_ms" | "delivery_ms", Percentiles>
 *   & Record<"registered" | "delivered" | "undelivered", number>
 *   & Record<"attempts_per_delivery" | "polls_per_job", number | null> & { outcomes: Outcomes }} Figures
 * @typedef {Record<"window" | "from" | "to", string> & { statuses: Record<string, number>, total: Figures,
 *   series: (Outcomes & { at: string })[], endpoints: Record<string, Figures> }} Stats
 */

const WINDOWS = /** @type {const} */ (["1h", "24h", "7d"]);
const REFRESH_MS = 30_000;
const KINDS = [
  { key: "succeeded", name: "succeeded", tone: "good" },
  { key: "failed", name: "failed", tone: "bad" },
  { key: "expired", name: "expired", tone: "wait" },
  { key: "canceled", name: "canceled", tone: "off" },
];
const TIMES = /** @type {const} */ (["detection_lag_ms", "delivery_ms"]);
const RANKS = /** @type {const} */ (["p50", "p95", "p99"]);

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function statsView(route) {
  const title = "Statistics";
  if (!mayUnbounded("stats:read"))
    return {
      title,
      element: h(
        "div",
        {},
        h("h1", {}, title),
        h(
          "p",
          {},
          "The token that you are signed in with has no stats:read, or is bound to less. Sign in with another.",
        ),
      ),
    };
  let window = windowOf(route);
  const choice = h("nav", { class: "segments", "aria-label": "Window" });
  const fault = h("div", { role: "alert" });
  const asOf = h("p", { class: "hint" }, "Loading…");
  const page = pageOf();
  page.element.hidden = true;
  const element = h(
    "div",
    { class: "stats" },
    h("div", { class: "row" }, h("h1", {}, title), choice),
    asOf,
    fault,
    page.element,
  );

  /** @param {AbortSignal} signal */
  async function load(signal) {
    const asked = window;
    try {
      /** @type {Stats} */
      const stats = await call("GET", `/v1/stats?window=${asked}`, { signal });
      if (asked !== window) return;
      replace(fault);
      page.show(stats);
      page.element.hidden = false;
      replace(asOf, `As of ${clock(stats.to)}, of the jobs that are still kept.`);
    } catch (error) {
      if (signal.aborted) return;
      if (page.element.hidden) replace(asOf);
      replace(
        fault,
        h("p", { class: "problem" }, faultOf(error)),
        button("Try again", async () => start()),
      );
    }
  }

  let stop = () => {};
  function start() {
    stop();
    stop = repeat(load, REFRESH_MS);
  }
  function choose() {
    keyed(
      choice,
      WINDOWS,
      (name) => name,
      (name) => {
        const link = h("a", { href: writeRoute("stats", null, { window: name }) }, name);
        return {
          element: link,
          update: () =>
            name === window
              ? link.setAttribute("aria-current", "true")
              : link.removeAttribute("aria-current"),
        };
      },
    );
  }
  choose();
  start();

  return {
    title,
    element,
    update(next) {
      window = windowOf(next);
      choose();
      start();
      return true;
    },
    close: () => stop(),
  };
}

/** @param {import("./route.js").Route} route */
const windowOf = ({ query }) => WINDOWS.find((name) => name === query.get("window")) ?? "24h";

function pageOf() {
  const statuses = h("ul", { class: "counts" });
  const chart = barChart("Outcomes", KINDS);
  const times = endpointTable("Lag and delivery", [
    "Endpoint",
    ...["Lag", "Delivery"].flatMap((what) => RANKS.map((rank) => `${what} ${rank}`)),
  ]);
  const work = endpointTable("Work", [
    "Endpoint",
    "Registered",
    "Succeeded",
    "Failed",
    "Expired",
    "Canceled",
    "Delivered",
    "Undelivered",
    "Polls per job",
    "Attempts per delivery",
  ]);
  const element = h(
    "div",
    {},
    h(
      "section",
      { class: "card", "aria-label": "Jobs by status" },
      h("h2", {}, "Jobs by status, at the moment"),
      statuses,
    ),
    h(
      "section",
      { class: "card", "aria-label": "Outcomes over time" },
      h("h2", {}, "Outcomes over time"),
      chart.element,
    ),
    h(
      "section",
      { class: "card", "aria-label": "Lag and delivery" },
      h("h2", {}, "Lag and delivery"),
      h(
        "p",
        { class: "hint" },
        "Lag: from the last poll that saw a request unfinished to the one that saw it finished; the true lag is at most that. Delivery: from the outcome to the delivery. Percentiles are within 3 %.",
      ),
      times.element,
    ),
    h("section", { class: "card", "aria-label": "Work" }, h("h2", {}, "Work"), work.element),
  );

  /** @param {Stats} stats */
  function show(stats) {
    const { series, total, endpoints, from, to, window } = stats;
    keyed(
      statuses,
      Object.entries(stats.statuses),
      ([status]) => status,
      ([status]) => {
        const count = h("b");
        return {
          element: h("li", {}, h("a", { href: writeRoute("jobs", null, { status }) }, count, ` ${status}`)),
          update: (/** @type {[string, number]} */ [, n]) => replace(count, number(n)),
        };
      },
    );
    const label = labeller(window);
    chart.show(
      series.map(({ at, ...counts }) => ({ label: label(at), counts })),
      "Jobs that ended, by how; each bar is a 48th of the window.",
      [label(from), label(to)],
    );
    const all = /** @type {[string, Figures][]} */ ([["all", total], ...Object.entries(endpoints)]);
    const most = Object.fromEntries(
      TIMES.map((what) => [what, Math.max(0, ...all.map(([, figures]) => figures[what].p99 ?? 0))]),
    );
    times.show(all, (figures) =>
      TIMES.flatMap((what) =>
        RANKS.map((rank) => barCell(duration(figures[what][rank]), figures[what][rank], most[what] ?? 0)),
      ),
    );
    const least = Math.max(0, ...all.map(([, { polls_per_job }]) => polls_per_job ?? 0));
    const tries = Math.max(0, ...all.map(([, { attempts_per_delivery }]) => attempts_per_delivery ?? 0));
    work.show(
      all,
      ({
        registered,
        outcomes,
        delivered,
        undelivered,
        polls_per_job: polls,
        attempts_per_delivery: attempts,
      }) => [
        ...[
          registered,
          ...KINDS.map(({ key }) => outcomes[/** @type {keyof Outcomes} */ (key)]),
          delivered,
          undelivered,
        ].map((n) => h("td", { class: "number" }, number(n))),
        barCell(ratio(polls), polls, least),
        barCell(ratio(attempts), attempts, tries),
      ],
    );
  }

  return { element, show };
}

/** @param {number | null} n */
const ratio = (n) => (n === null ? "–" : n.toFixed(2));

/** Of an hour and a day the time is told, of a week the day too. @param {string} window */
function labeller(window) {
  const format = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    ...(window !== "1h" && { month: "short", day: "numeric" }),
  });
  return (/** @type {string} */ iso) => format.format(new Date(iso));
}
