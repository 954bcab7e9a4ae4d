/**
 * One destination: how it does, how deliveries to it went, and what can be done about it.
 */
import { call, may, now as nowMs } from "./api.js";
import { barChart } from "./charts.js";
import { editDestination, rotateSecret } from "./destination-form.js";
import { h, replace } from "./dom.js";
import { faultOf, isOutage } from "./fault.js";
import { onChange } from "./live.js";
import { writeRoute } from "./route.js";
import { badge, button, confirm, outside } from "./ui.js";
import { clock, duration, number, relative } from "./words.js";

/**
 * @typedef {import("../../client/destination-types.ts").Destination} Destination
 * @typedef {import("../../client/destination-types.ts").TestResult} TestResult
 * @typedef {import("../../client/types.ts").ListedJob} ListedJob
 */

const KINDS = [
  { key: "delivered", name: "delivered", tone: "good" },
  { key: "failed", name: "failed", tone: "bad" },
];
const MOST_JOBS = 200;
const PARTS = 24;
const REDRAW_MS = 60_000;

/**
 * @param {Destination} first
 * @param {() => void} onChanged It is another now.
 * @param {() => void} onDeleted
 */
export function destinationCard(first, onChanged, onDeleted) {
  let destination = first;
  const { name } = first;
  const path = `/v1/destinations/${encodeURIComponent(name)}`;
  const badges = h("span", { class: "row" });
  const flow = h("p", {});
  const facts = h("dl", { class: "facts" });
  const told = h("p", { class: "told", role: "status" });
  const fault = h("p", { class: "problem", role: "alert" });
  const chart = barChart(`Attempts to ${name}`, KINDS, "small");
  const failures = h("div", {}, h("p", { class: "muted" }, "…"));

  /** Whether what `fault` says is over once the destination can be looked at. */
  let isPassing = false;

  /** @param {string} label @param {() => Promise<unknown>} act */
  const action = (label, act) =>
    button(
      label,
      async () => {
        replace(fault);
        replace(told);
        try {
          await act();
        } catch (error) {
          isPassing = isOutage(error);
          replace(told);
          replace(fault, faultOf(error));
        }
      },
      { class: "small" },
    );
  const toggle = action("", async () => {
    const isPaused = destination.status === "paused";
    show(await call("POST", `${path}/${isPaused ? "resume" : "pause"}`));
    replace(told, isPaused ? "Resumed: what is parked goes out again." : "Paused: what is due is parked.");
  });
  const test = action("Test", async () => {
    replace(told, "Testing…");
    replace(told, testText(await call("POST", `${path}/test`)));
    onChanged();
  });
  const edit = action("Edit…", async () => editDestination(destination, onChanged));
  const rotate = action("Rotate secret…", async () => rotateSecret(name, onChanged));
  const remove = action("Delete…", async () => {
    const question = `Delete the destination ${name}?`;
    const means =
      "What is still to be delivered to it becomes undelivered when its next attempt is due, and can be redelivered.";
    if (!(await confirm(question, "Delete it", h("p", {}, means)))) return;
    await call("DELETE", path);
    onDeleted();
  });
  const buttons = [toggle, test, edit, rotate, remove];
  const jobs = may("jobs:read");

  const element = h(
    "article",
    { class: "card destination", "aria-label": name },
    h(
      "div",
      { class: "row" },
      h("h2", { class: "break" }, h("a", { href: writeRoute("destinations", name) }, name)),
      badges,
    ),
    h("div", { class: "columns" }, h("div", {}, flow, facts), jobs ? failures : null),
    may("destinations:write")
      ? h("p", { class: "actions" }, ...buttons)
      : h("p", { class: "hint" }, "To change it, sign in with a token that has destinations:write."),
    told,
    fault,
    jobs
      ? h(
          "p",
          { class: "hint" },
          h("a", { href: writeRoute("jobs", null, { destination: name }) }, "Its jobs"),
        )
      : null,
  );

  const draw = onChange(
    (/** @type {{ destination: Destination, probe: string | null }} */ { destination, probe }) => {
      const { status, flow: now, url } = destination;
      replace(badges, badge(status), badge(`host's breaker ${now.state}`, now.state));
      replace(
        flow,
        `${number(now.in_flight)} in flight, ${number(now.parked)} parked; the host's failures in a row: ${number(now.failures)}. `,
        now.state === "open"
          ? h("b", { class: "bad" }, `Open since ${clock(now.opened_at)}; next probe ${probe}.`)
          : null,
      );
      replace(
        facts,
        ...[
          ["URL", url === null ? "unreadable: its master key is gone. Save it anew." : outside(url)],
          ["Headers", destination.header_names.join(", ") || "none"],
          ["Format", destination.format],
          ["Retries", retriesOf(destination.retry_schedule)],
          [
            "Limits",
            `${number(destination.max_in_flight)} in flight${destination.max_per_second === null ? "" : `, ${destination.max_per_second} in a second`}`,
          ],
          ...(destination.paused_at ? [["Paused", clock(destination.paused_at)]] : []),
          ...(destination.previous_until
            ? [["Secret before", `signs too until ${clock(destination.previous_until)}`]]
            : []),
          ["Changed", clock(destination.updated_at)],
        ].map(([term, value]) => h("div", {}, h("dt", {}, term ?? null), h("dd", {}, value ?? null))),
      );
      replace(toggle, status === "paused" ? "Resume" : "Pause");
    },
  );

  /** @param {Destination} next */
  function show(next) {
    destination = next;
    if (isPassing) replace(fault);
    isPassing = false;
    const { next_probe_at: at } = next.flow;
    draw({ destination, probe: at === null ? null : relative(at, nowMs()) });
    if (drawnAt > 0 && Date.now() - drawnAt > REDRAW_MS) void drawFailures();
  }
  let drawnAt = 0;
  show(first);

  async function drawFailures() {
    drawnAt = Date.now();
    try {
      const query = new URLSearchParams({ destination: name, limit: String(MOST_JOBS) });
      const { jobs } = await call("GET", `/v1/jobs?${query}`);
      const known = attemptsOf(jobs);
      if (!known) return replace(failures, h("p", { class: "muted" }, "No event has been sent to it yet."));
      if (!chart.element.isConnected) replace(failures, chart.element);
      chart.show(known.parts, captionOf(jobs.length), known.range);
    } catch (error) {
      replace(failures, h("p", { class: "problem" }, faultOf(error)));
    }
  }
  // Once it is seen: of many destinations most are not.
  const observer = new IntersectionObserver((entries) => {
    if (!jobs || !entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    void drawFailures();
  });
  observer.observe(element);

  return { element, update: show, close: () => observer.disconnect() };
}

/** @param {TestResult} result */
const testText = ({ delivered, http_status, duration_ms, reason }) =>
  [
    delivered ? "The test was delivered" : `The test failed: ${reason}`,
    http_status === null ? "" : `HTTP ${http_status}`,
    duration_ms === null ? "" : duration(duration_ms),
  ]
    .filter((part) => part !== "")
    .join(", ");

/** @param {readonly number[] | null} gaps */
const retriesOf = (gaps) =>
  gaps === null
    ? "the usual ten attempts"
    : gaps.length === 0
      ? "none: a single attempt"
      : `after ${gaps.map((gap) => duration(gap * 1_000)).join(", ")}`;

/** @param {number} jobs */
const captionOf = (jobs) =>
  `Attempts of its newest jobs (${number(jobs)}), each counted when its job's outcome became known. Failed is all but the delivery itself, also an attempt that is under way.`;

/**
 * A list tells how many attempts a job has had, not when: all of them count where its outcome became known.
 *
 * @param {readonly ListedJob[]} jobs
 */
function attemptsOf(jobs) {
  const tried = jobs.flatMap(({ finished_at, attempts, delivered_at }) =>
    finished_at === null || attempts === 0
      ? []
      : [{ at: Date.parse(finished_at), attempts, isDelivered: delivered_at !== null }],
  );
  if (tried.length === 0) return null;
  const from = Math.min(...tried.map(({ at }) => at));
  const to = Math.max(nowMs(), from + 1);
  const parts = Array.from({ length: PARTS }, (_, i) => ({
    label: clock(new Date(from + (i * (to - from)) / PARTS).toISOString()),
    counts: { delivered: 0, failed: 0 },
  }));
  for (const { at, attempts, isDelivered } of tried) {
    const part = parts[Math.min(PARTS - 1, Math.floor(((at - from) / (to - from)) * PARTS))];
    if (!part) continue;
    part.counts.delivered += isDelivered ? 1 : 0;
    part.counts.failed += attempts - (isDelivered ? 1 : 0);
  }
  /** @type {[string, string]} */
  const range = [clock(new Date(from).toISOString()), "now"];
  return { parts, range };
}
