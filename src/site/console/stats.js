import { h } from "./dom.js";

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function statsView(route) {
  return { title: "stats", element: h("h1", {}, route.name) };
}
