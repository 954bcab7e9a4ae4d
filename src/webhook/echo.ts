/**
 * Takes what a receiver echoes of a destination's secrets out of the answer that is kept: header values and their parts,
 * and what stands long enough in the URL to be one. Whoever may read a job need not know them. Pure.
 */
import type { DestinationContent } from "./destination.ts";

const REDACTED = "[redacted]";
/** Shorter parts of a header's value are words, such as "Bearer". */
const LEAST_VALUE_CHARS = 8;
/** Shorter parts of a URL are names. */
const LEAST_URL_CHARS = 12;
/** An answer is cut off somewhere: so much of a secret at its end is one. */
const LEAST_CUT_CHARS = 4;

export function withoutEchoes(
  text: string,
  { url, headers }: Pick<DestinationContent, "url" | "headers">,
): string {
  const { pathname, searchParams } = new URL(url);
  const ofUrl = [...pathname.split("/"), ...searchParams.values()];
  const secrets = [
    ...Object.values(headers).flatMap((value) => longest(value, value.split(/[\s,;=]+/), LEAST_VALUE_CHARS)),
    ...ofUrl.flatMap((part) => longest(part, [encodeURIComponent(part)], LEAST_URL_CHARS)),
  ];
  let clean = text;
  // The longer first: a part may stand in a whole.
  for (const secret of [...new Set(secrets)].sort((a, b) => b.length - a.length)) {
    clean = clean.replaceAll(secret, REDACTED);
    for (let length = secret.length - 1; length >= LEAST_CUT_CHARS; length--)
      if (clean.endsWith(secret.slice(0, length))) clean = clean.slice(0, -length) + REDACTED;
  }
  return clean;
}

const longest = (whole: string, parts: readonly string[], least: number): string[] =>
  [whole, ...parts].filter((part) => part.length >= least);
