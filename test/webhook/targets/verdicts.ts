/**
 * The corpus against `judgeTarget`: what did not come out as it should, and how many of each group did.
 */
import { judgeTarget, targetPolicy } from "../../../src/webhook/target.ts";
import { ACCEPTED } from "./accepted.ts";
import { PUBLIC_URL, REFUSED } from "./refused.ts";

/** As on a Worker that is called under an address and knows its name. */
export const POLICY = targetPolicy({ publicUrl: PUBLIC_URL, allowPrivateTargets: false }, "203.0.113.9:8787");

/** A URL in a message: invisible characters are seen, and none is endless. */
export const shown = (url: string): string => {
  const text = JSON.stringify(url).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
};

/** One line for each URL that is judged otherwise than the corpus says. */
export function misjudged(): string[] {
  const lines: string[] = [];
  for (const { url, fault } of REFUSED) {
    const judged = judgeTarget(url, POLICY);
    if (judged.ok || judged.fault !== fault)
      lines.push(`${shown(url)} is ${judged.ok ? "accepted" : judged.fault}, not ${fault}`);
  }
  for (const { url, as } of ACCEPTED) {
    const judged = judgeTarget(url, POLICY);
    if (!judged.ok) lines.push(`${shown(url)} is refused: ${judged.fault}`);
    else if (as !== undefined && judged.url !== as)
      lines.push(`${shown(url)} becomes ${judged.url}, not ${as}`);
  }
  return lines;
}

/** How many URLs each group has, in their order. */
export function counts(cases: readonly { readonly group: string }[]): Map<string, number> {
  const groups = new Map<string, number>();
  for (const { group } of cases) groups.set(group, (groups.get(group) ?? 0) + 1);
  return groups;
}

/** At most so many of each group, spread over it. */
export function sampled<T extends { readonly group: string }>(cases: readonly T[], most: number): T[] {
  return [...counts(cases)].flatMap(([group, count]) => {
    const members = cases.filter((item) => item.group === group);
    const picked = Array.from({ length: Math.min(most, count) }, (_, i) => Math.floor((i * count) / most));
    return members.filter((_, i) => (count <= most ? true : picked.includes(i)));
  });
}
