/**
 * What callers give, judged before anything is sent: a client that cannot work is a TypeError where it is made, and a
 * call that makes no sense an `invalid_value`, as the server would answer. Neither shows a token. Pure.
 */
import { membersOf } from "./answers.ts";
import { PollhookError } from "./error.ts";

export const invalid = (detail: string, field: string | null = null, cause?: unknown): PollhookError =>
  new PollhookError({ code: "invalid_value", detail, field, cause });

/** An absolute URL, without the slash at its end. */
export function baseOf(url: unknown): string {
  const text = String(url).trim().replace(/\/+$/, "");
  if (/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/i.test(text) && isUrl(text)) return text;
  throw new TypeError(
    "The url must be where Pollhook is reached, such as https://pollhook.your-domain.example.",
  );
}

function isUrl(text: string): boolean {
  try {
    return new URL(text) !== null;
  } catch {
    return false;
  }
}

export function checkTokenSource(token: unknown): void {
  if (typeof token === "function" || isSendable(token)) return;
  const fault =
    typeof token !== "string" || token === ""
      ? "is missing"
      : "has characters that no token has: a line end?";
  throw new TypeError(`The token ${fault}`);
}

/** Whether a text can be a token: other characters cannot stand in its header. */
export const isSendable = (token: unknown): token is string =>
  typeof token === "string" && /^[!-~]+$/.test(token);

export function checkTimeoutMs(timeoutMs: unknown): void {
  if (!(typeof timeoutMs === "number" && timeoutMs > 0))
    throw new TypeError("The timeoutMs must be a number of milliseconds above 0.");
}

export function checkSeconds(field: string, seconds: unknown): void {
  if (typeof seconds !== "number" || Number.isNaN(seconds))
    throw invalid(`${field} must be a number of seconds.`, field);
}

export function checkWord(field: string, word: string, words: readonly string[]): void {
  if (!words.includes(word)) throw invalid(`${field} must be ${words.join(" or ")}.`, field);
}

/** An id goes into a header when a stream is resumed. */
export function checkLastEventId(id: unknown): void {
  if (typeof id !== "string" || !/^[ -~]*$/.test(id))
    throw invalid("lastEventId must be the id of an event, as it came.", "lastEventId");
}

/** The JSON text of an object that is sent; `field` is what it is called, if it is a part of the body. */
export function jsonOf(value: unknown, field: string | null = null): string {
  if (!membersOf(value)) throw invalid(`${field ?? "What is sent"} must be an object.`, field);
  try {
    return JSON.stringify(value, function (this: unknown, name, member: unknown) {
      // It would be sent as null, which means that nothing was said.
      if (this === value && typeof member === "number" && !Number.isFinite(member))
        throw invalid(`${name} must be a number that there is, and not ${member}.`, name);
      return member;
    });
  } catch (cause) {
    if (cause instanceof PollhookError) throw cause;
    const detail = "JSON cannot write it: a bigint (send it as text), or an object that contains itself.";
    throw invalid(detail, field, cause);
  }
}
