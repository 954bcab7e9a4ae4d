/**
 * The destinations, or one of them: as they are now, looked at again and again.
 */
import { call, may, mayUnbounded, Refusal } from "./api.js";
import { destinationCard } from "./destination-card.js";
import { editDestination } from "./destination-form.js";
import { h, replace } from "./dom.js";
import { faultOf } from "./fault.js";
import { keyed, repeat } from "./live.js";
import { writeRoute } from "./route.js";
import { button } from "./ui.js";

/** @typedef {import("../../client/destination-types.ts").Destination} Destination */

const REFRESH_MS = 10_000;
const PAGE = 50;

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function destinationsView(route) {
  const { id } = route;
  const title = id === null ? "Destinations" : `Destination ${id}`;
  if (!mayUnbounded("destinations:read"))
    return {
      title,
      element: h(
        "div",
        {},
        h("h1", {}, "Destinations"),
        h(
          "p",
          {},
          "The token that you are signed in with has no destinations:read, or is bound to less. Sign in with another.",
        ),
      ),
    };
  const heading = h("h1", { class: "break", tabindex: "-1" }, id ?? "Destinations");
  const note = h("p", { class: "muted" }, "Loading…");
  const fault = h("div", { role: "alert" });
  const list = h("div", { class: "list" });
  const more = button("More", async () => {
    pages++;
    await load(new AbortController().signal);
  });
  more.hidden = true;
  const create = h(
    "button",
    { type: "button", class: "primary", onclick: () => editDestination(null, start) },
    "New destination…",
  );
  const element = h(
    "div",
    { class: "destinations" },
    h(
      "div",
      { class: "row" },
      heading,
      id !== null
        ? h("a", { href: writeRoute("destinations") }, "All destinations")
        : may("destinations:write")
          ? create
          : null,
    ),
    fault,
    note,
    list,
    more,
  );
  let pages = 1;

  /** @param {AbortSignal} signal */
  async function load(signal) {
    try {
      const { destinations, hasMore } = id === null ? await readPages(signal) : await readOne(id, signal);
      replace(fault);
      replace(note, destinations.length > 0 ? "" : EMPTY);
      more.hidden = !hasMore;
      keyed(
        list,
        destinations,
        ({ name }) => name,
        (destination) => destinationCard(destination, start, onDeleted),
      );
    } catch (error) {
      if (signal.aborted) return;
      const status = error instanceof Refusal ? error.status : 0;
      if (id !== null && status === 404)
        keyed(
          list,
          /** @type {Destination[]} */ ([]),
          ({ name }) => name,
          () => ({ element }),
        );
      replace(note);
      replace(
        fault,
        h("p", { class: "problem" }, faultOf(error)),
        status === 404 ? null : button("Try again", async () => start()),
      );
    }
  }

  /** @param {AbortSignal} signal */
  async function readPages(signal) {
    /** @type {Destination[]} */
    const destinations = [];
    let cursor = "";
    for (let page = 0; page < pages; page++) {
      const query = new URLSearchParams({ limit: String(PAGE), ...(cursor !== "" && { cursor }) });
      const found = await call("GET", `/v1/destinations?${query}`, { signal });
      destinations.push(...found.destinations);
      cursor = found.next_cursor ?? "";
      if (cursor === "") break;
    }
    return { destinations, hasMore: cursor !== "" };
  }

  /** Its buttons go with it: the focus would be nowhere. */
  function onDeleted() {
    heading.focus();
    start();
  }

  let stop = () => {};
  function start() {
    stop();
    stop = repeat(load, REFRESH_MS);
  }
  start();

  return {
    title,
    element,
    close() {
      stop();
      keyed(
        list,
        /** @type {Destination[]} */ ([]),
        ({ name }) => name,
        () => ({ element }),
      );
    },
  };
}

const EMPTY =
  "There is none yet. A destination is a callback with a name: its URL, headers and secret stay here, and to repair it repairs every delivery that is still to be made.";

/** @param {string} name @param {AbortSignal} signal @returns {Promise<{ destinations: Destination[], hasMore: boolean }>} */
const readOne = async (name, signal) => ({
  destinations: [await call("GET", `/v1/destinations/${encodeURIComponent(name)}`, { signal })],
  hasMore: false,
});
