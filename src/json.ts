/**
 * JSON as text. Provider answers and caller metadata are stored and sent as they came, so their big
 * integers, key order and escapes survive; this file finds where a member stands in such text and puts
 * texts together, without ever parsing and writing them again. Pure.
 */

import { concatBytes } from "./bytes.ts";

/** Byte offsets into a JSON text: from `start` up to, not including, `end`. */
export type Span = readonly [start: number, end: number];

/** A piece of a JSON text: literal text, or a span of a text that is stored elsewhere. */
export type Part = string | Span;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The text without white space around it. */
export function trimJson(text: Uint8Array): Uint8Array {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  return text.subarray(start, end);
}

/** Offset just behind the string literal that opens at `at`. */
function skipString(text: Uint8Array, at: number): number {
  for (let quote = text.indexOf(QUOTE, at + 1); quote !== -1; quote = text.indexOf(QUOTE, quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

/** Offset just behind the value that begins at `at`; iterative, so depth costs no stack. */
function skipValue(text: Uint8Array, at: number): number {
  let depth = 0;
  let i = at;
  while (i < text.length) {
    const byte = text[i];
    if (byte === QUOTE) {
      i = skipString(text, i);
      if (depth === 0) return i;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return i;
    i++;
  }
  return i;
}

interface Member {
  readonly name: string;
  /** From the quote that opens the name to the end of the value. */
  readonly whole: Span;
  readonly value: Span;
}

/** The top-level members of `text`, which must be one valid JSON object (have `JSON.parse` accept it first). */
function* members(text: Uint8Array): Generator<Member> {
  let i = text.indexOf(OPEN_BRACE) + 1;
  while (i < text.length) {
    const nameStart = text.indexOf(QUOTE, i);
    if (nameStart === -1) break;
    const nameEnd = skipString(text, nameStart);
    const name: string = JSON.parse(decoder.decode(text.subarray(nameStart, nameEnd)));
    let start = text.indexOf(COLON, nameEnd) + 1;
    while (isSpace(text[start])) start++;
    const end = skipValue(text, start);
    yield { name, whole: [nameStart, end], value: [start, end] };
    i = end;
    while (isSpace(text[i])) i++;
    if (text[i] !== COMMA) break;
    i++;
  }
}

/**
 * Where the value of each top-level member stands. `text` as for {@link editMembers}; of repeated names the last one
 * counts, as in `JSON.parse`.
 */
export function memberSpans(text: Uint8Array): Map<string, Span> {
  return new Map([...members(text)].map(({ name, value }) => [name, value]));
}

/**
 * The object with some members changed, the others as they came. An edit is the JSON text of the member's new value,
 * or `null` to take it away; what was not there is added behind them. Of a repeated name, the first place is edited and the others go. `text` must be one valid
 * JSON object.
 */
export function editMembers(text: Uint8Array, edits: ReadonlyMap<string, string | null>): Part[] {
  const left = new Map(
    [...edits].map(([name, value]) => [name, value && `${JSON.stringify(name)}:${value}`]),
  );
  const take = (name: string): Part[] => {
    const member = left.get(name) ?? null;
    left.set(name, null);
    return member === null ? [] : [member];
  };
  const kept = [...members(text)].flatMap(({ name, whole }) => (edits.has(name) ? take(name) : [whole]));
  const all = [...kept, ...[...edits.keys()].flatMap(take)];
  return ["{", ...all.flatMap((part, i) => (i === 0 ? [part] : [",", part])), "}"];
}

/** Where each element of an array stands. `text` must be one valid JSON array (have `JSON.parse` accept it first). */
export function elementSpans(text: Uint8Array): Span[] {
  const spans: Span[] = [];
  let i = text.indexOf(OPEN_BRACKET) + 1;
  for (;;) {
    while (isSpace(text[i])) i++;
    if (i >= text.length || text[i] === CLOSE_BRACKET) return spans;
    const end = skipValue(text, i);
    spans.push([i, end]);
    i = end;
    while (isSpace(text[i])) i++;
    if (text[i] === COMMA) i++;
  }
}

/** The raw JSON text of one top-level member, or `undefined`. `text` as in {@link memberSpans}. */
export function rawMember(text: Uint8Array, name: string): string | undefined {
  const span = memberSpans(text).get(name);
  return span && decoder.decode(text.subarray(span[0], span[1]));
}

/**
 * Puts parts together, spans taken from `source`, behind an optional `prefix`. Returns one buffer:
 * the caller that signs `prefix + body` sends `.subarray(prefixBytes)` without a second copy.
 */
export function joinParts(
  parts: readonly Part[],
  source: Uint8Array | null,
  prefix = "",
): { bytes: Uint8Array<ArrayBuffer>; prefixBytes: number } {
  const pieces: Uint8Array[] = [encoder.encode(prefix)];
  for (const part of parts) {
    if (typeof part === "string") pieces.push(encoder.encode(part));
    else if (source) pieces.push(source.subarray(part[0], part[1]));
    else throw new Error("A span without the text that it refers to.");
  }
  return { bytes: concatBytes(pieces), prefixBytes: pieces[0]?.length ?? 0 };
}
