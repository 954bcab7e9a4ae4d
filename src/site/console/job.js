/**
 * One job: all that is known of it, live while it runs.
 */
import { call, Refusal, stream } from "./api.js";
import { h, replace } from "./dom.js";
import { faultOf } from "./fault.js";
import { jobPage } from "./job-page.js";
import { sleep, whileVisible } from "./live.js";
import { writeRoute } from "./route.js";
import { button } from "./ui.js";

/** @typedef {import("../../client/types.ts").Job} Job */

/** The server holds a look for so long while nothing changes; one that comes back sooner than that waits before the next. */
const HOLD_SECONDS = 25;
const LEAST_BETWEEN_LOOKS_MS = 3_000;
const RECONNECT_MS = 4_000;
const MOST_BETWEEN_TRIES_MS = 30_000;
/** One that is over may be redelivered elsewhere, or erased and registered again. */
const CALM_MS = 15_000;
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
  function showInstead(message, more) {
    if (element.querySelector("[role=alert]")?.textContent === message && !page.element.isConnected) return;
    const hadFocus = element.contains(document.activeElement);
    replace(element, heading(), h("p", { class: "problem", role: "alert" }, message), more);
    if (hadFocus) element.querySelector("h1")?.focus();
  }

  /** The same, for good. @param {string} message @param {HTMLElement} more */
  function end(message, more) {
    stop();
    showInstead(message, more);
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
    if (!isJob(next)) throw new TypeError("This is no job.");
    page.show(next);
    // Registered again, it has another stream.
    if (job?.registered_at !== next.registered_at) lastId = "";
    job = next;
    document.title = `${job.endpoint} ${job.request_id} · Pollhook`;
    const hadFocus = element.contains(document.activeElement);
    if (!page.element.isConnected) {
      replace(element, page.element);
      if (hadFocus) element.querySelector("h1")?.focus({ preventScroll: true });
      // Only now there is a width to draw to.
      page.tick(job);
    }
  }

  const isRunning = () => job?.status === "waiting" || job?.status === "delivering";

  /** Looks, and looks again when something happens; of a job that is over, now and then. @param {AbortSignal} signal */
  async function watch(signal) {
    const ticking = setInterval(() => job && isRunning() && page.tick(job), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(ticking));
    for (let pauseMs = RECONNECT_MS; !signal.aborted; )
      try {
        await untilOver(signal);
        pauseMs = RECONNECT_MS;
        await sleep(CALM_MS, signal);
      } catch (error) {
        if (signal.aborted || (error instanceof Refusal && error.status === 401)) return;
        if (!tell(error)) return;
        await sleep(pauseMs, signal);
        pauseMs = Math.min(2 * pauseMs, MOST_BETWEEN_TRIES_MS);
      }
  }

  /** @param {AbortSignal} signal */
  async function untilOver(signal) {
    for (await look(signal); isRunning(); await look(signal)) {
      page.say("live");
      const began = Date.now();
      const isLost = (await follow(signal)) === "lost";
      if (isLost) page.say("The connection was lost; trying again.");
      // Nor is a stream asked for again and again that ends at once.
      if (isLost || (isRunning() && Date.now() - began < RECONNECT_MS)) await sleep(RECONNECT_MS, signal);
    }
    page.say("");
  }

  /** Says what went wrong; whether another try may do better. @param {unknown} error */
  function tell(error) {
    const message = faultOf(error);
    const status = error instanceof Refusal ? error.status : 0;
    const again = button("Try again", async () => restart());
    if (status === 404 && job) {
      // It has been here, and may be registered again.
      job = null;
      showInstead(message, toAll());
      return true;
    }
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    if (isFinal) end(message, status === 404 || status === 403 ? toAll() : again);
    else if (job) page.say(message);
    else showInstead(`${message} Trying again by itself.`, again);
    return !isFinal;
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

/** Whether it has what is drawn again and again by itself. @param {Partial<Job> | null} answer */
const isJob = (answer) =>
  typeof answer?.status === "string" &&
  (answer.eta === null || Number.isFinite(answer.eta)) &&
  Array.isArray(answer.timeline) &&
  [{ at: answer.registered_at, type: "" }, ...answer.timeline].every(
    (entry) => typeof entry?.type === "string" && Number.isFinite(Date.parse(entry.at ?? "")),
  );

const toAll = () => h("p", {}, h("a", { href: writeRoute("jobs") }, "All jobs"));
