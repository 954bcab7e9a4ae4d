/**
 * Making a destination and changing it: a form of all its fields. A PUT replaces all but what no answer shows: headers
 * and the secret stay, unless they are said anew.
 */
import { call, Refusal } from "./api.js";
import { headerRows } from "./destination-headers.js";
import { formDialog, showSecret } from "./dialog.js";
import { h } from "./dom.js";
import { field } from "./ui.js";
import { clock } from "./words.js";

/** @typedef {import("../../client/destination-types.ts").Destination} Destination */

const NO_RETRIES = "none";
const NAME = /^[\w-]{1,64}$/;
const NAME_HELP = "1 to 64 of A-Z a-z 0-9 _ -";

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
    const called = name.value.trim();
    if (called === "") throw refused("name", "name must be given.");
    if (!NAME.test(called)) throw refused("name", `name must be ${NAME_HELP}.`);
    if (url.value.trim() === "") throw refused("url", "url must be given.");
    const path = `/v1/destinations/${called}`;
    if (before === null && (await isThere(path)))
      throw refused("name", "There is one of this name already; edit it instead.");
    /** @type {{ secret?: string }} */
    const saved = await call("PUT", path, {
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
    if (saved.secret !== undefined) showSecret(`The secret of ${called}`, saved.secret, SHOWN_ONCE);
  }

  formDialog(
    before ? `Change ${before.name}` : "New destination",
    before ? "Save" : "Create",
    [
      field("Name", name, "name", before ? undefined : `${NAME_HELP}; it cannot be changed.`),
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

/** @param {string} field @param {string} detail */
const refused = (field, detail) => new Refusal(0, { code: "invalid_value", detail, field });

/** A PUT would replace it without a word. @param {string} path */
async function isThere(path) {
  try {
    await call("GET", path);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return false;
    throw error;
  }
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
