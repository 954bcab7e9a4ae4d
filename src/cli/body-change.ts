/**
 * How a body is changed by those who pass it on, and what it was before: a signature is over bytes, and JSON that was
 * parsed and written again has others. Pure.
 */

/** Gives the body as it was before; `null` where it cannot have been. */
type Undo = (body: string) => string | null;

export const CHANGES: readonly (readonly [name: string, undo: Undo])[] = [
  ["a line end was added behind it", (body) => body.replace(/\r?\n$/, "")],
  // White space, to JavaScript: so it comes first.
  ["a byte order mark was put before it", (body) => body.replace(/^\uFEFF/, "")],
  ["white space was added around it", (body) => body.trim()],
  ["its line end was taken away", (body) => `${body}\n`],
  ["its line ends were changed", (body) => body.replaceAll("\r\n", "\n")],
  [
    "it was parsed and written again with other white space",
    (body) => rewritten(body, (value) => JSON.stringify(value)),
  ],
  ["it was parsed and written again with other escapes", (body) => rewritten(body, asSent)],
];

/** Whether it is what JavaScript or Python write, to the byte; a provider's own JSON seldom is. */
export const looksRewritten = (body: string): boolean =>
  WRITERS.some((write) => rewritten(body, write) === body);

type Write = (value: object) => string;

const WRITERS: readonly Write[] = [
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, null, 2),
  (value) => JSON.stringify(value, null, 4),
  (value) => inPython(value),
  (value) => inAscii(inPython(value)),
];

/** `null` for what is no JSON object. */
function rewritten(body: string, write: Write): string | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? write(value) : null;
  } catch {
    return null;
  }
}

/** What stands in an event as the provider wrote it; the rest is ours. */
const FROM_PROVIDER: ReadonlySet<string> = new Set(["output", "proxy_links", "provider"]);

/** As it most likely was: the provider's parts as PHP writes them, ours as JavaScript does. */
function asSent(value: object): string {
  const { type, data } = value as { type?: unknown; data?: unknown };
  if (typeof type !== "string" || typeof data !== "object" || data === null) return inPhp(value);
  const member = (name: string, part: unknown) =>
    FROM_PROVIDER.has(name) ? inPhp(part) : JSON.stringify(part);
  return membersOf(value, (name, part) => (name === "data" ? membersOf(data, member) : JSON.stringify(part)));
}

const inPhp = (value: unknown): string => inAscii(JSON.stringify(value).replaceAll("/", "\\/"));

const inAscii = (json: string): string =>
  json.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

function inPython(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inPython).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return membersOf(value, (_, part) => inPython(part), [": ", ", "]);
}

function membersOf(
  value: object,
  write: (name: string, part: unknown) => string,
  [colon, comma]: readonly [string, string] = [":", ","],
): string {
  const members = Object.entries(value).map(
    ([name, part]) => `${JSON.stringify(name)}${colon}${write(name, part)}`,
  );
  return `{${members.join(comma)}}`;
}
