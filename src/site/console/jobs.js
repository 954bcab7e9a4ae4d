import { h } from "./dom.js";

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function jobsView(route) {
  return { title: "jobs", element: h("h1", {}, route.name) };
}
