/**
 * results.md, as text: one block for each part, between marks that no reader sees. A part that runs again replaces its
 * own block and no other, and each says on which machine and when it ran, as they need not have run together.
 */
import type { Section } from "./section.ts";

const begin = (part: string): string => `<!-- part: ${part} -->`;
const end = (part: string): string => `<!-- end of part: ${part} -->`;

/** The file with these parts in place of what it had of them, in the order of `parts`; others stay as they are. */
export function withParts(
  head: string,
  before: string,
  parts: readonly string[],
  ran: ReadonlyMap<string, { readonly section: Section; readonly setting: string }>,
): string {
  const blocks = parts.flatMap((part) => {
    const now = ran.get(part);
    const block = now ? blockOf(now.section, now.setting) : bodyOf(before, part);
    return block === null ? [] : [`${begin(part)}\n${block.trim()}\n${end(part)}`];
  });
  return `${[head, ...blocks].join("\n\n")}\n`;
}

const blockOf = ({ title, body }: Section, setting: string): string => `## ${title}\n\n${setting}\n\n${body}`;

function bodyOf(text: string, part: string): string | null {
  const from = text.indexOf(begin(part));
  const to = text.indexOf(end(part));
  return from === -1 || to < from ? null : text.slice(from + begin(part).length, to);
}
