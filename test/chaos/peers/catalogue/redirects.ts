/** Redirects to an address that nobody may be led to: the key, or the event, would go along. */
import { again, type BadAnswer, type Group, message, send } from "./bad-answer.ts";

const END = again("redirect");
const LINES = ["301 Moved", "302 Found", "303 See other", "307 Over there", "308 Over there", "300 Choices"];

export const redirectsTo = (url: string): readonly BadAnswer[] =>
  LINES.map((line) => ({
    name: `${line}, to a private address`,
    group: "status line" satisfies Group,
    script: send(message(`HTTP/1.1 ${line}`, [`Location: ${url}`, "Content-Length: 0"], "")),
    provider: END,
    receiver: END,
  }));
