import { h } from "./dom.js";

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function destinationsView(route) {
  return { title: "destinations", element: h("h1", {}, route.name) };
}
