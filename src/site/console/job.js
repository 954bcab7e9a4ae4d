/**
 * One job: all that is known of it, live while it runs.
 */
import { call, Refusal, stream } from "./api.js";
import { h, replace } from "./dom.js";
import { jobPage } from "./job-page.js";
import { sleep, whileVisible } from "./live.js";
import { writeRoute } from "./route.js";
import { button } from "./ui.js";

/** @typedef {import("../../client/types.ts").Job} Job */

/** The server holds a look for so long while nothing changes; one that comes back sooner than that waits before the next. */
const HOLD_SECONDS = 25;
const LEAST_BETWEEN_LOOKS_MS = 3_000;
const RECONNECT_MS = 4_000;
const TICK_MS = 1_000;
/** Several events that come together are one look. */
const GATHER_MS = 60;

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function jobView(route) {
  const id = route.id ?? "";
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const page = jobPage(
    id,
    () => restart(),
    () => end("The job is erased.", toAll()),
  );
  const element = h(
    "div",
    { class: "job" },
    h("h1", { class: "break" }, id),
    h("p", { class: "muted" }, "Loading…"),
  );
  /** @type {Job | null} */
  let job = null;
  let lastId = "";
  let looks = 0;
  let seen = 0;
  let stop = () => {};

  /** In place of the job. @param {string} message @param {HTMLElement} more */
  function end(message, more) {
    stop();
    replace(element, heading(), h("p", { class: "problem", role: "alert" }, message), more);
    element.querySelector("h1")?.focus();
  }

  const heading = () => h("h1", { class: "break", tabindex: "-1" }, id);

  /** @param {AbortSignal} signal @param {number} [seconds] How long it may be held. */
  async function look(signal, seconds = 0) {
    const number = ++looks;
    /** @type {Job} */
    const next = await call("GET", seconds > 0 ? `${path}?wait=${seconds}` : path, { signal });
    // One that was asked for later may have been answered sooner.
    if (number < seen) return;
    seen = number;
    job = next;
    const hadFocus = element.contains(document.activeElement);
    if (!page.element.isConnected) {
      replace(element, page.element);
      if (hadFocus) element.querySelector("h1")?.focus({ preventScroll: true });
    }
    page.show(job);
  }

  const isRunning = () => job?.status === "waiting" || job?.status === "delivering";

  /** Until the job is over: looks, and looks again when something happens. @param {AbortSignal} signal */
  async function watch(signal) {
    const ticking = setInterval(() => job && page.tick(job), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(ticking));
    try {
      for (await look(signal); isRunning(); await look(signal)) {
        page.say("live");
        const began = Date.now();
        const isLost = (await follow(signal)) === "lost";
        if (isLost) page.say("The connection was lost; trying again.");
        // Nor is a stream asked for again and again that ends at once.
        if (isLost || (isRunning() && Date.now() - began < RECONNECT_MS)) await sleep(RECONNECT_MS, signal);
      }
      page.say("");
    } catch (error) {
      if (signal.aborted) return;
      const { status, message } = /** @type {Refusal} */ (error);
      if (status === 404 || status === 403) return end(message, toAll());
      if (status === 401) return;
      if (!job)
        return end(
          message,
          button("Try again", async () => restart()),
        );
      page.say(message);
      await sleep(RECONNECT_MS, signal);
      if (!signal.aborted) await watch(signal);
    } finally {
      clearInterval(ticking);
    }
  }

  /** Follows the stream, or where that is refused looks that are held. @param {AbortSignal} signal @returns {Promise<"ended" | "lost">} */
  async function follow(signal) {
    let isGathering = false;
    const gather = async () => {
      if (isGathering) return;
      isGathering = true;
      await sleep(GATHER_MS, signal);
      isGathering = false;
      await look(signal);
    };
    try {
      for await (const event of stream(`${path}/events`, signal, lastId)) {
        lastId = event.id || lastId;
        gather().catch(() => {});
      }
      return "ended";
    } catch (error) {
      if (signal.aborted) throw error;
      if (!(error instanceof Refusal) || error.status === 0) return "lost";
      if (error.status !== 503) throw error;
    }
    page.say("live, by looking now and then: as many watch it as may");
    while (isRunning() && !signal.aborted) {
      const began = Date.now();
      await look(signal, HOLD_SECONDS);
      await sleep(Math.max(0, LEAST_BETWEEN_LOOKS_MS - (Date.now() - began)), signal);
    }
    return "ended";
  }

  function restart() {
    stop();
    stop = whileVisible(watch);
  }
  restart();

  return {
    title: `Job ${id}`,
    element,
    close() {
      stop();
      page.close();
    },
  };
}

const toAll = () => h("p", {}, h("a", { href: writeRoute("jobs") }, "All jobs"));
