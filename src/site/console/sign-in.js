/**
 * Signing in: a token is pasted, and tried before it is kept.
 */
import { call, claimsOf, strange, token } from "./api.js";
import { h } from "./dom.js";
import { field, showProblem } from "./ui.js";

/** @param {() => void} onDone */
export function signInView(onDone) {
  const input = h("textarea", {
    rows: 4,
    required: true,
    spellcheck: "false",
    autocomplete: "off",
    onkeydown: pressed,
  });
  const fault = h("p", { class: "problem", role: "alert" });
  const submitButton = h("button", { class: "primary" }, "Sign in");
  const form = h(
    "form",
    { class: "card narrow", onsubmit: submit, novalidate: true },
    h("h1", {}, "Sign in"),
    h(
      "p",
      {},
      "Paste a token. It is kept by this tab alone, and sent to nobody but this Pollhook: each tab, also one that a link was opened in, signs in for itself.",
    ),
    field(
      "Token",
      input,
      "token",
      "npm run -s token -- --tenant acme prints one; npm start prints a link that signs in.",
    ),
    fault,
    h("p", { class: "actions" }, submitButton),
  );

  /** A token has no lines. @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (!submitButton.disabled) form.requestSubmit();
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    const text = tokenIn(input.value);
    if (!claimsOf(text))
      return showProblem(form, fault, {
        field: "token",
        message: "This is no token: one has three parts, with dots between them.",
      });
    showProblem(form, fault, null);
    submitButton.disabled = true;
    token.set(text);
    try {
      const { jobs } = await call("GET", "/v1/jobs?limit=1");
      if (!Array.isArray(jobs)) throw strange();
    } catch (error) {
      const refusal = /** @type {import("./api.js").Refusal} */ (error);
      // A token without jobs:read is one all the same.
      if (refusal.status !== 403) {
        token.clear();
        return showProblem(form, fault, {
          field: refusal.status === 401 ? "token" : null,
          message: refusal.message,
        });
      }
    } finally {
      submitButton.disabled = false;
    }
    onDone();
  }

  return form;
}

/**
 * The token in what was pasted: with `Bearer` before it, wrapped by a terminal, or in a link that signs in.
 *
 * @param {string} text
 */
function tokenIn(text) {
  const joined = text.replace(/^\s*(authorization:\s*)?bearer\s+/i, "").replace(/\s+/g, "");
  return /#token=([\w.-]+)/.exec(joined)?.[1] ?? joined;
}
