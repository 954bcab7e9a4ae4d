/**
 * Registers a request: by what the provider has answered, or by its endpoint and id.
 */
import { CATALOGUE } from "../../provider/endpoints.ts";
import { call, claims, may, Refusal, strange, token } from "./api.js";
import { offerDestinations } from "./destination-names.js";
import { h, replace } from "./dom.js";
import { bodyOf, restore, summary, targetIn, unquoted, valuesOf } from "./register-body.js";
import { writeRoute } from "./route.js";
import { field, showProblem } from "./ui.js";

/** What was typed when the session ended, but for the key: who signs in again goes on with it. @type {Map<string, string> | null} */
let draft = null;

/** @returns {import("./main.js").View} */
export function registerView() {
  const title = "Register";
  if (!may("jobs:write")) {
    const why = h("p", {}, "This token may not register: it has not the scope jobs:write.");
    return { title, element: h("div", { class: "card narrow" }, h("h1", {}, title), why) };
  }
  const { own, bnd = {} } = claims() ?? {};
  const text = (/** @type {import("./dom.js").Props} */ props = {}) =>
    h("input", { autocomplete: "off", spellcheck: "false", ...props });
  const number = () => text({ inputmode: "decimal" });
  const destinations = h("datalist", { id: "destinations" });
  const inputs = {
    response: h("textarea", { rows: 5, spellcheck: "false", oninput: read }),
    endpoint: text({ list: "endpoints" }),
    request_id: text(),
    callback_url: text({ type: "url", placeholder: "https://your-app.example.com/hooks/pollhook" }),
    destination: text({ list: "destinations" }),
    eta: number(),
    deadline_seconds: number(),
    format: h(
      "select",
      {},
      h("option", { value: "" }, "the destination's, else standard"),
      h("option", { value: "standard" }, "standard"),
      h("option", { value: "provider" }, "provider"),
    ),
    key: text({ type: "password", autocomplete: "new-password" }),
    index: text({ placeholder: "user, order" }),
    metadata: h("textarea", { rows: 3, spellcheck: "false", placeholder: '{"user": 7}' }),
  };
  if (bnd.req !== undefined) inputs.request_id.value = bnd.req;
  if (bnd.ep?.length === 1) inputs.endpoint.value = bnd.ep[0] ?? "";
  /** What is read in the answer that was pasted. */
  const seen = h("output", { for: "response" });
  const fault = h("p", { class: "problem", role: "alert" });
  const submitButton = h("button", { class: "primary" }, "Register");
  const targets = {
    callback_url: field("Callback URL", inputs.callback_url, "callback_url", originsHint(bnd.org)),
    destination: field("Name of the destination", inputs.destination, "destination"),
  };
  const nowhere =
    bnd.dst === undefined ? "Nowhere: it is read from the API" : `The token's destination, ${bnd.dst}`;
  const to = h(
    "fieldset",
    { onchange: showTarget },
    h("legend", {}, "Where the event goes"),
    h(
      "div",
      { class: "choices" },
      ...(bnd.dst === undefined
        ? [choice("callback_url", "A URL", true), choice("destination", "A destination")]
        : []),
      choice("", nowhere, bnd.dst !== undefined),
    ),
    targets.callback_url,
    targets.destination,
  );
  const more = h(
    "details",
    {},
    h("summary", {}, "More"),
    h(
      "div",
      { class: "row" },
      field(
        "ETA, in seconds",
        inputs.eta,
        "eta",
        "Until it is ready, as the provider says; what you pasted may have one.",
      ),
      field(
        "Deadline, in seconds",
        inputs.deadline_seconds,
        "deadline_seconds",
        "30 to 86400; 3600 if none is given.",
      ),
      field("Format", inputs.format, "format"),
      field("ModelsLab key", inputs.key, "key", "This server's, if none is given."),
      field("Metadata, a JSON object", inputs.metadata, "metadata", "Handed back in the event as it is."),
      field("Index", inputs.index, "index", "Names of metadata that lists can be filtered by."),
    ),
  );
  const form = h(
    "form",
    { class: "card narrow register", onsubmit: submit, novalidate: true },
    h("h1", {}, title),
    field(
      "What the provider answered, or its fetch_result",
      inputs.response,
      "response",
      'The answer to the generation call, such as {"status": "processing", "id": 65919758, …}, or the URL in it.',
    ),
    seen,
    h("p", { class: "muted" }, "Instead of that, or where it does not say:"),
    h(
      "div",
      { class: "row" },
      field("Endpoint", inputs.endpoint, "endpoint", "The path in front of /fetch."),
      field("Request id", inputs.request_id, "request_id"),
    ),
    to,
    more,
    fault,
    h("p", { class: "actions" }, submitButton),
    h(
      "datalist",
      { id: "endpoints" },
      ...(bnd.ep ?? Object.keys(CATALOGUE)).map((value) => h("option", { value })),
    ),
    destinations,
  );

  function showTarget() {
    const chosen = targetIn(form);
    targets.callback_url.hidden = chosen !== "callback_url";
    targets.destination.hidden = chosen !== "destination";
    if (chosen === "destination") void offerDestinations(destinations);
  }

  function read() {
    const pasted = unquoted(inputs.response.value.trim());
    replace(seen, pasted === "" ? null : summary(pasted));
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    showProblem(form, fault, null);
    submitButton.disabled = true;
    try {
      let status = 0;
      const onStatus = (/** @type {number} */ given) => {
        status = given;
      };
      const { id } = (await call("POST", "/v1/jobs", { body: bodyOf(form), raw: true, onStatus })) ?? {};
      if (typeof id !== "string") throw strange(status);
      // Said in the view that is shown then.
      if (status === 200) addEventListener("hashchange", sayOld, { once: true });
      location.hash = writeRoute("jobs", id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (token.get() === null) draft = valuesOf(form);
      else refuse(error);
    } finally {
      submitButton.disabled = false;
    }
  }

  /** @param {Refusal} refusal */
  function refuse({ field, message, code }) {
    const [named = null] = field?.split(".") ?? [];
    const longest = inputs.response.value.length >= inputs.metadata.value.length ? "response" : "metadata";
    const name = code === "body_too_large" ? longest : named;
    const shownAt = name === "fetch_url" ? "response" : name;
    if (shownAt !== null && Object.hasOwn(inputs, shownAt)) {
      const input = inputs[/** @type {keyof typeof inputs} */ (shownAt)];
      if (more.contains(input)) more.open = true;
      if (shownAt === "callback_url" || shownAt === "destination") {
        const radio = form.querySelector(`[name=to][value=${shownAt}]`);
        if (radio instanceof HTMLInputElement) radio.checked = true;
        showTarget();
      }
    }
    showProblem(form, fault, { field: shownAt, message });
    const id = inputs.request_id.value.trim();
    if (code === "already_registered" && id !== "")
      fault.append(h("a", { href: writeRoute("jobs", null, { request_id: id }) }, "Show its job"));
  }

  if (draft) restore(form, draft);
  draft = null;
  if (own !== undefined)
    form.querySelector("h1")?.after(h("p", { class: "muted" }, `For ${own}, within the token's bounds.`));
  showTarget();
  read();
  return { title, element: form };
}

/** @param {string} value @param {string} label @param {boolean} [checked] */
const choice = (value, label, checked = false) =>
  h("label", {}, h("input", { type: "radio", name: "to", value, checked }), label);

/** @param {string[] | undefined} origins */
const originsHint = (origins) => (origins ? `The token may name ${origins.join(", ")}` : undefined);

const sayOld = () =>
  document.dispatchEvent(
    new CustomEvent("say", { detail: "It was registered already: this is its job, as it is." }),
  );
