/**
 * Pieces that several views are made of.
 */
import { h, replace } from "./dom.js";
import { TONES } from "./words.js";

/** @param {string | null} word A status or an outcome. @param {string} [like] What it looks like, if not itself. */
export const badge = (word, like) =>
  word === null
    ? h("span", { class: "muted" }, "–")
    : h("span", { class: `badge ${TONES[like ?? word] ?? "off"}` }, word);

/**
 * A field with its label, a hint, and a place for what is wrong with it.
 *
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input Gets the id `name`.
 * @param {string} name As the API calls it: problems show at the field that they name.
 * @param {string} [hint]
 */
export function field(label, input, name, hint) {
  input.id = name;
  input.name = name;
  const describedBy = [`${name}-problem`, ...(hint ? [`${name}-hint`] : [])].join(" ");
  input.setAttribute("aria-describedby", describedBy);
  return h(
    "div",
    { class: "field" },
    h("label", { for: name }, label),
    input,
    hint ? h("p", { id: `${name}-hint`, class: "hint" }, hint) : null,
    h("p", { id: `${name}-problem`, class: "problem" }),
  );
}

/**
 * Shows what is wrong at the field that it names, else in `fallback`; `null` takes all of it away.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement} fallback
 * @param {{ field: string | null, message: string } | null} refusal
 */
export function showProblem(form, fallback, refusal) {
  for (const shown of form.querySelectorAll(".problem")) replace(shown);
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  replace(fallback);
  if (!refusal) return;
  const input = refusal.field === null ? null : form.elements.namedItem(refusal.field.split(".")[0] ?? "");
  const place = input instanceof HTMLElement ? document.getElementById(`${input.id}-problem`) : null;
  if (input instanceof HTMLElement && place) {
    input.setAttribute("aria-invalid", "true");
    replace(place, refusal.message);
    input.focus();
  } else replace(fallback, refusal.message);
}

/**
 * The URL, if it is one of http or https; whatever else says it is a URL is only text.
 *
 * @param {string} text
 */
export function webUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/** @param {string} url @param {string} [text] */
export function outside(url, text = url) {
  const href = webUrl(url)?.href;
  return href === undefined
    ? h("span", { class: "break" }, text)
    : h("a", { class: "break", href, rel: "noopener noreferrer", target: "_blank" }, text);
}

const MOST_STRING_CHARS = 1_000;
const MOST_JSON_CHARS = 50_000;

/**
 * JSON to be read: what is too long for that is shortened.
 *
 * @param {string} label
 * @param {unknown} value
 */
export function preOf(label, value) {
  const shorten = (/** @type {string} */ _, /** @type {unknown} */ part) =>
    typeof part === "string" && part.length > MOST_STRING_CHARS
      ? `${part.slice(0, 200)}… (${part.length} characters)`
      : part;
  const text = typeof value === "string" ? value : JSON.stringify(value, shorten, 2);
  const shown = text.length > MOST_JSON_CHARS ? `${text.slice(0, MOST_JSON_CHARS)}\n…` : text;
  return h("pre", { tabindex: "0", "aria-label": label }, shown.replace(TURNS, escaped));
}

/** Characters that turn round how what follows is read. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** @param {string} character */
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * A button that does one thing at a time. It keeps the focus meanwhile, which a disabled one would lose.
 *
 * @param {string} label
 * @param {() => Promise<unknown>} act What it throws is the caller's to have caught.
 * @param {import("./dom.js").Props} [props]
 */
export function button(label, act, props = {}) {
  const element = h(
    "button",
    {
      type: "button",
      ...props,
      onclick: async () => {
        if (element.hasAttribute("aria-disabled")) return;
        element.setAttribute("aria-disabled", "true");
        try {
          await act();
        } finally {
          element.removeAttribute("aria-disabled");
        }
      },
    },
    label,
  );
  return element;
}

/**
 * A button that copies a text, and says that it has.
 *
 * @param {string} label
 * @param {() => string} text
 */
export const copyButton = (label, text) => {
  const copy = button(
    label,
    async () => {
      const isCopied = await navigator.clipboard.writeText(text()).then(
        () => true,
        () => false,
      );
      replace(copy, isCopied ? "Copied" : "Not copied");
      setTimeout(() => replace(copy, label), 2_000);
    },
    { class: "small" },
  );
  return copy;
};

/**
 * Asks before something is done. Resolves to whether it shall be.
 *
 * @param {string} question
 * @param {string} yes What the button says.
 * @param {...import("./dom.js").Child} more
 * @returns {Promise<boolean>}
 */
export function confirm(question, yes, ...more) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      {
        "aria-labelledby": "question",
        onclose: () => {
          dialog.remove();
          resolve(dialog.returnValue === "yes");
        },
      },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "question" }, question),
        ...more,
        h(
          "p",
          { class: "actions" },
          h("button", { value: "no" }, "No"),
          h("button", { value: "yes", class: "primary" }, yes),
        ),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
