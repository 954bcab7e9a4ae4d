/**
 * The headers of a destination in its form.
 */
import { h, replace } from "./dom.js";

/**
 * Rows of names and values. Values that are kept already cannot be shown, so rows replace all of them or none.
 *
 * @param {readonly string[]} kept Names.
 */
export function headerRows(kept) {
  const rows = h("div", { class: "header-rows" });
  const problem = h("p", { class: "problem", id: "headers-problem", role: "alert" });
  const note = h("p", { class: "hint" });
  const add = h(
    "button",
    { type: "button", class: "small", onclick: () => addRow().focus() },
    "Add a header",
  );
  const again = h("button", { type: "button", class: "small", onclick: replaceAll }, "Replace the headers…");
  let isKept = kept.length > 0;
  const element = h(
    "fieldset",
    { class: "field" },
    h("legend", {}, "Headers"),
    note,
    rows,
    problem,
    h("p", { class: "actions" }, add, again),
  );
  draw();

  function draw() {
    add.hidden = isKept;
    again.hidden = !isKept;
    replace(
      note,
      isKept
        ? `${kept.join(", ")}: kept as they are. Their values are never shown.`
        : "Sent with every attempt; their values are never shown again.",
    );
  }

  function replaceAll() {
    isKept = false;
    draw();
    for (const name of kept) addRow(name);
    /** @type {HTMLInputElement | null} */ (rows.querySelector(".value"))?.focus();
  }

  function addRow(name = "") {
    const nameInput = h("input", {
      value: name,
      autocomplete: "off",
      class: "name",
      "aria-label": "Name of the header",
      "aria-describedby": "headers-problem",
      autocapitalize: "off",
    });
    const value = h("input", {
      autocomplete: "off",
      class: "value",
      "aria-label": "Its value",
      "aria-describedby": "headers-problem",
    });
    const remove = () => {
      row.remove();
      add.focus();
    };
    const row = h(
      "div",
      { class: "header-row" },
      nameInput,
      value,
      h(
        "button",
        { type: "button", class: "small", "aria-label": "Remove this header", onclick: remove },
        "×",
      ),
    );
    rows.append(row);
    return nameInput;
  }

  const all = () =>
    [...rows.children].map((row) => {
      const [name, value] = row.querySelectorAll("input");
      return { name: name?.value.trim() ?? "", value: value?.value ?? "", row };
    });

  return {
    element,
    // None are said where there were none: whoever has added some meanwhile keeps them.
    read: () =>
      isKept || (kept.length === 0 && rows.childElementCount === 0)
        ? {}
        : {
            headers: Object.fromEntries(
              all()
                .filter(({ name, value }) => name + value !== "")
                .map(({ name, value }) => [name, value]),
            ),
          },
    /** Shows a refusal that names a header, or all of them. @param {import("./api.js").Refusal} refusal */
    showProblem({ field, message }) {
      if (field !== "headers" && !field?.startsWith("headers.")) return false;
      // A new host takes no headers that were meant for another.
      if (isKept) replaceAll();
      const at = all().find(({ name }) => field === `headers.${name}`)?.row ?? rows.firstElementChild;
      const input = at?.querySelector("input");
      input?.setAttribute("aria-invalid", "true");
      replace(problem, message);
      (input ?? add).focus();
      return true;
    },
  };
}
