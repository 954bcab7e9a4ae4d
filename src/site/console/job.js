import { h } from "./dom.js";

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function jobView(route) {
  return { title: "job", element: h("h1", {}, route.name) };
}
