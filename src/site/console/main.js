/**
 * The console: who is signed in sees the view that the URL's fragment names.
 */
import { claimsOf, session, token } from "./api.js";
import { destinationsView } from "./destinations.js";
import { h, replace } from "./dom.js";
import { jobView } from "./job.js";
import { jobsView } from "./jobs.js";
import { registerView } from "./register.js";
import { readRoute, writeRoute } from "./route.js";
import { signInView } from "./sign-in.js";
import { statsView } from "./stats.js";

/**
 * @typedef {import("./route.js").Route} Route
 * @typedef {object} View
 * @property {string} title
 * @property {HTMLElement} element
 * @property {(route: Route) => boolean} [update] Takes over another query of the same route; whether it could.
 * @property {() => void} [close] Ends what it does by itself.
 */

/** @type {Readonly<Record<string, { title: string, open: (route: Route) => View }>>} */
const VIEWS = {
  jobs: { title: "Jobs", open: (route) => (route.id === null ? jobsView(route) : jobView(route)) },
  register: { title: "Register", open: registerView },
  destinations: { title: "Destinations", open: destinationsView },
  stats: { title: "Statistics", open: statsView },
};

const main = h("main", { id: "main", tabindex: "-1" });
const header = h("header");
const status = h("p", { id: "status", role: "status", "aria-live": "polite" });
/** @type {{ route: Route, view: View } | null} */
let shown = null;

/** Says something that was done, to eyes and to ears. */
document.addEventListener("say", (event) =>
  replace(status, String(/** @type {CustomEvent} */ (event).detail)),
);

function show() {
  if (!takeToken() && token.get() === null) return signIn();
  const route = readRoute(location.hash);
  const known = Object.hasOwn(VIEWS, route.name) ? VIEWS[route.name] : undefined;
  if (!known) return void location.replace(writeRoute("jobs"));
  const isSame = shown?.route.name === route.name && shown.route.id === route.id;
  if (isSame && shown?.view.update?.(route)) return;
  open(route, known.open(route));
}

/** @param {Route} route @param {View} view */
function open(route, view) {
  const isFirst = shown === null;
  shown?.view.close?.();
  shown = { route, view };
  document.title = `${view.title} · Pollhook`;
  replace(status);
  replace(header, ...headerOf(route.name));
  replace(main, view.element);
  scrollTo(0, 0);
  if (!isFirst) main.focus({ preventScroll: true });
}

function signIn() {
  shown?.view.close?.();
  shown = null;
  document.title = "Sign in · Pollhook";
  replace(header, brand());
  replace(main, signInView(show));
}

/** A link may bring the token in the fragment, which no server sees; from there it goes at once. */
function takeToken() {
  const brought = new URLSearchParams(location.hash.slice(1)).get("token");
  if (brought === null) return false;
  history.replaceState(null, "", location.pathname);
  if (claimsOf(brought)) token.set(brought);
  return claimsOf(brought) !== null;
}

const brand = () =>
  h(
    "a",
    { class: "brand", href: "#/jobs" },
    h("img", { src: "/console/icon.svg", alt: "", width: 24, height: 24 }),
    "Pollhook",
  );

/** @param {string} current */
const headerOf = (current) => [
  brand(),
  h(
    "nav",
    { "aria-label": "Views" },
    ...Object.entries(VIEWS).map(([name, { title }]) =>
      h("a", { href: writeRoute(name), "aria-current": name === current ? "page" : null }, title),
    ),
  ),
  h(
    "div",
    { class: "who" },
    h("span", { class: "muted" }, claimsOf(token.get() ?? "")?.sub ?? ""),
    h("button", { type: "button", class: "small", onclick: signOut }, "Sign out"),
  ),
];

function signOut() {
  token.clear();
  signIn();
}

session.onEnd = () => {
  signOut();
  replace(status, "The token is not valid, or no longer; sign in with another.");
};
document.body.append(
  h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to content"),
  header,
  status,
  main,
);
addEventListener("hashchange", show);
show();

/** @param {Event} event */
function skip(event) {
  // The fragment names the view: it must stay.
  event.preventDefault();
  main.focus();
}
