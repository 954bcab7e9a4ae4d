/**
 * Making a destination and changing it: a form of all its fields. A PUT replaces all but what no answer shows: headers
 * and the secret stay, unless they are said anew.
 */
import { call, Refusal } from "./api.js";
import { formDialog, showSecret } from "./dialog.js";
import { h, replace } from "./dom.js";
import { field } from "./ui.js";
import { clock } from "./words.js";

/** @typedef {import("../../client/destination-types.ts").Destination} Destination */

const NO_RETRIES = "none";

/**
 * @param {Destination | null} before `null`: a new one.
 * @param {() => void} onSaved
 */
export function editDestination(before, onSaved) {
  const name = input(before?.name ?? "", { autocapitalize: "off", disabled: before !== null });
  const url = input(before?.url ?? "", { type: "url", placeholder: "https://…" });
  const format = h(
    "select",
    {},
    ...["standard", "provider"].map((word) => h("option", { selected: word === before?.format }, word)),
  );
  const schedule = input(scheduleText(before?.retry_schedule ?? null), { placeholder: "5, 60, 3600" });
  const inFlight = input(before === null ? "" : String(before.max_in_flight), { inputmode: "numeric" });
  const perSecond = input(String(before?.max_per_second ?? ""), { inputmode: "decimal" });
  const secret = input("", { placeholder: "whsec_…", spellcheck: "false" });
  const headers = headerRows(before?.header_names ?? []);

  async function save() {
    if (name.value.trim() === "")
      throw new Refusal(0, { code: "invalid_value", detail: "name is missing.", field: "name" });
    /** @type {{ secret?: string }} */
    const saved = await call("PUT", `/v1/destinations/${encodeURIComponent(name.value.trim())}`, {
      body: {
        url: url.value.trim(),
        format: format.value,
        retry_schedule: readSchedule(schedule.value),
        max_in_flight: readNumber(inFlight.value),
        max_per_second: readNumber(perSecond.value),
        ...(secret.value.trim() !== "" && { secret: secret.value.trim() }),
        ...headers.read(),
      },
    });
    onSaved();
    if (saved.secret !== undefined)
      showSecret(`The secret of ${name.value.trim()}`, saved.secret, SHOWN_ONCE);
  }

  formDialog(
    before ? `Change ${before.name}` : "New destination",
    before ? "Save" : "Create",
    [
      field("Name", name, "name", before ? undefined : "1 to 64 of A-Z a-z 0-9 _ -; it cannot be changed."),
      field("URL", url, "url"),
      headers.element,
      field("Format", format, "format", "Of events whose registration says nothing of it."),
      field(
        "Retry schedule",
        schedule,
        "retry_schedule",
        `Seconds to wait before attempts 2, 3, …; empty for the usual ten attempts, “${NO_RETRIES}” for a single one.`,
      ),
      field("Most in flight", inFlight, "max_in_flight", "1 to 1000; empty for 10."),
      field("Most in a second", perSecond, "max_per_second", "0.01 to 1000; empty for no limit."),
      field("Secret", secret, "secret", before ? "Empty: it stays as it is." : "Empty: a new one is made."),
    ],
    save,
    headers.showProblem,
  );
}

/** @param {string} name @param {() => void} onRotated */
export function rotateSecret(name, onRotated) {
  const overlap = input("86400", { inputmode: "numeric" });
  const secret = input("", { placeholder: "whsec_…", spellcheck: "false" });
  formDialog(
    `Rotate the secret of ${name}`,
    "Rotate",
    [
      field(
        "Overlap",
        overlap,
        "overlap_seconds",
        "Seconds for which the secret before signs too; a day, 7 days at most.",
      ),
      field("Secret", secret, "secret", "Empty: a new one is made."),
    ],
    async () => {
      const rotated = await call("POST", `/v1/destinations/${encodeURIComponent(name)}/rotate-secret`, {
        body: {
          overlap_seconds: readNumber(overlap.value),
          ...(secret.value.trim() !== "" && { secret: secret.value.trim() }),
        },
      });
      onRotated();
      const until =
        rotated.previous_until === null
          ? ""
          : ` The one before signs until ${clock(rotated.previous_until)}.`;
      showSecret(`The new secret of ${name}`, rotated.secret, SHOWN_ONCE + until);
    },
  );
}

const SHOWN_ONCE =
  "It signs the events of this destination. It is shown this once and never again: keep it now.";

/** @param {string} value @param {import("./dom.js").Props} props */
const input = (value, props) => h("input", { value, autocomplete: "off", ...props });

/** @param {readonly number[] | null} gaps */
const scheduleText = (gaps) => (gaps === null ? "" : gaps.length === 0 ? NO_RETRIES : gaps.join(", "));

/** What is no number goes out as it is: the answer says what is wrong with it. @param {string} text */
function readNumber(text) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  return Number.isNaN(Number(trimmed)) ? trimmed : Number(trimmed);
}

/** @param {string} text */
function readSchedule(text) {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "") return null;
  return trimmed === NO_RETRIES ? [] : trimmed.split(/[\s,]+/).map(readNumber);
}

/**
 * Rows of names and values. Values that are kept already cannot be shown, so rows replace all of them or none.
 *
 * @param {readonly string[]} kept Names.
 */
function headerRows(kept) {
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
    const nameInput = input(name, {
      class: "name",
      "aria-label": "Name of the header",
      "aria-describedby": "headers-problem",
      autocapitalize: "off",
    });
    const value = input("", {
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
    read: () =>
      isKept
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
