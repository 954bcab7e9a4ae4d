/**
 * The headers that a caller adds to its deliveries: which names and values are taken. Refused is what says how the
 * message is sent, what is ours to say (the signature, the body's type), and what names another sender. Pure.
 */

const MAX_HEADERS = 20;
const MAX_NAME_CHARS = 64;
const MAX_VALUE_CHARS = 4 * 1024;
/** Names and values together. */
const MAX_HEADER_BYTES = 8 * 1024;

/** RFC 9110, 5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** Printable ASCII, with white space inside only: at the ends it would be taken off on the way. */
const VALUE = /^([!-~]([ -~\t]*[!-~])?)?$/;

/** Hop by hop (RFC 9110, 7.6.1, and what is as good as that); who is asked; who asks. */
const REFUSED = new Set(
  `connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade
  http2-settings expect date host via forwarded cdn-loop x-real-ip true-client-ip`.split(/\s+/),
);
const REFUSED_PREFIXES = /^(content|webhook|cf|x-forwarded|pollhook)-/;

export type HeadersRead =
  | { readonly ok: true /** Names in lower case. */; readonly headers: Readonly<Record<string, string>> }
  /** `name`: the header at fault, `null` for all together. `help`: the rest of a sentence that begins with its name. */
  | { readonly ok: false; readonly name: string | null; readonly help: string };

/** The headers in `given`; one that is `null` is the same as absent. */
export function readHeaders(given: Readonly<Record<string, unknown>>): HeadersRead {
  const headers = new Map<string, string>();
  let bytes = 0;
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    const lower = name.toLowerCase();
    const help = headers.has(lower)
      ? "is given twice; case makes no difference"
      : faultOf(name, lower, value);
    if (help !== null) return { ok: false, name, help };
    headers.set(lower, String(value));
    bytes += lower.length + String(value).length;
  }
  if (headers.size > MAX_HEADERS) return { ok: false, name: null, help: `may be ${MAX_HEADERS} at most` };
  if (bytes > MAX_HEADER_BYTES)
    return { ok: false, name: null, help: `may have ${MAX_HEADER_BYTES} bytes in all, names included` };
  return { ok: true, headers: Object.fromEntries(headers) };
}

function faultOf(name: string, lower: string, value: unknown): string | null {
  // As it was given: there are letters beyond ASCII that become one of it in lower case.
  if (!TOKEN.test(name) || name.length > MAX_NAME_CHARS)
    return `is no name of a header, of up to ${MAX_NAME_CHARS} characters`;
  if (REFUSED.has(lower) || REFUSED_PREFIXES.test(lower)) return "is not yours to set; leave it out";
  if (typeof value !== "string" || value.length > MAX_VALUE_CHARS || !VALUE.test(value))
    return `must be a string of up to ${MAX_VALUE_CHARS} printable ASCII characters without spaces at its ends`;
  return null;
}
