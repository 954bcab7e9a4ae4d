/**
 * The console: who is signed in sees the view that the URL's fragment names.
 */
import { claims, claimsOf, may, mayUnbounded, session, token } from "./api.js";
import { destinationsView } from "./destinations.js";
import { h, replace } from "./dom.js";
import { jobView } from "./job.js";
import { jobsView } from "./jobs.js";
import { registerView } from "./register.js";
import { readRoute, writeRoute } from "./route.js";
import { signInView } from "./sign-in.js";
import { statsView } from "./stats.js";
import { forgetWorks } from "./works.js";

/**
 * @typedef {import("./route.js").Route} Route
 * @typedef {object} View
 * @property {string} title
 * @property {HTMLElement} element
 * @property {(route: Route) => boolean} [update] Takes over another query of the same route; whether it could.
 * @property {() => void} [close] Ends what it does by itself.
 */

/** @type {Readonly<Record<string, { title: string, open: (route: Route) => View, isOpen: () => boolean }>>} */
const VIEWS = {
  jobs: {
    title: "Jobs",
    open: (route) => (route.id === null ? jobsView(route) : jobView(route)),
    isOpen: () => may("jobs:read"),
  },
  register: { title: "Register", open: registerView, isOpen: () => may("jobs:write") },
  destinations: {
    title: "Destinations",
    open: destinationsView,
    isOpen: () => mayUnbounded("destinations:read"),
  },
  stats: { title: "Statistics", open: statsView, isOpen: () => mayUnbounded("stats:read") },
};

const main = h("main", { id: "main", tabindex: "-1" });
const header = h("header");
const status = h("p", { id: "said", role: "status" });
/** @type {{ route: Route, view: View } | null} */
let shown = null;
let hasBegun = false;

/** Says something that was done, to eyes and to ears. */
document.addEventListener("say", (event) =>
  replace(status, String(/** @type {CustomEvent} */ (event).detail)),
);

function show() {
  const brought = takeToken();
  const isNone = brought === "none";
  if (token.get() === null) return signIn(isNone ? "The link has brought no token: paste one." : undefined);
  const route = readRoute(location.hash);
  const known = Object.hasOwn(VIEWS, route.name) ? VIEWS[route.name] : undefined;
  const isSame = shown?.route.name === route.name && shown.route.id === route.id;
  if (brought === null && isSame && shown?.view.update?.(route)) return;
  open(route, known ? known.open(route) : unknownView());
  if (isNone) replace(status, "The link has brought no token: you are signed in as you were.");
}

/** @param {Route} route @param {View} view */
function open(route, view) {
  leave();
  shown = { route, view };
  document.title = `${view.title} · Pollhook`;
  replace(status);
  replace(header, ...headerOf(route.name));
  replace(main, view.element);
  scrollTo(0, 0);
  // Not when the page has just come: its beginning is the skip link.
  if (hasBegun) focusHeading();
  hasBegun = true;
}

/** @returns {View} */
const unknownView = () => ({
  title: "Nothing here",
  element: h(
    "div",
    { class: "card narrow" },
    h("h1", {}, "Nothing here"),
    h("p", {}, "The console has no view at this address. ", h("a", { href: "#/jobs" }, "To the jobs")),
  ),
});

function focusHeading() {
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  (heading ?? main).focus({ preventScroll: true });
}

/** What stands open over a view goes with it. */
function leave() {
  shown?.view.close?.();
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.close();
    // At once, with whatever secret stands in it: that it is closed is told later.
    dialog.remove();
  }
}

/** @param {string} [why] */
function signIn(why) {
  leave();
  shown = null;
  hasBegun = true;
  document.title = "Sign in · Pollhook";
  replace(status, why);
  replace(header, brand());
  replace(main, signInView(show));
  main.querySelector("textarea")?.focus();
}

/**
 * A link may bring the token in the fragment, which no server sees; from there, and from the history, it goes at once.
 *
 * @returns {"token" | "none" | null} `none`: a link that should have; `null`: it is another link.
 */
function takeToken() {
  const brought = new URLSearchParams(location.hash.slice(1)).get("token");
  if (brought === null) return null;
  history.replaceState(null, "", location.pathname);
  if (!claimsOf(brought)) return "none";
  if (brought !== token.get()) forgetWorks();
  token.set(brought);
  return "token";
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
    // What the token may not see is not offered.
    ...Object.entries(VIEWS)
      .filter(([, { isOpen }]) => isOpen())
      .map(([name, { title }]) =>
        h("a", { href: writeRoute(name), "aria-current": name === current ? "page" : null }, title),
      ),
  ),
  h(
    "div",
    { class: "who" },
    h("span", { class: "muted" }, nameOf(claims())),
    h("button", { type: "button", class: "small", onclick: () => signOut() }, "Sign out"),
  ),
];

/** The tenant, and of a bounded token its owner. @param {ReturnType<typeof claims>} of */
const nameOf = (of) => [of?.sub, of?.own].filter((name) => name !== undefined).join(" / ");

/** @param {string} [why] */
function signOut(why) {
  token.clear();
  forgetWorks();
  signIn(why);
}

session.onEnd = (why) => {
  // Who is still signing in hears of it there.
  if (shown !== null) signOut(`You have been signed out. ${why}`);
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
