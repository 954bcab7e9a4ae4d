/** Answers that say the provider key again, in the spellings that are taken out. */
import { type BadAnswer, failed, type PollEnd, succeeded, whole } from "./bad-answer.ts";

/** With characters that JSON and URLs write in several ways. */
export const ECHOED_KEY = "sk-peers/4f9d+c71b=8";

const escaped = (upper: boolean): string =>
  [...ECHOED_KEY]
    .map((char) => {
      const hex = char.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${upper ? hex.toUpperCase() : hex}`;
    })
    .join("");
const percent = encodeURIComponent(ECHOED_KEY);

const answer = (
  name: string,
  text: string,
  end: (clean: string) => PollEnd,
  fields: readonly string[] = [],
): BadAnswer => ({
  name: `the key ${name}`,
  group: "echo of the key",
  script: whole(
    text.replaceAll("KEY", () => name),
    "200 OK",
    fields,
  ),
  provider: end(text.replaceAll("KEY", "[redacted]")),
  key: ECHOED_KEY,
});

const spelled = (name: string, spelling: string): BadAnswer => {
  const text = '{"status":"success","output":["https://cdn.example/?key=KEY&a=1"],"meta":{"KEY":["KEY"]}}';
  return {
    ...answer(name, text, succeeded),
    script: whole(text.replaceAll("KEY", () => spelling)),
  };
};

const inPlace = (name: string, text: string, end: (clean: string) => PollEnd): BadAnswer => ({
  ...answer(name, text, end),
  script: whole(
    text.replaceAll("KEY", () => ECHOED_KEY),
    "200 OK",
    [`X-Key: ${ECHOED_KEY}`, `Retry-After: ${ECHOED_KEY}`],
  ),
});

export const ECHOES: readonly BadAnswer[] = [
  spelled("as it is", ECHOED_KEY),
  spelled("in escapes", escaped(false)),
  spelled("in escapes with capitals", escaped(true)),
  spelled("with escaped slashes", ECHOED_KEY.replaceAll("/", "\\/")),
  spelled("escaped in part", ECHOED_KEY.replace("s", "\\u0073").replace("8", "\\u0038")),
  spelled("in percent signs", percent),
  spelled("in percent signs with small letters", percent.toLowerCase()),
  spelled("in percent signs in part", ECHOED_KEY.replace("/", "%2F")),
  inPlace("in an error", '{"status":"error","message":"invalid api key KEY"}', () => failed("unauthorized")),
  inPlace("in an object of errors", '{"status":"error","message":{"key":["KEY is used up"]}}', () =>
    failed("provider_error"),
  ),
  inPlace("in a status", '{"status":"success","output":["a"],"status_of":"KEY"}', succeeded),
  inPlace("behind an escaped quote", '{"status":"success","output":"\\"KEY\\""}', succeeded),
  inPlace("behind an escaped backslash", '{"status":"success","output":"\\\\KEY\\\\"}', succeeded),
  inPlace("1,000 times", `{"status":"success","output":[${'"KEY",'.repeat(1_000)}"KEY"]}`, succeeded),
];
