/**
 * Forms and secrets that stand over a view.
 */
import { Refusal } from "./api.js";
import { h, replace } from "./dom.js";
import { faultOf } from "./fault.js";
import { copyButton, showProblem } from "./ui.js";

/** @typedef {import("./dom.js").Child} Child */

let count = 0;

/**
 * @param {string} title
 * @param {...(Child | Child[])} children
 */
function open(title, ...children) {
  const id = `dialog-${count++}`;
  const dialog = h(
    "dialog",
    { "aria-labelledby": id, onclose: () => dialog.remove() },
    h("h2", { id }, title),
    ...children,
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks for fields, and closes once `submit` has done it; a refusal shows at the field that it names.
 *
 * @param {string} title
 * @param {string} yes What the button says.
 * @param {Child[]} content
 * @param {() => Promise<unknown>} submit
 * @param {(refusal: Refusal) => boolean} [showOwn] Shows what has no input of its own; whether it did.
 */
export function formDialog(title, yes, content, submit, showOwn = () => false) {
  const fault = h("p", { class: "problem", role: "alert" });
  const go = h("button", { class: "primary" }, yes);
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    { novalidate: true, onsubmit: send },
    ...content,
    fault,
    h("p", { class: "actions" }, cancel, go),
  );
  const dialog = open(title, form);

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    if (go.hasAttribute("aria-disabled")) return;
    go.setAttribute("aria-disabled", "true");
    showProblem(form, fault, null);
    try {
      await submit();
      dialog.close();
    } catch (error) {
      if (!(error instanceof Refusal)) showProblem(form, fault, { field: null, message: faultOf(error) });
      else if (!showOwn(error)) showProblem(form, fault, error);
    } finally {
      go.removeAttribute("aria-disabled");
    }
  }
}

/**
 * Shows a secret this once: it is gone with the dialog.
 *
 * @param {string} title
 * @param {string} secret
 * @param {string} note
 */
export function showSecret(title, secret, note) {
  const shown = h("code", { class: "secret" }, secret);
  const done = h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Done");
  const dialog = open(
    title,
    h("p", {}, note),
    h(
      "p",
      { class: "row" },
      shown,
      copyButton("Copy", () => secret),
    ),
    h("p", { class: "actions" }, done),
  );
  dialog.addEventListener("close", () => replace(shown));
  // No key of habit takes it away. Browsers let only the first of two "cancel" events be held back.
  dialog.setAttribute("closedby", "none");
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.preventDefault();
  });
}
