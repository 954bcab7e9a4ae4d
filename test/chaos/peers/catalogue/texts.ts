/** Bodies that are no JSON object in UTF-8, or only just one. A receiver's body is nobody's business. */
import {
  type BadAnswer,
  NOT_JSON,
  type PollEnd,
  SUCCEEDED,
  SUCCESS,
  succeeded,
  whole,
} from "./bad-answer.ts";

const LONG_BYTES = 1_000_000;

const answer = (name: string, body: string | Uint8Array, provider: PollEnd): BadAnswer => ({
  name,
  group: "text",
  script: whole(body),
  provider,
  ...(body.length > LONG_BYTES && { isLong: true }),
});

const bytes = (...parts: (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const withOutput = (output: string): string => `{"status":"success","output":"${output}"}`;
/** An output of those bytes. */
const around = (...inner: readonly number[]): Buffer => bytes('{"status":"success","output":"', inner, '"}');

const noJson = (...named: readonly (readonly [name: string, body: string | Uint8Array])[]): BadAnswer[] =>
  named.map(([name, body]) => answer(name, body, NOT_JSON));
const unchanged = (...named: readonly (readonly [name: string, body: string])[]): BadAnswer[] =>
  named.map(([name, body]) => answer(name, body, succeeded(body.trim())));

export const TEXTS: readonly BadAnswer[] = [
  ...noJson(
    ["a byte that no UTF-8 has", around(0xff)],
    ["a character that is cut off", around(0xe2, 0x82)],
    ["a slash in two bytes", around(0xc0, 0xaf)],
    ["half of a surrogate pair in bytes", around(0xed, 0xa0, 0x80)],
    ["a character past the last", around(0xf4, 0x90, 0x80, 0x80)],
    ["UTF-16 with a mark", Buffer.from(`\ufeff${SUCCESS}`, "utf16le")],
    ["UTF-16 without a mark", Buffer.from(SUCCESS, "utf16le")],
    ["UTF-16 the other way round", Buffer.from(SUCCESS, "utf16le").swap16()],
    ["two byte order marks", `\ufeff\ufeff${SUCCESS}`],
    ["NUL in front", `\0${SUCCESS}`],
    ["NUL behind", `${SUCCESS}\0`],
    ["NUL in a string", withOutput("a\0b")],
    ["a line end in a string", withOutput("a\nb")],
    ["nothing", ""],
    ["white space", " \r\n\t "],
    ["null", "null"],
    ["a list", `[${SUCCESS}]`],
    ["a string", '"success"'],
    ["a number", "1"],
    ["two objects", SUCCESS + SUCCESS],
    ["a trailing comma", '{"status":"success","output":"a",}'],
    ["a comment", `/* */${SUCCESS}`],
    ["single quotes", SUCCESS.replaceAll('"', "'")],
    ["NaN", '{"status":"success","output":NaN}'],
    ["a number with a zero in front", '{"status":"success","output":01}'],
    ["JSONP", `callback(${SUCCESS})`],
    ["a guard in front", `)]}'\n${SUCCESS}`],
    ["a page", "<!doctype html><h1>It works!</h1>"],
    ["XML", "<status>success</status>"],
    ["a form", "status=success&output=a"],
    ["half of it", SUCCESS.slice(0, 40)],
    ["4 MiB of NUL", Buffer.alloc(4 * 1024 * 1024)],
    ["100,000 open lists", '{"status":"success","output":'.concat("[".repeat(100_000))],
    ["100,000 open objects", '{"a":'.repeat(100_000)],
    ["8 MiB of quotes and backslashes", `{"status":"success","output":"${'\\"'.repeat(4_000_000)}`],
  ),
  answer("a byte order mark", `\ufeff${SUCCESS}`, SUCCEEDED),
  answer("white space around it", `\r\n\t ${SUCCESS} \n\n`, SUCCEEDED),
  ...unchanged(
    ["an escaped NUL", withOutput("a\\u0000b")],
    ["an escaped half of a pair", withOutput("\\ud800 and \\udc00 and \\ud800\\ud800")],
    ["characters that are none", withOutput("\ufffe\uffff\u{1ffff}")],
    ["line separators", withOutput("\u2028\u2029")],
    ["marks that turn text around", withOutput("\u202egnp.exe\u202c")],
    ["DEL and C1 controls", withOutput("\u007f\u0085\u009f")],
    ["every escape that JSON knows", withOutput('\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00')],
    ["4 MiB of backslashes", withOutput("\\\\".repeat(2_000_000))],
  ),
];
