/**
 * What was typed to register a request, as the body that says it, and in words.
 */
import { parseJson, Refusal } from "./api.js";

/**
 * The body as JSON text. What is JSON already stands in it as it was pasted, so that big integers survive.
 *
 * @param {HTMLFormElement} form
 */
export function bodyOf(form) {
  const given = valuesOf(form);
  const value = (/** @type {string} */ name) => (given.get(name) ?? "").trim();
  /** @type {[string, string][]} */
  const members = [];
  const add = (/** @type {string} */ name, /** @type {string} */ json) => members.push([name, json]);
  const pasted = unquoted(value("response"));
  if (/^https?:/i.test(pasted)) add("fetch_url", JSON.stringify(pasted));
  else if (pasted !== "") add("response", asJson("response", pasted));
  for (const name of ["endpoint", "request_id", "format", "key"])
    if (value(name) !== "") add(name, JSON.stringify(value(name)));
  const target = targetIn(form);
  // Chosen but not named is no callback at all, unless it is said.
  if (target !== "") {
    if (value(target) === "")
      throw new Refusal(422, { code: "missing", detail: "Name it, or choose another place.", field: target });
    add(target, JSON.stringify(value(target)));
  }
  // What is no number is refused by who knows the bounds, too.
  for (const name of ["eta", "deadline_seconds"])
    if (value(name) !== "")
      add(name, JSON.stringify(/^\d+(\.\d+)?$/.test(value(name)) ? Number(value(name)) : value(name)));
  if (value("metadata") !== "") add("metadata", asJson("metadata", value("metadata")));
  const index = value("index")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (index.length > 0) add("index", JSON.stringify(index));
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

/** A URL is copied with its quotes out of JSON. @param {string} text */
export const unquoted = (text) => /^(["'])(https?:[^"']*)\1,?$/i.exec(text)?.[2] ?? text;

/** The text, if it is JSON of an object; else a refusal. @param {string} field @param {string} text */
function asJson(field, text) {
  try {
    if (Object.prototype.toString.call(JSON.parse(text)) === "[object Object]") return text;
  } catch {
    // Said below.
  }
  const what = field === "response" ? "neither a JSON object nor a URL" : "no JSON object";
  throw new Refusal(422, { code: "invalid_value", detail: `This is ${what}.`, field });
}

/** @param {string} pasted */
export function summary(pasted) {
  if (/^https?:/i.test(pasted)) return "Read as a fetch URL.";
  try {
    const { status, id, eta } = parseJson(pasted);
    const words = Object.entries({ status, id, eta }).filter(
      ([, value]) => value !== undefined && value !== null,
    );
    return `Read as an answer: ${words.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ")}`.slice(
      0,
      200,
    );
  } catch {
    return "Neither JSON nor a URL yet.";
  }
}

/** @param {HTMLFormElement} form */
export const targetIn = (form) => String(new FormData(form).get("to") ?? "");

/** @param {HTMLFormElement} form */
export const valuesOf = (form) =>
  new Map([...new FormData(form)].map(([name, value]) => [name, String(value)]));

/** @param {HTMLFormElement} form @param {Map<string, string>} values */
export function restore(form, values) {
  for (const [name, value] of values) {
    const input = form.elements.namedItem(name);
    if (name === "key" || input === null) continue;
    if (input instanceof RadioNodeList) {
      for (const radio of input) if (radio instanceof HTMLInputElement) radio.checked = radio.value === value;
    } else if ("value" in input) input.value = value;
  }
}
