import { h } from "./dom.js";

/** @param {import("./route.js").Route} route @returns {import("./main.js").View} */
export function registerView(route) {
  return { title: "register", element: h("h1", {}, route.name) };
}
