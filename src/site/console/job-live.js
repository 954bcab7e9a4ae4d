/**
 * Keeps the rows of a list as Pollhook has them: the newest, and those that are looked at; more of them as they are
 * wanted. Nothing is asked while nobody can see it.
 */
import { call, mayUnbounded, strange } from "./api.js";

/** @typedef {import("./job-rows.js").Job} Job */

const PAGE = 200;
/** Rows below what is seen with which the next page is asked for. */
const AHEAD = 150;
/** How often the list is looked at: while something happens, and when nothing has for a while. */
const BUSY_MS = 2_000;
const CALM_MS = 8_000;
const STATS_MS = 5_000;
/** Pages of new jobs that are fetched to catch up, before what is below is forgotten. */
const CATCH_UP_PAGES = 10;

/**
 * @param {URLSearchParams} query
 * @param {import("./job-rows.js").JobRows} rows
 * @param {object} to
 * @param {() => readonly [first: number, last: number]} to.seen The rows on the screen.
 * @param {() => void} to.onRows They may have changed.
 * @param {(statuses: Record<string, number>) => void} to.onStatuses
 * @param {(error: unknown) => boolean} to.onFault Whether it would be the same the next time.
 */
export function jobLive(query, rows, { seen, onRows, onStatuses, onFault }) {
  const life = new AbortController();
  const { signal } = life;
  let isLoading = false;
  /** Ends a pause. */
  let wake = () => {};

  /** @param {string | null} cursor @returns {Promise<import("./job-rows.js").Page>} */
  async function page(cursor) {
    const search = new URLSearchParams([...query, ["limit", String(PAGE)]]);
    if (cursor !== null) search.set("cursor", cursor);
    const got = await call("GET", `/v1/jobs?${search}`, { signal });
    if (!isPage(got)) throw strange();
    return got;
  }

  async function watch() {
    let pauseMs = BUSY_MS;
    let before = "";
    let statsAt = 0;
    while (!signal.aborted) {
      if (!document.hidden)
        try {
          await refresh();
          const after = JSON.stringify(rows.jobs.slice(0, PAGE));
          pauseMs = after === before ? Math.min(pauseMs * 1.5, CALM_MS) : BUSY_MS;
          if (mayUnbounded("stats:read") && (after !== before || Date.now() - statsAt > STATS_MS)) {
            statsAt = Date.now();
            const { statuses } = await call("GET", "/v1/stats?window=1h", { signal });
            if (typeof statuses !== "object" || statuses === null) throw strange();
            onStatuses(statuses);
          }
          before = after;
        } catch (error) {
          if (signal.aborted || onFault(error)) return;
          pauseMs = CALM_MS;
        }
      await pause(pauseMs);
    }
  }

  /** @param {number} ms */
  const pause = (ms) =>
    new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const timer = document.hidden ? undefined : setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) wake();
    });

  async function refresh() {
    await fetchFrom(null, null);
    const [first, last] = seen();
    const pages = [rows.pageOf(first), rows.pageOf(last)];
    for (const [i, at] of pages.entries())
      if (at && at.cursor !== pages[i - 1]?.cursor) await fetchFrom(at.after, at.cursor);
    onRows();
  }

  /** A page, and those behind it that are new. @param {Job | null} after @param {string | null} cursor */
  async function fetchFrom(after, cursor) {
    for (let pages = 1; ; pages++) {
      const got = await page(cursor);
      const isGap = rows.merge(after, got);
      after = got.jobs.at(-1) ?? null;
      cursor = got.next_cursor;
      if (!isGap || after === null || cursor === null) return;
      if (pages === CATCH_UP_PAGES) return rows.cutBehind(after);
    }
  }

  async function loadMore() {
    if (isLoading || signal.aborted || typeof rows.next !== "string") return;
    if (seen()[1] < rows.jobs.length - AHEAD) return;
    isLoading = true;
    const end = rows.jobs.at(-1) ?? null;
    try {
      rows.merge(end, await page(rows.next));
    } catch (error) {
      // The next look at the list tries it again.
      if (!signal.aborted) onFault(error);
      return;
    } finally {
      isLoading = false;
    }
    onRows();
  }

  const onVisible = () => {
    if (!document.hidden) wake();
  };
  document.addEventListener("visibilitychange", onVisible, { signal });
  void watch();
  return {
    /** To be called whenever other rows are seen. */
    loadMore,
    /** Looks now. */
    look: () => wake(),
    close() {
      life.abort();
      wake();
    },
  };
}

/** Whether that is what the list can be drawn from. @param {any} got @returns {got is import("./job-rows.js").Page} */
const isPage = (got) =>
  (got.next_cursor === null || typeof got.next_cursor === "string") &&
  Array.isArray(got.jobs) &&
  got.jobs.every(
    (/** @type {any} */ job) =>
      [job?.id, job?.registered_at].every((part) => typeof part === "string") &&
      typeof job.metadata === "object",
  );
