/**
 * From a body to an answer: JSON as it came, with any echo of the provider key taken out before it is stored. Pure.
 */
import { trimJson } from "../json.ts";
import { isPlainObject } from "./fields.ts";

/** Shorter keys are no secrets, and would match by chance: only a whole string equal to one is taken out. */
const MIN_SEARCHED_CHARS = 8;

/** A JSON object from the provider. */
export interface Answer {
  readonly json: Record<string, unknown>;
  /** The same as it came: UTF-8, no BOM, no white space around it. */
  readonly bytes: Uint8Array;
}

/** The body as a JSON object with the key redacted: parsed, and as the bytes to store. Else `null`. */
export function parseAnswer(body: Uint8Array, key: string | null): Answer | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
    const clean = key === null ? text : redact(text, key);
    const json: unknown = JSON.parse(clean);
    if (!isPlainObject(json)) return null;
    // Unless something was taken out, the bytes are the provider's own.
    const bytes = clean === text && body[0] !== 0xef ? body : new TextEncoder().encode(clean);
    return { json, bytes: trimJson(bytes) };
  } catch {
    return null;
  }
}

/** `json` with every occurrence of `key` in its strings, however escaped, replaced by `[redacted]`. */
export function redact(json: string, key: string): string {
  const mayEcho = echoTest(key);
  if (!mayEcho(json)) return json;
  // What comes before the key is not taken for a part of it.
  const spelled = ["", NESTED]
    .map((nested) => [...key].map((char, i) => spellings(char, i > 0 ? nested : "")).join(""))
    .join("|");
  // Escapes that are no part of the key are stepped over whole: of `\nn` only the second n can begin a key.
  const searched = new RegExp(`(${spelled})|\\\\(?:u.{4}|[^u])`, "g");
  const whole = new RegExp(`^"(${spelled})"$`);
  const redactLiteral = (literal: string): string =>
    key.length >= MIN_SEARCHED_CHARS
      ? literal.replace(searched, (unit, found) => (found === undefined ? unit : "[redacted]"))
      : literal.replace(whole, '"[redacted]"');
  let clean = "";
  let end = 0;
  // Only in strings: a key of digits must not turn a number into something that is no JSON.
  for (let start = json.indexOf('"'); start !== -1; start = json.indexOf('"', end)) {
    const next = endOfString(json, start);
    const literal = json.slice(start, next);
    clean += json.slice(end, start) + (mayEcho(literal) ? redactLiteral(literal) : literal);
    end = next;
  }
  return clean + json.slice(end);
}

/** A quick look, which spares large strings the slow one: `false` where no spelling of the key can be. */
function echoTest(key: string): (text: string) => boolean {
  // What has only one spelling, but for `\u` and `%`: the key's longest piece without a character that JSON escapes.
  const piece = key
    .split(/["\\/]/)
    .reduce((longest, next) => (next.length > longest.length ? next : longest), "");
  const inUrls = !/^[A-Za-z0-9_.~-]+$/.test(key);
  return (text) => text.includes(piece) || text.includes("\\u00") || (inUrls && text.includes("%"));
}

/** Offset just behind the string literal that opens at `start`. */
function endOfString(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return json.length;
}

/** A backslash in front of an escape, as JSON has it that is a string of JSON. */
const NESTED = "\\\\\\\\";

/**
 * The ways a JSON text may write one character: as itself, `\u0041`, for a few `\/`, and in a URL `%2F`. Of one that is
 * escaped there is one way only for each depth: a choice for every backslash would take for ever.
 */
function spellings(char: string, nested: string): string {
  const hex = char.charCodeAt(0).toString(16).padStart(4, "0");
  const unicode = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const own = char.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const mustEscape = char === '"' || char === "\\";
  const forms = [`\\\\{${nested && mustEscape ? 2 : "1,2"}}u${unicode}`];
  if (!/[A-Za-z0-9]/.test(char)) forms.push(`%${unicode.slice(2)}`);
  if (mustEscape) forms.push(`${nested}\\\\${own}`);
  else forms.push(char === "/" ? `(${nested})?\\\\?/` : own);
  return `(?:${forms.join("|")})`;
}
