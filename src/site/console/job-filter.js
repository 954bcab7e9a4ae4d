/**
 * What a list of jobs is narrowed down by. The URL has the filter; the form writes it there, and shows what it has.
 */

import { CATALOGUE } from "../../provider/endpoints.ts";
import { h, replace } from "./dom.js";
import { writeRoute } from "./route.js";
import { field, showProblem, webUrl } from "./ui.js";

export const STATUSES = ["waiting", "delivering", "delivered", "undelivered", "finished", "canceled"];
const OUTCOMES = ["succeeded", "failed", "expired", "canceled"];
const METADATA = "metadata.";

/** @param {(destinations: HTMLDataListElement) => void} offer Fills the list of destinations, once it is wanted. */
export function jobFilter(offer) {
  const destinations = h("datalist", { id: "destinations" });
  const text = (/** @type {import("./dom.js").Props} */ props = {}) =>
    h("input", { autocomplete: "off", spellcheck: "false", ...props });
  const inputs = {
    status: choice(STATUSES),
    outcome: choice(OUTCOMES),
    endpoint: text({ list: "endpoints" }),
    destination: text({ list: "destinations", onfocus: () => offer(destinations) }),
    host: text({ placeholder: "your-app.example.com" }),
    created_after: text({ type: "datetime-local", step: 1 }),
    created_before: text({ type: "datetime-local", step: 1 }),
  };
  const request = text({ type: "search", placeholder: "12202888 or job_…" });
  const metadata = h("textarea", { rows: 1, spellcheck: "false", placeholder: "user=7" });
  const fault = h("p", { class: "problem", role: "alert" });
  const more = h(
    "details",
    {},
    h("summary", {}, "More filters"),
    h(
      "div",
      { class: "row" },
      field("Status", inputs.status, "status"),
      field("Outcome", inputs.outcome, "outcome"),
      field("Endpoint", inputs.endpoint, "endpoint"),
      field("Destination", inputs.destination, "destination"),
      field("Host of the callback", inputs.host, "host"),
      field("Registered after", inputs.created_after, "created_after"),
      field("Registered before", inputs.created_before, "created_before"),
      field("Indexed metadata, one a line", metadata, "metadata"),
    ),
    h("p", { class: "actions" }, h("button", { class: "primary" }, "Filter")),
  );
  const form = h(
    "form",
    { class: "job-filter", onsubmit: submit, novalidate: true, role: "search", "aria-label": "Jobs" },
    h(
      "div",
      { class: "job-find" },
      field("Request or job id", request, "request_id"),
      h("button", {}, "Find"),
    ),
    fault,
    more,
    h("datalist", { id: "endpoints" }, ...Object.keys(CATALOGUE).map((value) => h("option", { value }))),
    destinations,
  );
  const chips = h("ul", { class: "chips", "aria-label": "Filters" });
  let shown = new URLSearchParams();

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const sought = request.value.trim();
    if (/^job_[a-z2-7]{32}$/.test(sought)) {
      location.hash = writeRoute("jobs", sought);
      return;
    }
    const lines = metadata.value.split("\n").filter((line) => line.trim() !== "");
    const bad = lines.find((line) => !/^[^=]+=/.test(line));
    if (bad !== undefined)
      return showProblem(form, fault, { field: "metadata", message: "Each line is a name, = and a value." });
    // As the list shows it: `v3 / 12202888`.
    const [, endpoint = null, id = sought] = /^(\S+)\s+\/\s+(.+)$/.exec(sought) ?? [];
    if (endpoint !== null) inputs.endpoint.value = endpoint;
    inputs.host.value = webUrl(inputs.host.value.trim())?.host ?? inputs.host.value;
    const query = new URLSearchParams({ request_id: id });
    for (const [name, input] of Object.entries(inputs))
      query.append(name, name.startsWith("created_") ? timeIn(name, input.value) : input.value.trim());
    for (const line of lines) {
      const [, name = "", value = ""] = /^([^=]+)=(.*)$/.exec(line) ?? [];
      query.append(METADATA + name.trim(), value.trim());
    }
    location.hash = writeRoute("jobs", null, query);
  }

  /** @param {string} name @param {string} local What the field has: to the second, and in local time. */
  function timeIn(name, local) {
    const before = shown.get(name);
    if (before !== null && toLocal(before) === local) return before;
    return local === "" ? "" : new Date(local).toISOString();
  }

  return {
    form,
    chips,
    /** @param {URLSearchParams} query */
    show(query) {
      shown = query;
      showProblem(form, fault, null);
      request.value = query.get("request_id") ?? "";
      for (const [name, input] of Object.entries(inputs)) {
        const value = query.get(name) ?? "";
        input.value = name.startsWith("created_") ? toLocal(value) : value;
      }
      const ofMetadata = [...query].filter(([name]) => name.startsWith(METADATA));
      metadata.value = ofMetadata
        .map(([name, value]) => `${name.slice(METADATA.length)}=${value}`)
        .join("\n");
      metadata.rows = Math.max(1, ofMetadata.length);
      const hadFocus = chips.contains(document.activeElement);
      replace(
        chips,
        [...query].map(([name, value]) => h("li", {}, chip(name, value, query))),
      );
      // The link that was followed is gone.
      if (hadFocus) request.focus();
    },
    /** @param {{ field: string | null, message: string }} refusal */
    refuse(refusal) {
      const name = refusal.field?.split(".")[0] ?? null;
      if (name !== null && name !== "request_id" && form.elements.namedItem(name)) more.open = true;
      showProblem(form, fault, refusal);
    },
  };
}

/** @param {string} name @param {string} value @param {URLSearchParams} query */
function chip(name, value, query) {
  const rest = new URLSearchParams([...query].filter((pair) => pair[0] !== name || pair[1] !== value));
  return h(
    "a",
    { href: writeRoute("jobs", null, rest), "aria-label": `Without ${name}: ${value}` },
    `${name}: ${value} ×`,
  );
}

/** @param {readonly string[]} words */
const choice = (words) =>
  h(
    "select",
    {},
    h("option", { value: "" }, "any"),
    ...words.map((word) => h("option", { value: word }, word)),
  );

/** @param {string} iso */
function toLocal(iso) {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return "";
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
