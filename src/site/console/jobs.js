/**
 * The list of jobs: found by filters that stand in the URL, live, and as long as it may be.
 */
import { may, Refusal, strange, token } from "./api.js";
import { offerDestinations } from "./destination-names.js";
import { h, replace } from "./dom.js";
import { jobBar } from "./job-bar.js";
import { jobCounts } from "./job-counts.js";
import { jobFilter } from "./job-filter.js";
import { jobGrid } from "./job-grid.js";
import { jobLive } from "./job-live.js";
import { deliveryMs } from "./job-row.js";
import { JobRows } from "./job-rows.js";
import { readRoute, writeRoute } from "./route.js";
import { spark } from "./spark.js";
import { button } from "./ui.js";
import { counted, number } from "./words.js";
import { workList } from "./works.js";

/** Deliveries that are drawn as a line. */
const DRAWN = 60;

/** What was shown last: who comes back to it finds it as it was. @type {{ key: string, rows: JobRows, kept?: ReturnType<ReturnType<typeof jobBar>["kept"]> } | null} */
let last = null;

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function jobsView(route) {
  if (!may("jobs:read")) return { title: "Jobs", element: notReadable() };
  const canWrite = may("jobs:write");
  const life = new AbortController();
  let rows = new JobRows();
  let hasFilter = false;
  /** @type {ReturnType<typeof jobLive> | null} */
  let live = null;
  /** The newest job that was seen at the top. */
  let newestSeen = "";

  const filter = jobFilter(offerDestinations);
  const counts = jobCounts();
  const bar = jobBar(
    () => rows.jobs,
    () => grid.drawPicks(),
  );
  const grid = jobGrid(canWrite ? bar : null, onSeen);
  const line = h("p", { class: "job-spark" });
  const foot = h("p", { class: "job-more" });
  const trouble = h("div", { role: "alert" });
  const newer = h("div", { class: "job-new" });
  const element = h(
    "div",
    {},
    h("h1", {}, "Jobs"),
    counts.element,
    h("div", { class: "job-top" }, filter.form, line),
    filter.chips,
    workList(life.signal, () => live?.look()),
    trouble,
    newer,
    grid.element,
    foot,
    bar.element,
  );

  function keepPicks() {
    if (last?.rows === rows) last.kept = bar.kept();
  }

  /** @param {URLSearchParams} query */
  function begin(query) {
    live?.close();
    keepPicks();
    const key = `${token.get()} ${query}`;
    const { y, id } = (last?.key === key && history.state) || {};
    const kept = y === undefined ? undefined : last?.kept;
    rows = y !== undefined && last ? last.rows : new JobRows();
    last = { key, rows };
    hasFilter = query.size > 0;
    newestSeen = "";
    replace(trouble);
    filter.show(query);
    counts.mark(query);
    bar.begin(query, kept);
    showRows(false);
    if (y !== undefined)
      requestAnimationFrame(() => {
        scrollTo(0, y);
        if (id) grid.focus(id);
      });
    live = jobLive(query, rows, {
      seen: grid.seen,
      onRows() {
        replace(trouble);
        showRows(true);
      },
      onStatuses: counts.show,
      onFault,
    });
  }

  /** @param {unknown} error */
  function onFault(error) {
    const { status, message, field } = error instanceof Refusal ? error : strange();
    const isFinal = status >= 400 && status < 500 && status !== 429;
    if (rows.next === undefined) replace(foot, isFinal ? "Nothing is shown." : "Trying again …");
    if (isFinal) filter.refuse({ field, message });
    else {
      const again = button("Try again", async () => live?.look(), { class: "small" });
      replace(trouble, h("div", { class: "job-work" }, h("p", {}, `Not up to date: ${message}`), again));
    }
    return isFinal;
  }

  function onSeen() {
    if (grid.seen()[0] === 0) {
      newestSeen = rows.jobs[0]?.registered_at ?? "";
      if (newer.hasChildNodes()) replace(newer);
    }
    void live?.loadMore();
  }

  /** @param {boolean} isUpdate */
  function showRows(isUpdate) {
    const { jobs, next } = rows;
    bar.prune();
    const isHeld = isUpdate && (grid.isInUse() || !bar.isEmpty());
    grid.element.hidden = jobs.length === 0;
    grid.show(jobs, { isHeld, isWhole: next === null });
    if (next === undefined) replace(foot, "Loading …");
    else if (jobs.length === 0) replace(foot, hasFilter ? NONE_FIT() : noneYet(canWrite));
    else replace(foot, next === null ? `${counted(jobs.length, "job")} in all` : "Loading more …");
    const deliveries = jobs.map(deliveryMs).filter((ms) => ms !== null);
    spark(line, deliveries.slice(0, DRAWN).reverse());
    const unseen = newestSeen === "" ? 0 : jobs.findIndex((job) => job.registered_at <= newestSeen);
    if (grid.seen()[0] > 0 && unseen > 0)
      replace(
        newer,
        button(`${number(unseen)} new ↑`, async () => scrollTo(0, 0), { class: "primary small" }),
      );
  }

  // Where one was in this list goes with its place in the history.
  const keepPlace = (/** @type {string | null} */ id = null) => {
    if (element.isConnected) history.replaceState({ y: scrollY, id }, "");
  };
  addEventListener("scrollend", () => keepPlace(), { signal: life.signal });
  grid.element.addEventListener("click", ({ target }) => {
    const link = target instanceof Element ? target.closest("a") : null;
    if (link) keepPlace(readRoute(link.hash).id);
  });
  begin(route.query);

  return {
    title: "Jobs",
    element,
    update({ query }) {
      begin(query);
      return true;
    },
    close() {
      keepPicks();
      life.abort();
      live?.close();
      grid.close();
    },
  };
}

const NONE_FIT = () => h("span", {}, "No job fits. ", h("a", { href: writeRoute("jobs") }, "Show all jobs"));

const noneYet = (/** @type {boolean} */ canWrite) =>
  h(
    "span",
    {},
    "There is no job yet. ",
    canWrite && h("a", { href: writeRoute("register") }, "Register one"),
  );

const notReadable = () =>
  h(
    "div",
    { class: "card narrow" },
    h("h1", {}, "Jobs"),
    h("p", {}, "This token may not read jobs: it has not the scope jobs:read."),
  );
